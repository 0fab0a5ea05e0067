//! The authorization request (RFC 6749 sections 4.1.1 and 4.2.1), in the address or pushed before (RFC 9126).

use alloc::string::String;

use super::super::client::ResponseType;
use super::super::secret::IdToken;
use super::super::{form, scope, text, url};
use super::PendingLogin;

impl PendingLogin {
    /// Where to send the user (sections 4.1.1 and 4.2.1).
    pub fn authorization_url(&self) -> String {
        let mut url = self.endpoint();
        url.push_str(&self.request());
        url
    }

    /// The authorization endpoint, up to where parameters go. What the request says, the endpoint's own query does not.
    fn endpoint(&self) -> String {
        let (address, _, query) = url::cut(self.login.authorization_endpoint());
        let mut url = text::concat(&[address, "?"]);
        let parameters = self.login.authorization_parameters();
        for pair in text::parts(query.unwrap_or(""), "&") {
            let name = form::decode(text::cut(pair, "=").map_or(pair, |(name, _)| name));
            let said = match &*name {
                "prompt" => self.login.prompt().is_some(),
                "resource" => !self.login.resources().is_empty(),
                "authorization_details" => self.login.authorization_details().is_some(),
                _ => false,
            };
            if !said && !parameters.iter().any(|(known, _)| *known == name) {
                url.push_str(pair);
                url.push('&');
            }
        }
        url
    }

