//! Keys that tokens are bound to, and proofs that they are held (RFC 9449).

use alloc::string::String;
use alloc::vec::Vec;

use wasm_bindgen::JsValue;
use zeroize::Zeroizing;

use super::{TIMEOUT, clock, entropy, session, unanswered};
use crate::browser::crypto::Signer;
use crate::browser::http::{self, Answered, Own, Request, header_of, status_of};
use crate::browser::kept;
use crate::browser::task::Local;
use crate::protocol::authorization::PendingLogin;
use crate::protocol::dpop::{self, Nonces, ProofKey};
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::json::{Json, decimal, whole};
use crate::protocol::resource::PrivateRequest;
use crate::protocol::secret::AccessToken;
use crate::protocol::session::SessionId;
use crate::protocol::text::concat;
use crate::protocol::token::{MAX_BODY, TokenRequest};

/// Names of kept keys; the rest is the thumbprint. The text beside says until when they are kept.
const KEPT: &str = "signer.";
const PROOF: &str = "dpop";
pub const NONCE: &str = "dpop-nonce";

/// The keys that this page has used, by their thumbprints.
static SIGNERS: Local<Vec<(String, Signer)>> = Local::new(Vec::new());
static NONCES: Local<Nonces> = Local::new(Nonces::new());

/// Makes a key for a login, and keeps it for when the page has gone.
pub async fn bind(pending: &mut PendingLogin) -> Result<(), Error> {
    if !pending.is_to_be_bound() {
        return Ok(());
    }
    let unsupported = |what| ErrorCode::UnsupportedEnvironment.at(what);
    let signer = Signer::new().await;
    let (signer, point) = signer.map_err(|_| unsupported("dpop: no key can be made here"))?;
    let key = ProofKey::at(&point).ok_or_else(|| ErrorCode::InternalError.error())?;
    let jkt = key.thumbprint();
    sweep().await;
    let until = clock::wall().saturating_add(pending.key_lifetime());
    keep(&jkt, &signer, until)
        .await
        .map_err(|_| unsupported("dpop: no key can be kept here"))?;
    SIGNERS.with(|signers| signers.push((jkt, signer)));
    pending.bind(key);
    Ok(())
}

async fn keep(jkt: &str, signer: &Signer, until: u32) -> Result<(), kept::NotKept> {
    kept::keep_value(
        &concat(&[KEPT, jkt]),
        &decimal(until.into()),
        signer.value(),
    )
    .await
}

/// Keeps the key of a renewed session for as long again; one that ends with its page needs no keeping.
async fn keep_on(request: &TokenRequest) {
    let Some(key) = request.key() else {
        return;
    };
    let jkt = key.thumbprint();
    match request.key_lifetime() {
        None => drop(kept::remove(&concat(&[KEPT, &jkt])).await),
        Some(seconds) => {
            if let Ok(signer) = signer(key).await {
                let _ = keep(&jkt, &signer, clock::wall().saturating_add(seconds)).await;
            }
        }
    }
}

/// Forgets keys whose sessions have been left.
pub async fn forget(keys: Vec<ProofKey>) {
    for key in keys {
        let jkt = key.thumbprint();
        SIGNERS.with(|signers| signers.retain(|(known, _)| *known != jkt));
        let _ = kept::remove(&concat(&[KEPT, &jkt])).await;
    }
}

/// Removes keys that nobody comes back for.
async fn sweep() {
    let now = clock::wall();
    let list = kept::find_all(KEPT).await.unwrap_or_default();
    if let Some(Json::Array(items)) = Json::parse(list.as_bytes()) {
        for item in items {
            let until = item.str("text").and_then(whole).unwrap_or(0);
            if until < now.into() {
                let _ = kept::remove(item.str("name").unwrap_or("")).await;
            }
        }
    }
}

/// The key, of this page or of one before it.
async fn signer(key: &ProofKey) -> Result<Signer, Error> {
    let jkt = key.thumbprint();
    let known = SIGNERS.with(|signers| {
        let entry = signers.iter().find(|(known, _)| *known == jkt)?;
        Some(entry.1.clone())
    });
    if let Some(signer) = known {
        return Ok(signer);
    }
    let value = kept::find_value(&concat(&[KEPT, &jkt])).await;
    let signer = value.ok().and_then(Signer::of);
    let signer = signer.ok_or_else(|| ErrorCode::KeyLost.error())?;
    SIGNERS.with(|signers| signers.push((jkt, signer.clone())));
    Ok(signer)
}

