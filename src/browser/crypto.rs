//! Signatures by WebCrypto.

use alloc::vec::Vec;
use wasm_bindgen::prelude::*;

use super::port::{NotKept, Unchecked};
use super::task::Answer;

#[wasm_bindgen(module = "/src/browser/crypto.js")]
extern "C" {
    #[wasm_bindgen(js_name = checkSignature)]
    fn check_signature(id: usize, name: &str, key: &str, text: &str, signature: &[u8]);
    #[wasm_bindgen(js_name = makeSigner)]
    fn make_signer(id: usize);
    #[wasm_bindgen(js_name = keyOfSigner)]
    fn key_of_signer(signer: &JsValue) -> JsValue;
    #[wasm_bindgen(js_name = signText)]
    fn sign_text(id: usize, key: &JsValue, text: &str);
}

#[wasm_bindgen(module = "/src/browser/kept.js")]
extern "C" {
    #[wasm_bindgen(js_name = shownOf)]
    fn shown_of(signer: &JsValue) -> Vec<u8>;
}

#[wasm_bindgen(module = "/src/browser/natives.js")]
extern "C" {
    #[wasm_bindgen(js_name = handOver)]
    fn hand_over(bytes: &JsValue) -> Vec<u8>;
}

/// Whether `key`, the JSON text of a public JWK, made the signature over the text. `name` is the algorithm's in a header.
pub async fn check(name: &str, key: &str, text: &str, signature: &[u8]) -> Result<bool, Unchecked> {
    let answer = Answer::to(|id| check_signature(id, name, key, text, signature)).await;
    match answer {
        Ok(right) => Ok(right.as_bool() == Some(true)),
        Err(reason) if reason.as_string().as_deref() == Some("DataError") => Err(Unchecked::BadKey),
        Err(_) => Err(Unchecked::Unsupported),
    }
}

/// A P-256 key that signs, and that nobody can read.
#[derive(Clone)]
pub struct Signer(JsValue);

impl Signer {
    /// A new one, and the point that anybody may know, uncompressed.
    pub async fn new() -> Result<(Signer, Vec<u8>), NotKept> {
        let signer = Answer::to(make_signer).await?;
        Ok((Signer(key_of_signer(&signer)), shown_of(&signer)))
    }

    /// One that was kept.
    pub fn of(key: JsValue) -> Option<Signer> {
        (!key.is_undefined()).then_some(Signer(key))
    }

    /// What can be kept of it.
    pub fn value(&self) -> &JsValue {
        &self.0
    }

    /// The signature over a text, by ECDSA with SHA-256.
    pub async fn sign(&self, text: &str) -> Result<Vec<u8>, NotKept> {
        let signature = Answer::to(|id| sign_text(id, &self.0, text)).await?;
        Ok(hand_over(&signature))
    }
}