    /// The parameters of the request.
    fn request(&self) -> String {
        let client = &self.login;
        let mut request = String::new();
        let mut add = |name: &str, value: &str| form::append(&mut request, name, value);
        add("response_type", client.response_type().as_str());
        add("client_id", client.client_id());
        add("redirect_uri", client.redirect_uri());
        if !client.scope().is_empty() {
            add("scope", &scope::join(client.scope(), " "));
        }
        add("state", self.state.expose());
        if client.response_type() == ResponseType::Code {
            let method = client.code_challenge_method();
            add("code_challenge", &self.code_verifier.code_challenge(method));
            add("code_challenge_method", method.as_str());
        }
        let prompt = client.prompt();
        if let Some(prompt) = prompt {
            add("prompt", prompt);
        }
        for (name, value) in client.authorization_parameters() {
            if prompt.is_none() || name != "prompt" {
                add(name, value);
            }
        }
        if client.is_openid() {
            add("nonce", &self.code_verifier.nonce());
        }
        for resource in client.resources() {
            add("resource", resource);
        }
        if let Some(details) = client.authorization_details() {
            add("authorization_details", &details.text());
        }
        self.add_more(&mut request);
        request
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
    fn add_more(&self, url: &mut String) {
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
    use super::super::tests::{entropy, parameters, pending, value};
    use super::*;
    use std::{format, rc::Rc};

    #[test]
    fn the_authorization_url_says_what_rfc6749_section_4_1_1_and_rfc7636_want() {
        let url = pending(r#","authorizationParameters":{"prompt":"login"}"#).authorization_url();
        assert_eq!(
            url,
            "https://as.example/a?tenant=7&response_type=code&client_id=c%201\
             &redirect_uri=https%3A%2F%2Fapp.example%2Fcb&scope=read%20write\
             &state=ow1xAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\
             &code_challenge=zwkx4Wi0nph1A8rxivb-JTtrPYKoEAjD6OHuZ8fI3FU&code_challenge_method=S256\
             &prompt=login"
        );
    }

    #[cfg(feature = "full")]
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
    fn a_prompt_stands_once_wherever_it_was_said() {
        let said = r#","prompt":"none","authorizationParameters":{"prompt":"login","x":"y"}"#;
        let url = pending(said).authorization_url();
        assert!(url.ends_with("&prompt=none&x=y"), "{url}");
    }

    #[test]
    fn what_the_endpoints_own_query_says_the_request_says_once() {
        let at = |query: &str, extra: &str| {
            let mut client = (*pending(extra).login).clone();
            client.endpoints.authorization = format!("https://as.example/a{query}");
            let pending = PendingLogin::new(Rc::new(client), &entropy(), 0).expect("entropy");
            let url = pending.authorization_url();
            let names = url.split(['?', '&']).skip(1).map(|pair| {
                let name = pair.split('=').next().unwrap_or("");
                form::decode(name)
            });
            let names: std::vec::Vec<_> = names.collect();
            for name in &names {
                let count = names.iter().filter(|other| *other == name).count();
                assert_eq!(count, 1, "{name} in {url}");
            }
            url
        };
        let url = at("?prompt=select_account&tenant=7", r#","prompt":"none""#);
        assert!(url.starts_with("https://as.example/a?tenant=7&response_type=code&"));
        assert!(url.ends_with("&prompt=none"), "{url}");
        let url = at("?prompt=select_account&tenant=7", "");
        assert!(url.starts_with("https://as.example/a?prompt=select_account&tenant=7&resp"));
        let own = r#","authorizationParameters":{"login_hint":"x","p":"b"}"#;
        at("?x=1&p=a&tenant&login%5Fhint=y", own);
        at(
            "?resource=https%3A%2F%2Fa.example",
            r#","resource":"https://b.example/""#,
        );
        assert!(at("?", "").starts_with("https://as.example/a?response_type"));
        assert!(at("", "").starts_with("https://as.example/a?response_type"));
    }

    #[test]
    fn the_implicit_request_has_no_code_challenge() {
        let url = pending(r#","responseType":"token""#).authorization_url();
        assert_eq!(value(&url, "response_type").as_deref(), Some("token"));
        assert!(
            !parameters(&url)
                .iter()
                .any(|(name, _)| name.starts_with("code_challenge"))
        );
    }

    #[test]
    fn plain_is_sent_only_when_asked_for() {
        let pending = pending(r#","codeChallengeMethod":"plain""#);
        let url = pending.authorization_url();
        assert!(url.contains(&format!(
            "code_challenge={}&code_challenge_method=plain",
            pending.code_verifier.expose()
        )));
    }

    #[cfg(feature = "full")]
    mod full {
        use super::super::super::tests::ORIGIN;
        use super::*;
        use crate::protocol::dpop::ProofKey;
        use crate::protocol::json::Json;
        use crate::protocol::openid::About;
        use std::string::ToString;

        fn key() -> ProofKey {
            let jwk = br#"{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}"#;
            ProofKey::read(&Json::parse(jwk).expect("JSON")).expect("a key")
        }

        const OPENID: &str = r#","scope":"openid","jwksUri":"https://as.example/jwks""#;

        fn pending(extra: &str) -> PendingLogin {
            let text = format!(
                r#"{{"clientId":"c1","redirectUri":"https://app.example/cb","authorizationEndpoint":"https://as.example/a?tenant=7","tokenEndpoint":"https://as.example/t","issuer":"https://as.example"{extra}}}"#
            );
            let login = crate::protocol::config::Config::parse(&text)
                .and_then(|config| config.resolve(ORIGIN));
            PendingLogin::new(login.expect("a login"), &entropy(), 1000).expect("entropy")
        }

        #[test]
        fn a_nonce_is_sent_with_openid_only_and_is_the_same_after_the_redirect() {
            assert_eq!(value(&pending("").authorization_url(), "nonce"), None);
            let login = pending(OPENID);
            let nonce = value(&login.authorization_url(), "nonce").expect("a nonce");
            assert_eq!(nonce.len(), 43);
            let state = login.state().expose().to_string();
            let back = PendingLogin::from_record(&state, &login.to_record(), ORIGIN);
            let about = back.expect("the record").about();
            assert!(matches!(about, Some(About::Login { nonce: kept }) if kept == nonce));
        }

        #[test]
        fn resources_details_and_the_key_are_named() {
            let mut login = pending(
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
            assert!(pending(OPENID).pushed().is_none());
            let fields = r#","pushedAuthorizationRequest":true,"pushedAuthorizationRequestEndpoint":"https://as.example/par""#;
            let login = pending(&[OPENID, fields].concat());
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
    }
}
