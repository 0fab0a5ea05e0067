//! What only some applications need of it.

use alloc::string::String;
use alloc::vec::Vec;
use core::future::Future;
use zeroize::Zeroizing;

use super::Web;
use crate::browser::port::{Keys, NotKept, Record, Records, Tabs, Unchecked, WindowError, Windows};
use crate::browser::{crypto, kept, tabs, windows};

impl Records for Web {
    fn has_records(&self) -> bool {
        kept::is_there()
    }

    fn find(&self, name: &str) -> impl Future<Output = Result<Option<Record>, NotKept>> {
        kept::find(name)
    }

    fn take(&self, name: &str) -> impl Future<Output = Result<Option<Record>, NotKept>> {
        kept::take(name)
    }

    fn find_all(
        &self,
        prefix: &str,
    ) -> impl Future<Output = Result<Vec<(String, String)>, NotKept>> {
        kept::find_all(prefix)
    }

    fn replace(
        &self,
        name: &str,
        expected: &str,
        text: &str,
        one: Option<&[u8]>,
        two: Option<&[u8]>,
    ) -> impl Future<Output = Result<bool, NotKept>> {
        kept::replace(name, expected, text, one, two)
    }

    fn discard(&self, name: &str) -> impl Future<Output = Result<(), NotKept>> {
        kept::remove(name)
    }

    fn lease(&self, name: &str, seconds: u32) -> impl Future<Output = Result<bool, NotKept>> {
        kept::lease(name, seconds)
    }

    fn end_lease(&self, name: &str) -> impl Future<Output = Result<(), NotKept>> {
        kept::end_lease(name)
    }
}

impl Keys for Web {
    type Key = kept::Key;
    type Pair = kept::Pair;
    type Signer = crypto::Signer;

    fn has_keys(&self) -> bool {
        kept::has_crypto()
    }

    fn kept_key(&self, salt: &str) -> impl Future<Output = Result<kept::Key, NotKept>> {
        kept::Key::kept(salt)
    }

    fn key_of(&self, secret: &[u8; 32]) -> impl Future<Output = Result<kept::Key, NotKept>> {
        kept::Key::of(secret)
    }

    fn seal(
        &self,
        key: &kept::Key,
        bound: &str,
        bytes: &[u8],
    ) -> impl Future<Output = Result<Vec<u8>, NotKept>> {
        key.seal(bound, bytes)
    }

    fn open(
        &self,
        key: &kept::Key,
        bound: &str,
        sealed: &[u8],
    ) -> impl Future<Output = Result<Zeroizing<Vec<u8>>, NotKept>> {
        key.open(bound, sealed)
    }

    fn make_pair(&self) -> impl Future<Output = Result<kept::Pair, NotKept>> {
        kept::Pair::new()
    }

    fn shown(&self, pair: &kept::Pair) -> Vec<u8> {
        pair.shown()
    }

    fn agree(
        &self,
        pair: &kept::Pair,
        theirs: &[u8],
        info: &str,
    ) -> impl Future<Output = Result<kept::Key, NotKept>> {
        pair.agree(theirs, info)
    }

    fn make_signer(&self) -> impl Future<Output = Result<(crypto::Signer, Vec<u8>), NotKept>> {
        crypto::Signer::new()
    }

    fn sign(
        &self,
        signer: &crypto::Signer,
        text: &str,
    ) -> impl Future<Output = Result<Vec<u8>, NotKept>> {
        signer.sign(text)
    }

    fn keep_signer(
        &self,
        name: &str,
        text: &str,
        signer: &crypto::Signer,
    ) -> impl Future<Output = Result<(), NotKept>> {
        kept::keep_value(name, text, signer.value())
    }

    async fn find_signer(&self, name: &str) -> Result<Option<crypto::Signer>, NotKept> {
        Ok(crypto::Signer::of(kept::find_value(name).await?))
    }

    fn verify(
        &self,
        name: &str,
        key: &str,
        text: &str,
        signature: &[u8],
    ) -> impl Future<Output = Result<bool, Unchecked>> {
        crypto::check(name, key, text, signature)
    }
}

impl Tabs for Web {
    type Lock = tabs::Lock;

    fn has_locks(&self) -> bool {
        tabs::has_locks()
    }

    fn lock(&self, name: &str, milliseconds: u32) -> impl Future<Output = Option<tabs::Lock>> {
        tabs::lock(name, milliseconds)
    }

    fn held_locks(&self) -> impl Future<Output = Option<String>> {
        tabs::held()
    }

    fn listen(&self) {
        tabs::listen();
    }

    fn hear(&self) -> impl Future<Output = Option<(String, Vec<u8>)>> {
        tabs::hear()
    }

    fn answer(
        &self,
        mark: &str,
        milliseconds: u32,
    ) -> impl Future<Output = Option<Vec<u8>>> + 'static {
        tabs::answer(mark, milliseconds)
    }

    fn tell(&self, text: &str, bytes: &[u8]) {
        tabs::tell(text, bytes);
    }
}

impl Windows for Web {
    type Window = windows::Window;

    fn frame(&self) -> windows::Window {
        windows::Window::frame()
    }

    fn show(
        &self,
        window: &windows::Window,
        url: &str,
        name: &str,
        milliseconds: u32,
    ) -> impl Future<Output = Result<String, WindowError>> {
        window.answer(url, name, milliseconds)
    }

    fn deliver(&self, name: &str, text: &str) -> impl Future<Output = bool> {
        windows::deliver(name, text)
    }

    fn close_own(&self) {
        windows::close_own();
    }
}
