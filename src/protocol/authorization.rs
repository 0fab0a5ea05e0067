//! The authorization request and its response (RFC 6749 sections 4.1 and 4.2, RFC 9207).

mod acceptance;
#[cfg_attr(not(feature = "full"), path = "authorization/optional/none.rs")]
mod optional;
mod request;
mod response;

pub use acceptance::Accepted;
pub use response::AuthorizationResponse;

use alloc::rc::Rc;
use alloc::string::String;

use super::client::{Client, Display, Part};
use super::dpop::ProofKey;
use super::error::{Error, ErrorCode};
use super::json::Json;
use super::record::Stored;
use super::secret::{CodeVerifier, IdToken, State};
use super::{Seconds, pkce, text};

/// Random bytes for one login: 32 for `state`, 32 for `code_verifier`.
pub type Entropy = [u8; 64];

/// Every `state` of ours begins so, that a response to us is known from any other `?code=` of the page.
/// `src/address.js` says the same.
pub const STATE_PREFIX: &str = "ow1x";

/// Those of a login in a popup or a frame begin so: the answer belongs to another page. base64url has no dot.
pub const ELSEWHERE_PREFIX: &str = "ow1x.";

/// Those of a login whose answer needs what only some applications need begin so. `src/address.js` says the same: by the
/// `state` the page knows what to load before anything is.
pub const FULL_PREFIX: &str = "ow1xf.";

/// A login that was sent away and waits for its answer. It carries its [`Client`], so the answer is judged
/// against the very server that was asked (RFC 9700 section 4.4).
#[derive(Debug)]
pub struct PendingLogin {
    state: State,
    code_verifier: CodeVerifier,
    /// When it will have waited too long, by the wall clock.
    expires_at: Seconds,
    login: Rc<Client>,
    /// To which the tokens will be bound.
    key: Option<ProofKey>,
    /// Whom a silent login is about.
    #[allow(dead_code, reason = "without `optional.rs` nobody is named")]
    hint: Option<IdToken>,
}

impl PendingLogin {
    /// Starts a login. The entropy must come from the system's generator; a constant one is refused.
    pub fn new(login: Rc<Client>, entropy: &Entropy, now: Seconds) -> Result<Self, Error> {
        let (for_state, for_verifier) = entropy.split_at(32);
        let mut verifier_bytes = [0; 32];
        verifier_bytes.copy_from_slice(for_verifier);
        let constant = |bytes: &[u8]| bytes.iter().all(|b| Some(b) == bytes.first());
        if for_state == for_verifier || constant(for_state) || constant(for_verifier) {
            return Err(ErrorCode::EntropyFailure.error());
        }
        let mut state = String::from(match login.display() {
            Display::Page if login.part() == Part::Session => STATE_PREFIX,
            Display::Page => FULL_PREFIX,
            _ => ELSEWHERE_PREFIX,
        });
        state.push_str(&pkce::base64url(for_state));
        Ok(Self {
            state: State::new(state),
            code_verifier: CodeVerifier::from_entropy(&verifier_bytes),
            expires_at: now.saturating_add(login.max_age()),
            login,
            key: None,
            hint: None,
        })
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    /// The record to keep until the answer comes: how it begins is [`Part`](super::client::Part)'s to say.
    pub fn to_record(&self) -> String {
        let mut out = self.login.new_record();
        self.expires_at.store(&mut out);
        self.login.store(&mut out);
        // No reallocation leaves a copy of the verifier behind.
        out.reserve(512);
        out.push_str(self.code_verifier.expose());
        if let Some(key) = &self.key {
            out.push(' ');
            key.to_jwk().write(&mut out);
        }
        out
    }

    /// When a stored login will have waited too long; the rest of the record is not looked at.
    pub fn expiry_of(record: &str) -> Option<Seconds> {
        Client::record_fields(record)?.load()
    }

    /// Reads a record back. Unreadable means absent.
    pub fn from_record(state: &str, record: &str, origin: &str) -> Option<Self> {
        let mut reader = Client::record_fields(record)?;
        let expires_at = reader.load()?;
        let login: Client = reader.load()?;
        let rest = reader.rest()?;
        if !login.is_sound(origin) {
            return None;
        }
        let (code_verifier, key) = text::cut(rest, " ").unwrap_or((rest, ""));
        Some(Self {
            state: State::new(String::from(state)),
            code_verifier: CodeVerifier::read(String::from(code_verifier))?,
            expires_at,
            login: Rc::new(login),
            key: match key {
                "" => None,
                jwk => Some(ProofKey::read(&Json::parse(jwk.as_bytes())?)?),
            },
            hint: None,
        })
    }

    /// When it will have waited too long, by the wall clock.
    pub fn expires_at(&self) -> Seconds {
        self.expires_at
    }

    /// Whether the login has waited too long. `now` is the wall clock: the page has died in between.
    pub fn is_expired(&self, now: Seconds) -> bool {
        now > self.expires_at
    }

    /// How the login is shown.
    pub fn display(&self) -> Display {
        self.login.display()
    }

    /// Seconds that a login in a popup or a frame may take.
    pub fn display_timeout(&self) -> Seconds {
        self.login.display_timeout()
    }

    /// Whether it is shown in a frame where the browser may withhold the server's cookies.
    pub fn is_foreign_frame(&self, origin: &str) -> bool {
        self.display() == Display::Frame && !self.login.is_same_site(origin)
    }

    /// Whether it has to outlive its tab.
    pub fn is_to_be_kept(&self) -> bool {
        self.login.keep_pending()
    }

    /// Whether it may be answered in a foreign page's frame.
    pub fn allow_framed(&self) -> bool {
        self.login.allow_framed()
    }

    /// The error in the provider's own words, where its table has them.
    pub fn explained(&self, error: Error) -> Error {
        self.login.explained(error)
    }

    /// Who logs in.
    pub fn client(&self) -> &Client {
        &self.login
    }
}

#[cfg(test)]
mod tests {
    use super::super::form;
    use super::super::url;
    use super::*;
    use std::format;

