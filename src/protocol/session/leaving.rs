//! Leaving: tokens given up (RFC 7009), a grant taken back by the provider's own API, the provider's own session ended
//! (OpenID Connect RP-Initiated Logout 1.0).

use alloc::string::String;
use zeroize::Zeroizing;

use super::super::error::{Error, ErrorCode, wrong};
use super::super::json::Json;
use super::super::resource::{covers, undeclared};
use super::super::{Seconds, form, refusal, text, url};
use super::permission::refused;
use super::{Access, Session};

/// A request that gives a token or a grant back.
pub struct Revocation {
    pub method: String,
    pub url: String,
    /// Empty where there is none.
    pub form: Zeroizing<String>,
    /// Of the access token; empty where the form has the token. A bound one needs a proof beside it (RFC 9449 section 7).
    pub authorization: Zeroizing<String>,
    /// The header for a relay that keeps the refresh token.
    pub relay: Option<(&'static str, String)>,
}

impl Session {
    /// Whether its access token must be renewed before it can take the grant back. A refresh token that may be spent is
    /// not sent for that.
    pub fn renews_to_revoke(&self, now: Seconds) -> bool {
        let wanted = self.login.revocation_request().is_some() && !self.was_sent();
        wanted && matches!(self.access(now), Access::Renew)
    }

    /// Whether there is nothing to take the grant back with: what was only kept has no access token.
    pub fn lacks_token_to_revoke(&self) -> bool {
        self.login.revocation_request().is_some() && !self.has_token()
    }

    /// What takes the grant back at the provider.
    pub fn revocation(&self) -> Result<Revocation, Error> {
        let Some(request) = self.login.revocation_request() else {
            return self.revocation_at_endpoint();
        };
        let url = self.filled(&request.url)?;
        url::check("revocationRequest", &url, false)?;
        let mut servers = self.login.resource_servers().iter();
        if !servers.any(|server| covers(server, &url).is_some()) {
            return Err(undeclared(&url, self.login.resource_servers().iter()));
        }
        Ok(Revocation {
            method: request.method.clone(),
            url,
            form: Zeroizing::new(String::new()),
            authorization: self.authorization_header(self.tokens.access_token()),
            relay: None,
        })
    }

    /// What a relay that keeps the refresh token has to be told besides, so that its cookie goes; `None` where there is no
    /// relay, or where `revocation` tells it and is sent.
    pub fn farewell(&self, revokes: bool) -> Option<Result<Revocation, Error>> {
        self.login.relay()?;
        let is_told = revokes && self.login.revocation_request().is_none();
        (!is_told).then(|| self.revocation_at_endpoint())
    }

    /// A token given up at the endpoint for that (RFC 7009 section 2.1).
    fn revocation_at_endpoint(&self) -> Result<Revocation, Error> {
        let Some(endpoint) = self.login.revocation_endpoint() else {
            return Err(wrong("revocationEndpoint", "is missing"));
        };
        let mut form = Zeroizing::new(String::new());
        let (hint, token) = match self.tokens.refresh_token() {
            Some(refresh) => ("refresh_token", refresh.expose()),
            None => ("access_token", self.tokens.access_token().expose()),
        };
        form.reserve(256 + 3 * (token.len() + self.login.client_id().len()));
        form::append(&mut form, "token", token);
        form::append(&mut form, "token_type_hint", hint);
        form::append(&mut form, "client_id", self.login.client_id());
        Ok(Revocation {
            method: String::from("POST"),
            url: String::from(endpoint),
            form,
            authorization: Zeroizing::new(String::new()),
            relay: self.login.relay(),
        })
    }

