//! Keys that tokens are bound to, and proofs that they are held (RFC 9449).

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::Traces;
use crate::browser::port::{NotKept, OwnRequest, OwnResponse};
use crate::client::{Client, Page};
use crate::protocol::authorization::PendingLogin;
use crate::protocol::dpop::{self, ProofKey};
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::json::{decimal, whole};
use crate::protocol::resource::PrivateRequest;
use crate::protocol::secret::AccessToken;
use crate::protocol::session::{Revocation, Session, SessionId};
use crate::protocol::text::concat;
use crate::protocol::token::TokenRequest;

/// Names of kept keys; the rest is the thumbprint. The text beside says until when they are kept.
const KEPT: &str = "signer.";
const PROOF: &str = "dpop";
pub const NONCE: &str = "dpop-nonce";

/// A header; its name is empty where there is none.
type Header = (&'static str, String);

/// The proofs of one private request.
pub struct Proven {
    method: String,
    url: String,
    /// Whether it can be sent again although it may write something: a server that wants a nonce has not looked at it.
    is_copied: bool,
    is_repeatable: bool,
    is_bound: bool,
    again: bool,
}

impl Proven {
    pub fn new(wanted: &PrivateRequest) -> Self {
        Self {
            method: String::from(wanted.method()),
            url: String::from(wanted.url()),
            is_copied: !wanted.is_stream(),
            is_repeatable: wanted.is_repeatable(),
            is_bound: false,
            again: false,
        }
    }
}

impl<B: Page> Client<B> {
    /// Makes a key for a login, and keeps it for when the page has gone.
    pub(in crate::client) async fn bind(self, pending: &mut PendingLogin) -> Result<(), Error> {
        if !pending.is_to_be_bound() {
            return Ok(());
        }
        let unsupported = |what| ErrorCode::UnsupportedEnvironment.at(what);
        let signer = self.browser.make_signer().await;
        let (signer, point) = signer.map_err(|_| unsupported("dpop: no key can be made here"))?;
        let key = ProofKey::at(&point).ok_or_else(|| ErrorCode::InternalError.error())?;
        let jkt = key.thumbprint();
        self.sweep_signers().await;
        let until = self.browser.wall().saturating_add(pending.key_lifetime());
        let kept = self.keep_signer(&jkt, &signer, until).await;
        kept.map_err(|_| unsupported("dpop: no key can be kept here"))?;
        let signers = &self.optional.signers;
        signers.with(|signers| signers.push((jkt, signer)));
        pending.bind(key);
        Ok(())
    }

    /// Forgets keys whose sessions have been left.
    pub(in crate::client) async fn forget_keys(self, traces: Traces) {
        for key in traces.keys {
            let jkt = key.thumbprint();
            let signers = &self.optional.signers;
            signers.with(|signers| signers.retain(|(known, _)| *known != jkt));
            let _ = self.browser.discard(&concat(&[KEPT, &jkt])).await;
        }
    }

    /// The Authorization header, with a proof beside it where the token is bound; and whether to keep a copy of the
    /// request.
    pub(in crate::client) async fn prove(
        self,
        proven: &mut Proven,
        id: SessionId,
        token: &AccessToken,
        keep: bool,
    ) -> Result<(Zeroizing<String>, Header, bool), Error> {
        let (key, header) = self.session(id, |session| {
            (session.key(), session.authorization_header(token))
        })?;
        let (method, url) = (&proven.method, &proven.url);
        let proof = self.proof(key.as_ref(), method, url, Some(token)).await?;
        proven.is_bound = key.is_some();
        let keep = keep || (proven.is_bound && proven.is_copied && !proven.again);
        Ok((header, proof, keep))
    }

    /// Takes the nonce of a response. Whether the server wants it in a proof, and the request can be sent again.
    pub(in crate::client) fn is_to_be_proven_again(
        self,
        proven: &mut Proven,
        response: &B::Response,
    ) -> Result<bool, Error> {
        let nonce = self.browser.header(response, NONCE);
        let news = self.note_nonce(&proven.url, &nonce);
        let status = self.browser.status(response);
        if !proven.is_bound || status != 401 || proven.again {
            return Ok(false);
        }
        let challenge = self.browser.header(response, "www-authenticate");
        let wanted = dpop::is_nonce_challenge(status, &challenge);
        if wanted && !news {
            return Err(ErrorCode::NonceUnreadable.error());
        }
        // Where CORS hides the challenge, a new nonce says the same, but not for sure.
        let guessed = challenge.is_empty() && news && proven.is_repeatable;
        proven.again = proven.is_copied && (wanted || guessed);
        Ok(proven.again)
    }

    /// Sends a token request, and once more where the server wants a nonce in its proof.
    pub(in crate::client) async fn post(
        self,
        request: &TokenRequest,
    ) -> Result<OwnResponse, Error> {
        let mut again = false;
        loop {
            let mut own = OwnRequest::new("POST", request.endpoint());
            own.form = request.body();
            own.more = request.relay().unwrap_or_default();
            let (answer, news) = self.ask_with_proof(own, request.key(), None).await?;
            let wanted =
                request.key().is_some() && dpop::is_nonce_wanted(answer.status, &answer.body);
            match (wanted && !again, news) {
                (false, _) => {
                    self.keep_on(request).await;
                    return Ok(answer);
                }
                (true, false) => return Err(ErrorCode::NonceUnreadable.error()),
                (true, true) => again = true,
            }
        }
    }

    /// Gives a token back, with a proof beside it where it is bound and stands in the header; once more where the server
    /// wants a nonce in that.
    pub(in crate::client) async fn revoke(
        self,
        session: &Session,
        revocation: Revocation,
    ) -> Result<OwnResponse, Error> {
        let is_shown = !revocation.authorization.is_empty();
        let key = session.key().filter(|_| is_shown);
        let token = session.token();
        let mut again = false;
        loop {
            let mut own = OwnRequest::new(&revocation.method, &revocation.url);
            own.form = revocation.form.clone();
            own.authorization = revocation.authorization.clone();
            own.more = revocation.relay.clone().unwrap_or_default();
            let (answer, news) = self.ask_with_proof(own, key.as_ref(), Some(&token)).await?;
            if again || key.is_none() || !news || !matches!(answer.status, 400 | 401) {
                return Ok(answer);
            }
            again = true;
        }
    }

    /// Sends a request of the library's own, with a proof where the token is bound and no other header goes with it. Beside
    /// the answer: whether it brought a new nonce.
    pub(super) async fn ask_with_proof(
        self,
        mut request: Box<OwnRequest<'_>>,
        key: Option<&ProofKey>,
        token: Option<&AccessToken>,
    ) -> Result<(OwnResponse, bool), Error> {
        let url = request.url;
        if request.more.0.is_empty() {
            request.more = self.proof(key, request.method, url, token).await?;
        }
        request.wanted = NONCE;
        let answer = self.ask(request).await?;
        let news = self.note_nonce(url, &answer.wanted);
        Ok((answer, news))
    }

    /// The header that proves one request; nothing where the token is not bound.
    pub(super) async fn proof(
        self,
        key: Option<&ProofKey>,
        method: &str,
        url: &str,
        token: Option<&AccessToken>,
    ) -> Result<Header, Error> {
        let Some(key) = key else {
            return Ok(("", String::new()));
        };
        let signer = self.signer(key).await?;
        let jti = self.browser.entropy();
        let jti = jti.ok_or_else(|| ErrorCode::EntropyFailure.error())?;
        let now = self.browser.wall();
        let nonces = &self.optional.nonces;
        let proof = nonces.with(|nonces| key.proof(&jti, method, url, now, nonces.get(url), token));
        let signature = self.browser.sign(&signer, proof.signed()).await;
        let signature = signature.map_err(|_| ErrorCode::KeyLost.error())?;
        Ok((PROOF, proof.finish(&signature)))
    }

    /// Takes the nonce of a response. Whether it is news.
    pub(super) fn note_nonce(self, url: &str, nonce: &str) -> bool {
        let nonces = &self.optional.nonces;
        !nonce.is_empty() && nonces.with(|nonces| nonces.adopt(url, nonce))
    }

    async fn keep_signer(self, jkt: &str, signer: &B::Signer, until: u32) -> Result<(), NotKept> {
        let name = concat(&[KEPT, jkt]);
        self.browser
            .keep_signer(&name, &decimal(until.into()), signer)
            .await
    }

    /// Keeps the key of a renewed session for as long again; one that ends with its page needs no keeping.
    async fn keep_on(self, request: &TokenRequest) {
        let Some(key) = request.key() else {
            return;
        };
        let jkt = key.thumbprint();
        match request.key_lifetime() {
            None => drop(self.browser.discard(&concat(&[KEPT, &jkt])).await),
            Some(seconds) => {
                if let Ok(signer) = self.signer(key).await {
                    let until = self.browser.wall().saturating_add(seconds);
                    let _ = self.keep_signer(&jkt, &signer, until).await;
                }
            }
        }
    }

    /// Removes keys that nobody comes back for.
    async fn sweep_signers(self) {
        let now = self.browser.wall();
        let kept: Vec<_> = self.browser.find_all(KEPT).await.unwrap_or_default();
        for (name, text) in kept {
            if whole(&text).unwrap_or(0) < now.into() {
                let _ = self.browser.discard(&name).await;
            }
        }
    }

    /// The key, of this page or of one before it.
    async fn signer(self, key: &ProofKey) -> Result<B::Signer, Error> {
        let jkt = key.thumbprint();
        let signers = &self.optional.signers;
        let known = signers.with(|signers| {
            let entry = signers.iter().find(|(known, _)| *known == jkt)?;
            Some(entry.1.clone())
        });
        if let Some(signer) = known {
            return Ok(signer);
        }
        let found = self.browser.find_signer(&concat(&[KEPT, &jkt])).await;
        let signer = found.ok().flatten();
        let signer = signer.ok_or_else(|| ErrorCode::KeyLost.error())?;
        signers.with(|signers| signers.push((jkt, signer.clone())));
        Ok(signer)
    }
}
