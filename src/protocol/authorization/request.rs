//! The authorization request (RFC 6749 sections 4.1.1 and 4.2.1), in the address or pushed before (RFC 9126).

use alloc::string::String;

use super::super::client::ResponseType;
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
    pub(super) fn endpoint(&self) -> String {
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
    pub(super) fn request(&self) -> String {
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
        self.add_optional(&mut request);
        request
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
}