    /// Where to send the user to be logged out of the provider too (OpenID Connect RP-Initiated Logout 1.0 section 2),
    /// and from there back to `post_logout_redirect_uri`, which has to be registered.
    pub fn end_session_url(&self, post_logout_redirect_uri: &str) -> Result<String, Error> {
        let Some(endpoint) = self.login.end_session_endpoint() else {
            return Err(wrong("endSessionEndpoint", "is missing"));
        };
        let mut url = String::from(endpoint);
        url.push(if text::contains(endpoint, "?") {
            '&'
        } else {
            '?'
        });
        form::append(&mut url, "client_id", self.login.client_id());
        if let Some(hint) = self.tokens.id_token_hint() {
            form::append(&mut url, "id_token_hint", hint.expose());
        }
        if !post_logout_redirect_uri.is_empty() {
            self.check_return(post_logout_redirect_uri)?;
            form::append(
                &mut url,
                "post_logout_redirect_uri",
                post_logout_redirect_uri,
            );
        }
        Ok(url)
    }

    /// Checks where the user is to come back to from there, should it be said: whatever a login may come back to.
    pub fn check_return(&self, post_logout_redirect_uri: &str) -> Result<(), Error> {
        match post_logout_redirect_uri {
            "" => Ok(()),
            uri => url::check_redirect_uri("postLogoutRedirectUri", uri, self.login.allow_http),
        }
    }

    /// Reads the answer to the [`revocation`](Session::revocation) (RFC 7009 section 2.2).
    pub fn revoked(&self, status: u16, body: &[u8]) -> Result<(), Error> {
        if status < 300 {
            return Ok(());
        }
        let server = refusal::said(status, body, Json::parse(body).as_ref(), &self.secrets());
        let field = match self.login.revocation_request() {
            Some(_) => "revocationRequest",
            None => "revocationEndpoint",
        };
        let mut error = refused(status, field);
        if status == 401 && server.error.is_none() {
            error = error.cured_by(
                "Ask the provider whether an application without a client secret may revoke tokens",
            );
        }
        Err(self.login.explained(error.with(server)))
    }

