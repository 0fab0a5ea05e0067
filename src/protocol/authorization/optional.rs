//! What only some logins ask for: the user's identity (OpenID Connect Core section 3.1.2.1), tokens that are bound to a key
//! (RFC 9449), a request that is pushed (RFC 9126). `optional/none.rs` is its empty twin.

use alloc::string::String;

use super::super::dpop::ProofKey;
use super::super::secret::IdToken;
use super::super::{Seconds, form};
use super::PendingLogin;

impl PendingLogin {
    /// Whether the tokens are to be bound to a key (RFC 9449).
    pub fn is_to_be_bound(&self) -> bool {
        self.login.dpop()
    }

    /// Seconds until nobody can come back for the key.
    pub fn key_lifetime(&self) -> Seconds {
        let session = self.login.key_lifetime().unwrap_or(0);
        self.login.max_age().saturating_add(session)
    }

    /// Has the tokens bound to a key (RFC 9449).
    pub fn bind(&mut self, key: ProofKey) {
        self.key = Some(key);
    }

    /// The key that the tokens will be bound to.
    pub fn key(&self) -> Option<&ProofKey> {
        self.key.as_ref()
    }

    /// Names the user whom a silent login is about (OpenID Connect Core section 3.1.2.1); of no use to another one.
    pub fn name_user(&mut self, hint: &IdToken) {
        let mut parameters = self.login.authorization_parameters().iter();
        let is_named = parameters.any(|(name, _)| name == "id_token_hint");
        if self.login.prompt() == Some("none") && self.login.is_openid() && !is_named {
            self.hint = Some(hint.clone());
        }
    }

    /// Whom and what the tokens are to be about.
    pub(super) fn add_optional(&self, url: &mut String) {
        if let Some(key) = &self.key {
            form::append(url, "dpop_jkt", &key.thumbprint());
        }
        if let Some(hint) = &self.hint {
            form::append(url, "id_token_hint", hint.expose());
        }
    }

    /// The request to post before (RFC 9126 section 2.1), where that is to be done: endpoint and form.
    pub fn pushed(&self) -> Option<(&str, String)> {
        if !self.login.is_pushed() {
            return None;
        }
        Some((self.login.pushed_endpoint(), self.request()))
    }