/// The header that proves one request; nothing where the token is not bound.
pub async fn of(
    key: Option<&ProofKey>,
    method: &str,
    url: &str,
    token: Option<&AccessToken>,
) -> Result<Option<(&'static str, String)>, Error> {
    let Some(key) = key else {
        return Ok(None);
    };
    let signer = signer(key).await?;
    let jti = entropy::bytes().ok_or_else(|| ErrorCode::EntropyFailure.error())?;
    let now = clock::wall();
    let proof = NONCES.with(|nonces| key.proof(&jti, method, url, now, nonces.get(url), token));
    let signature = signer.sign(proof.signed()).await;
    let signature = signature.map_err(|_| ErrorCode::KeyLost.error())?;
    Ok(Some((PROOF, proof.finish(&signature))))
}

/// Takes the nonce of a response. Whether it is news.
pub fn note(url: &str, nonce: &str) -> bool {
    !nonce.is_empty() && NONCES.with(|nonces| nonces.adopt(url, nonce))
}

/// The proofs of one private request.
pub struct Proven {
    method: String,
    url: String,
    /// Whether it can be sent again although it may write something: a server that wants a nonce has not looked at it.
    is_copied: bool,
    is_repeatable: bool,
    key: Option<ProofKey>,
    again: bool,
}

impl Proven {
    pub fn new(wanted: &PrivateRequest) -> Self {
        Self {
            method: String::from(wanted.method()),
            url: String::from(wanted.url()),
            is_copied: !wanted.is_stream(),
            is_repeatable: wanted.is_repeatable(),
            key: None,
            again: false,
        }
    }

    /// The Authorization header, with a proof beside it where the token is bound; and whether to keep a copy of the
    /// request.
    pub async fn prove(
        &mut self,
        id: SessionId,
        request: &Request,
        token: &AccessToken,
        keep: bool,
    ) -> Result<(Zeroizing<String>, bool), Error> {
        let known = session(id, |session| {
            (session.key(), session.authorization_header(token))
        })?;
        self.key = known.0;
        let proof = of(self.key.as_ref(), &self.method, &self.url, Some(token)).await?;
        let is_bound = proof.is_some();
        if let Some((name, value)) = proof {
            request.add(name, &value);
        }
        Ok((known.1, keep || (is_bound && self.is_copied && !self.again)))
    }

    /// Takes the nonce of a response. Whether the server wants it in a proof, and the request can be sent again.
    pub fn is_to_be_proven_again(&mut self, response: &JsValue) -> Result<bool, Error> {
        let nonce = header_of(response, NONCE);
        let news = note(&self.url, &nonce);
        let status = status_of(response);
        if self.key.is_none() || status != 401 || self.again {
            return Ok(false);
        }
        let challenge = header_of(response, "www-authenticate");
        let wanted = dpop::is_nonce_challenge(status, &challenge);
        if wanted && !news {
            return Err(ErrorCode::NonceUnreadable.error());
        }
        // Where CORS hides the challenge, a new nonce says the same, but not for sure.
        let guessed = challenge.is_empty() && news && self.is_repeatable;
        self.again = self.is_copied && (wanted || guessed);
        Ok(self.again)
    }
}

/// Sends a token request, and once more where the server wants a nonce in its proof.
pub async fn post(request: &TokenRequest) -> Result<Answered, Error> {
    let endpoint = request.endpoint();
    let mut again = false;
    loop {
        let more = of(request.key(), "POST", endpoint, None).await?;
        let own = Own {
            method: "POST",
            url: endpoint,
            form: request.body(),
            authorization: Zeroizing::default(),
            more,
            wanted: NONCE,
        };
        let answer = http::ask(own, MAX_BODY, TIMEOUT).await;
        let answer = answer.map_err(|why| request.unanswered(unanswered(why).error()))?;
        let news = note(endpoint, &answer.wanted);
        let wanted = request.key().is_some() && dpop::is_nonce_wanted(answer.status, &answer.body);
        match (wanted && !again, news) {
            (false, _) => {
                keep_on(request).await;
                return Ok(answer);
            }
            (true, false) => return Err(ErrorCode::NonceUnreadable.error()),
            (true, true) => again = true,
        }
    }
}