    /// The template with `{client_id}`, and whatever the token response has, filled in.
    fn filled(&self, template: &str) -> Result<String, Error> {
        let mut out = String::new();
        let mut rest = template;
        while let Some((before, after)) = text::cut(rest, "{") {
            let (name, after) = text::cut(after, "}").unwrap_or((after, ""));
            out.push_str(before);
            let value = match self.tokens.extra().get(name) {
                _ if name == "client_id" => self.login.client_id(),
                Some(Json::String(text) | Json::Number(text)) => text,
                _ => "",
            };
            if value.is_empty() {
                let detail = text::concat(&["revocationRequest: the session has no ", name]);
                return Err(ErrorCode::InvalidRequest.at(&detail));
            }
            form::encode(value, &mut out);
            rest = after;
        }
        out.push_str(rest);
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::config::Config;
    use super::super::super::token::Tokens;
    use super::super::tests::{API, session, with};
    use super::*;
    use std::{format, string::ToString};

    #[test]
    fn a_logout_comes_back_to_wherever_a_login_may() {
        let url = |fields: &str, back: &str| {
            let config = format!(
                r#"{{"clientId":"1","redirectUri":"myapp://auth/cb","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t","endSessionEndpoint":"https://as.example/end?x=1"{fields}}}"#
            );
            let client = Config::parse(&config).and_then(|config| config.resolve(""));
            let tokens = Tokens::adopt("a".into(), &[]).expect("a token");
            Session::new(client.expect("a client"), tokens, 0, 0).end_session_url(back)
        };
        let lan = r#","allowHttp":true"#;
        for (fields, back) in [
            ("", "myapp://auth/out"),
            ("", "com.example.app:/out"),
            ("", "https://app.example/out?x=1"),
            ("", "http://127.0.0.1:1/out"),
            (lan, "http://192.168.0.7/out"),
        ] {
            let url = url(fields, back).expect(back);
            let mut want =
                String::from("https://as.example/end?x=1&client_id=1&post_logout_redirect_uri=");
            form::encode(back, &mut want);
            assert_eq!(url, want);
        }
        for back in [
            "http://192.168.0.7/out",
            "https://app.example/out#x",
            "myapp://auth/out#x",
            "javascript:alert(1)",
            "javascript:/alert(1)",
            "/out",
        ] {
            let error = url("", back).expect_err(back);
            assert!(error.detail.starts_with("postLogoutRedirectUri: must "));
        }
    }

    #[test]
    fn a_grant_is_given_back_as_the_provider_wants_it() {
        let endpoint = with(
            r#","revocationEndpoint":"https://as.example/revoke""#,
            API,
            r#","refresh_token":"r""#,
        );
        let revocation = endpoint.revocation().expect("a request");
        assert_eq!(
            (&*revocation.method, &*revocation.url),
            ("POST", "https://as.example/revoke")
        );
        assert_eq!(
            &*revocation.form,
            "token=r&token_type_hint=refresh_token&client_id=1"
        );
        assert!(revocation.authorization.is_empty());

        let request = |url: &str| {
            let fields = format!(r#","revocationRequest":{{"method":"DELETE","url":"{url}"}}"#);
            with(&fields, API, r#","user_id":7,"odd":"../x""#).revocation()
        };
        let revocation = request("https://api.example/users/{user_id}/applications/{client_id}");
        let revocation = revocation.expect("a request");
        assert_eq!(revocation.url, "https://api.example/users/7/applications/1");
        assert_eq!(&*revocation.authorization, "Bearer a1");
        assert!(revocation.form.is_empty());
        let odd = request("https://api.example/{odd}").expect("a request");
        assert_eq!(odd.url, "https://api.example/..%2Fx");
        let missing = request("https://api.example/{missing}").map(drop);
        assert_eq!(
            missing.expect_err("no such member").detail,
            "revocationRequest: the session has no missing"
        );
        for hostile in [
            "https://evil.example/{user_id}",
            "https://api.example/a/../{user_id}",
            "http://api.example/",
            "/users",
        ] {
            assert!(request(hostile).is_err(), "{hostile}");
        }
        assert!(session("1", API, "").revocation().is_err());
    }

    #[test]
    fn a_revocation_that_is_refused_without_a_word_names_the_endpoint() {
        let fields = r#","revocationEndpoint":"https://as.example/r""#;
        let session = with(fields, API, "");
        assert_eq!(session.revoked(200, b""), Ok(()));
        let error = session.revoked(401, b"").expect_err("refused");
        assert_eq!(error.code, ErrorCode::RequestRefused);
        assert!(error.message().ends_with(": revocationEndpoint"), "{error}");
        assert!(
            !error.remedy().contains("errorDescription"),
            "there is none"
        );
        let said = session.revoked(400, br#"{"error":"unsupported_token_type"}"#);
        assert!(
            said.expect_err("refused")
                .remedy()
                .contains("errorDescription")
        );
    }

    #[test]
    fn a_revocation_is_allocated_once_and_leaves_no_copy_behind() {
        let refresh = "%".repeat(1000);
        let members = format!(r#","expires_in":100,"refresh_token":"{refresh}""#);
        let fields = r#","revocationEndpoint":"https://as.example/r""#;
        let revocation = with(fields, API, &members).revocation().expect("a request");
        assert_eq!(revocation.form.capacity(), 256 + 3 * (1000 + 1));
        assert!(revocation.form.len() > 3000 && revocation.authorization.is_empty());
    }

    #[test]
    fn a_user_is_sent_to_the_provider_to_end_the_session_there() {
        let fields = r#","endSessionEndpoint":"https://as.example/end?x=1""#;
        let session = with(fields, API, "");
        let url = |back: &str| {
            session
                .end_session_url(back)
                .map_err(|error| error.detail.clone())
        };
        let end = "https://as.example/end?x=1&client_id=1";
        assert_eq!(url(""), Ok(end.to_string()));
        let back = format!("{end}&post_logout_redirect_uri=https%3A%2F%2Fapp.example%2Fbye");
        assert_eq!(url("https://app.example/bye"), Ok(back));
        assert!(url("javascript:alert(1)").is_err() && url("//evil.example").is_err());
        let none = self::session("1", API, "").end_session_url("");
        assert_eq!(
            none.expect_err("nowhere").detail,
            "endSessionEndpoint: is missing"
        );
    }
}