    /// Where to send the user then (section 4).
    pub fn pushed_url(&self, request_uri: &str) -> String {
        let mut url = self.endpoint();
        form::append(&mut url, "client_id", self.login.client_id());
        form::append(&mut url, "request_uri", request_uri);
        url
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::error::ErrorCode;
    use super::super::super::json::Json;
    use super::super::super::openid::About;
    use super::super::AuthorizationResponse;
    use super::super::tests::{ORIGIN, entropy, parameters, pending, value};
    use super::*;
    use std::{format, string::ToString};

    #[test]
    fn a_record_begins_with_the_part_of_the_library_that_answers_it() {
        let begins = |extra: &str| String::from(&pending(extra).to_record()[..2]);
        for extra in [
            "",
            r#","responseType":"token""#,
            r#","resource":"https://api.example/""#,
            r#","responseType":"token","scope":"openid""#,
        ] {
            assert_eq!(begins(extra), "1s", "{extra}");
        }
        for extra in [
            r#","scope":"openid""#,
            r#","dpop":true"#,
            r#","keep":"tab""#,
            r#","keepPending":true"#,
            r#","sessionScope":"origin""#,
            r#","display":"popup""#,
            r#","display":"iframe""#,
            r#","authorizationDetails":[{"type":"x"}]"#,
        ] {
            assert_eq!(begins(extra), "1f", "{extra}");
        }
    }

    #[test]
    fn a_login_knows_how_long_it_may_take_and_whether_its_frame_is_a_foreign_one() {
        let framed = pending(r#","display":"iframe","pendingMaxAge":60"#);
        assert_eq!(framed.expires_at(), 1060);
        assert!(framed.is_foreign_frame(ORIGIN));
        assert!(!framed.is_foreign_frame("https://as.example"));
        assert!(!pending("").is_foreign_frame(ORIGIN));
        let same_site = pending(r#","display":"popup""#);
        assert!(!same_site.is_foreign_frame("https://as.example"));
        let kept = pending(r#","keepPending":true,"keep":"device""#);
        assert!(kept.is_to_be_kept() && !framed.is_to_be_kept());
        let timed = pending(r#","display":"iframe","displayTimeout":7"#);
        assert_eq!(timed.display_timeout(), 7);
        assert_eq!(pending(r#","display":"popup""#).display_timeout(), 600);
    }

    fn key() -> ProofKey {
        let jwk = br#"{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}"#;
        ProofKey::read(&Json::parse(jwk).expect("JSON")).expect("a key")
    }

    const OPENID: &str = r#","scope":"openid","jwksUri":"https://as.example/jwks""#;

    fn bare(extra: &str) -> PendingLogin {
        let text = format!(
            r#"{{"clientId":"c1","redirectUri":"https://app.example/cb","authorizationEndpoint":"https://as.example/a?tenant=7","tokenEndpoint":"https://as.example/t","issuer":"https://as.example"{extra}}}"#
        );
        let login =
            crate::protocol::config::Config::parse(&text).and_then(|config| config.resolve(ORIGIN));
        PendingLogin::new(login.expect("a login"), &entropy(), 1000).expect("entropy")
    }

    #[test]
    fn a_silent_login_names_the_user_whom_it_is_about() {
        let hint = IdToken::new("e30.e30.AA".to_string());
        let url = |fields: &str| {
            let mut pending = pending(fields);
            pending.name_user(&hint);
            assert!(!format!("{pending:?}").contains("e30"));
            assert!(
                !pending.to_record().contains("e30"),
                "of no use to the answer"
            );
            pending.authorization_url()
        };
        let named = "&id_token_hint=e30.e30.AA";
        let openid = r#","scope":"openid","prompt":"none""#;
        assert!(url(openid).ends_with(named));
        let framed = r#","scope":"openid","display":"iframe""#;
        assert!(url(framed).ends_with(named), "a frame is silent");
        for other in [
            r#","scope":"openid""#,
            r#","scope":"openid","prompt":"login""#,
            r#","prompt":"none""#,
        ] {
            assert!(!url(other).contains("id_token_hint"), "{other}");
        }
        let own = r#","authorizationParameters":{"id_token_hint":"x"}"#;
        let url = url(&format!("{openid}{own}"));
        assert!(
            url.contains("&id_token_hint=x") && !url.contains("e30"),
            "{url}"
        );
    }

    #[test]
    fn a_nonce_is_sent_with_openid_only_and_is_the_same_after_the_redirect() {
        assert_eq!(value(&bare("").authorization_url(), "nonce"), None);
        let login = bare(OPENID);
        let nonce = value(&login.authorization_url(), "nonce").expect("a nonce");
        assert_eq!(nonce.len(), 43);
        let state = login.state().expose().to_string();
        let back = PendingLogin::from_record(&state, &login.to_record(), ORIGIN);
        let about = back.expect("the record").about();
        assert!(matches!(about, Some(About::Login { nonce: kept }) if kept == nonce));
    }

    #[test]
    fn resources_details_and_the_key_are_named() {
        let mut login = bare(
            r#","resource":["https://a.example/","https://b.example/"],"authorizationDetails":[{"type":"x"}]"#,
        );
        login.bind(key());
        let url = login.authorization_url();
        let named = parameters(&url);
        let resources = named.iter().filter(|(name, _)| name == "resource");
        let resources: std::vec::Vec<_> = resources.map(|(_, value)| &**value).collect();
        assert_eq!(resources, ["https://a.example/", "https://b.example/"]);
        assert_eq!(
            value(&url, "authorization_details").as_deref(),
            Some(r#"[{"type":"x"}]"#)
        );
        assert_eq!(
            value(&url, "dpop_jkt").as_deref(),
            Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I")
        );
        let state = login.state().expose().to_string();
        let back = PendingLogin::from_record(&state, &login.to_record(), ORIGIN);
        assert_eq!(back.expect("the record").key(), Some(&key()));
        let broken = login.to_record().replace("P-256", "P-384");
        assert!(PendingLogin::from_record(&state, &broken, ORIGIN).is_none());
    }

    /// RFC 9126 sections 2.1 and 4.
    #[test]
    fn a_pushed_request_leaves_nothing_but_its_name_in_the_address() {
        assert!(bare(OPENID).pushed().is_none());
        let fields = r#","pushedAuthorizationRequest":true,"pushedAuthorizationRequestEndpoint":"https://as.example/par""#;
        let login = bare(&[OPENID, fields].concat());
        let (endpoint, form) = login.pushed().expect("a request to push");
        assert_eq!(endpoint, "https://as.example/par");
        let all = format!("https://as.example/a?tenant=7&{form}");
        assert_eq!(all, login.authorization_url());
        assert!(
            form.starts_with("response_type=code&client_id=c1&"),
            "{form}"
        );
        assert_eq!(
            login.pushed_url("urn:x:1 2"),
            "https://as.example/a?tenant=7&client_id=c1&request_uri=urn%3Ax%3A1%202"
        );
    }

    #[test]
    fn an_id_token_stands_in_the_fragment() {
        let fields = [OPENID, r#","responseType":"id_token token""#].concat();
        let response = |place: &str| {
            let login = pending(&fields);
            let state = login.state().expose().to_string();
            let href = format!("https://app.example/cb{place}").replace("STATE", &state);
            let response = AuthorizationResponse::read(&href).expect("a response");
            login.accept(response, 1000, 0).map(drop)
        };
        let url = pending(&fields).authorization_url();
        assert_eq!(
            value(&url, "response_type").as_deref(),
            Some("id_token token")
        );
        assert_eq!(value(&url, "code_challenge"), None);
        let tokens = "access_token=a&token_type=Bearer";
        assert_eq!(
            response(&format!("#{tokens}&id_token=a.b.c&state=STATE")),
            Ok(())
        );
        // Where `iss` is demanded, an ID Token does (RFC 9207 section 2.4), and nothing else.
        let strict = [&fields, r#","issRequired":true"#].concat();
        let named = |place: &str| {
            let login = pending(&strict);
            let state = login.state().expose().to_string();
            let href = format!("https://app.example/cb#{place}&state={state}");
            let response = AuthorizationResponse::read(&href).expect("a response");
            login
                .accept(response, 1000, 0)
                .map(drop)
                .map_err(|error| error.code)
        };
        let mismatch = Err(ErrorCode::IssuerMismatch);
        let missing = Err(ErrorCode::IssuerMissing);
        assert_eq!(named(&format!("{tokens}&id_token=a.b.c")), Ok(()));
        assert_eq!(named(tokens), missing);
        assert_eq!(named("error=access_denied"), missing);
        assert_eq!(
            named(&format!("{tokens}&id_token=a.b.c&iss=https://evil.example")),
            mismatch
        );
        let detail = |place: &str| response(place).expect_err(place).detail.clone();
        let missing = detail(&format!("#{tokens}&state=STATE"));
        assert!(missing.starts_with("id_token: is missing"), "{missing}");
        assert_eq!(
            detail(&format!("?id_token=a.b.c#{tokens}&state=STATE")),
            "id_token stands in the query"
        );
        let twice = response(&format!("#{tokens}&id_token=a&id_token=b&state=STATE"));
        assert_eq!(
            twice.map_err(|error| error.code),
            Err(ErrorCode::DuplicateParameter)
        );
    }
}