    pub(super) const ORIGIN: &str = "https://app.example";

    pub(super) fn entropy() -> Entropy {
        core::array::from_fn(|i| i as u8)
    }

    pub(super) fn pending(extra: &str) -> PendingLogin {
        let scope = match extra.contains(r#""scope""#) {
            true => "",
            false => r#","scope":["read","write"]"#,
        };
        let text = format!(
            r#"{{"clientId":"c 1","redirectUri":"https://app.example/cb","authorizationEndpoint":"https://as.example/a?tenant=7","tokenEndpoint":"https://as.example/t","issuer":"https://as.example"{scope}{extra}}}"#
        );
        let login =
            crate::protocol::config::Config::read(Json::parse(text.as_bytes()).expect("test JSON"))
                .and_then(|config| config.resolve(ORIGIN))
                .expect("a login");
        PendingLogin::new(login, &entropy(), 1000).expect("good entropy")
    }

    pub(super) fn parameters(url: &str) -> std::vec::Vec<(String, String)> {
        let (_, _, query) = url::cut(url);
        let pairs = form::parse(query.expect("a query"));
        let text = |value: Json| String::from(value.as_str().unwrap_or(""));
        pairs
            .into_iter()
            .map(|(name, value)| (name, text(value)))
            .collect()
    }

    pub(super) fn value(url: &str, name: &str) -> Option<String> {
        let mut found = parameters(url).into_iter().filter(|(key, _)| key == name);
        let value = found.next()?.1;
        assert!(found.next().is_none(), "{name} stands once");
        Some(value)
    }

    #[test]
    fn a_constant_generator_is_refused() {
        for bytes in [[0; 64], [255; 64], core::array::from_fn(|i| (i % 32) as u8)] {
            let login = pending("").login;
            let error = PendingLogin::new(login, &bytes, 0).expect_err("no entropy");
            assert_eq!(error.code, ErrorCode::EntropyFailure);
        }
    }

    #[test]
    fn a_record_comes_back_whole_and_a_broken_one_is_absent() {
        let pending = pending(r#","returnTo":"/cart","appState":{"a":[1,"ü"]},"pendingMaxAge":60"#);
        let record = pending.to_record();
        let state = pending.state().expose();
        let again = PendingLogin::from_record(state, &record, ORIGIN).expect("a record");
        assert_eq!(again.to_record(), record);
        assert_eq!(again.expires_at(), 1060);
        assert_eq!(PendingLogin::expiry_of(&record), Some(1060));
        assert!(again.is_expired(1061) && !again.is_expired(1060));
        for (from, to) in [
            ("1s1060;", "2s1060;"),
            ("1s1060;", "11060;"),
            ("60;ICE", "-1;ICE"),
            ("1060;", "x;"),
            ("1060;", ""),
            ("60;ICE", "60;&x=ICE"),
            ("60;ICEiIyQl", "60;"),
            ("5;/cart", "14;//evil.example"),
            ("20;https://as.example/t", "20;http://evil.example/"),
            ("20;https://as.example/t", "20;javascript:alert(1)/"),
            ("{\"a\"", "[\"a\""),
        ] {
            let tampered = record.replace(from, to);
            assert_ne!(tampered, record, "{from}");
            assert!(
                PendingLogin::from_record(state, &tampered, ORIGIN).is_none(),
                "{to}"
            );
        }
    }

    #[test]
    fn a_foreign_frame_is_allowed_by_name_only() {
        assert!(!pending("").allow_framed());
        assert!(pending(r#","allowFramed":true"#).allow_framed());
    }
}
