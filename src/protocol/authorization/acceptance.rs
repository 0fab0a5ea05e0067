//! How a response is judged: `state`, then `iss`, then `error`, then `code`, in that order (RFC 6749 sections 4.1.2 and 4.2.2,
//! RFC 9207 section 2.4).

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::string::String;

use super::super::Seconds;
use super::super::client::{Client, ResponseType};
use super::super::error::{Error, ErrorCode, ServerError, redact};
use super::super::json::Json;
use super::super::openid::{About, Channel};
use super::super::secret::AuthorizationCode;
use super::super::token::{Grant, TokenRequest, Tokens};
use super::{AuthorizationResponse, PendingLogin};

/// What an accepted response leads to.
#[derive(Debug)]
pub enum Accepted {
    /// The code flow: ask the token endpoint.
    Exchange(TokenRequest),
    /// The implicit flow: here they are.
    Tokens(Tokens),
}

impl PendingLogin {
    /// Whether a response at this address is meant for this login's client.
    pub fn expects(&self, response: &AuthorizationResponse) -> bool {
        response.is_at(self.login.redirect_uri())
    }

    /// Judges the response: state, then iss, then error, then code (or token). Both are consumed.
    pub fn accept(
        self,
        mut response: Box<AuthorizationResponse>,
        now: Seconds,
        elapsed: Seconds,
    ) -> Result<(Rc<Client>, Accepted), Error> {
        if response.state.expose() != self.state.expose() {
            return Err(ErrorCode::StateMismatch.error());
        }
        if self.is_expired(now) {
            return Err(ErrorCode::LoginExpired.error());
        }
        if !self.expects(&response) {
            return Err(ErrorCode::RedirectUriMismatch.error());
        }
        if response.is_mangled {
            return Err(invalid(
                "a router or a script has changed the address before handleRedirect has read it",
            ));
        }
        if response.repeated {
            return Err(ErrorCode::DuplicateParameter.error());
        }
        match (self.login.issuer(), response.one("iss")) {
            (Some(want), Some(iss)) if want != iss => return Err(ErrorCode::IssuerMismatch.error()),
            // An ID Token says it as well, and is checked (RFC 9207 section 2.4).
            (_, None) if self.login.iss_required() && !self.is_named_by(&response) => {
                let error = ErrorCode::IssuerMissing.error();
                return Err(match response.one("error") {
                    Some(said) => error.with(self.said(said, &response)),
                    None => error,
                });
            }
            _ => {}
        }
        if response.json.is_some() {
            let understood = self.login.json_fragment() && response.unfold().is_some();
            if !understood {
                return Err(invalid("its fragment is JSON, or broken JSON"));
            }
        }
        if let Some(error) = response.one("error") {
            return Err(self.refused(error, &response));
        }
        let accepted = match self.login.response_type() {
            ResponseType::Code => Accepted::Exchange(self.exchange(&response)?),
            _ => Accepted::Tokens(self.tokens(&mut response, elapsed)?),
        };
        Ok((self.login, accepted))
    }

    fn refused(&self, error: &str, response: &AuthorizationResponse) -> Error {
        if response.one("code").is_some() || response.one("access_token").is_some() {
            return invalid("it has both an error and a grant");
        }
        let refused = match error {
            "access_denied" => ErrorCode::AccessDenied.error(),
            "login_required" => ErrorCode::LoginRequired.error(),
            "interaction_required" | "consent_required" | "account_selection_required" => {
                ErrorCode::InteractionRequired.error()
            }
            _ => ErrorCode::AuthorizationError.error(),
        };
        let said = self.said(error, response);
        self.login.explained(refused.with(said))
    }

    /// The server's own words, or whoever's they are.
    fn said(&self, error: &str, response: &AuthorizationResponse) -> ServerError {
        let secrets = [self.state.expose(), self.code_verifier.expose()];
        let text = |name| response.one(name).map(|text| redact(text, &secrets));
        ServerError {
            error: Some(redact(error, &secrets)),
            error_description: text("error_description"),
            error_uri: text("error_uri"),
            status: None,
        }
    }

    /// Whether it is the ID Token that says who answers.
    fn is_named_by(&self, response: &AuthorizationResponse) -> bool {
        let one = |name| response.one(name).is_some();
        self.login.response_type() == ResponseType::IdTokenToken && one("id_token") && !one("iss")
    }

    fn exchange(&self, response: &AuthorizationResponse) -> Result<TokenRequest, Error> {
        if response.one("access_token").is_some() {
            return Err(invalid("it has an access_token, and a code was asked for"));
        }
        let code = response.one("code").filter(|code| !code.is_empty());
        let code = code.ok_or_else(|| invalid("it has neither code nor error"))?;
        let request = TokenRequest::new(
            self.login.clone(),
            Grant::AuthorizationCode {
                code: AuthorizationCode::new(String::from(code)),
                code_verifier: self.code_verifier.clone(),
            },
        );
        Ok(request.about(self.about(), self.key.clone()))
    }

    /// Section 4.2.2: the token stands in the fragment, never in the query.
    fn tokens(&self, response: &mut AuthorizationResponse, now: Seconds) -> Result<Tokens, Error> {
        if response.one("code").is_some() {
            return Err(invalid("it has a code, and a token was asked for"));
        }
        let fragment = response.parameters.split_off(response.in_query);
        if response.one("access_token").is_some() {
            return Err(invalid("access_token stands in the query"));
        }
        if response.one("id_token").is_some() {
            return Err(invalid("id_token stands in the query"));
        }
        let mut members = Json::Object(fragment);
        members.take("refresh_token");
        let id_token = members.take("id_token");
        let tokens = Tokens::granted(&mut members, &self.login, now);
        tokens?.came_with(id_token, Channel::Indirect, self.about())
    }

    pub(super) fn about(&self) -> Option<About> {
        About::login(&self.login, &self.code_verifier)
    }
}

fn invalid(rule: &str) -> Error {
    ErrorCode::InvalidAuthorizationResponse.at(rule)
}

#[cfg(test)]
mod tests {
    use super::super::super::form;
    use super::super::super::session::Session;
    use super::super::tests::{entropy, pending};
    use super::*;
    use std::{format, string::ToString};

    fn answer(extra: &str, url: &str) -> Result<Accepted, Error> {
        let pending = pending(extra);
        let url = url.replace("STATE", pending.state().expose());
        pending
            .accept(
                AuthorizationResponse::read(&url).expect("a response"),
                1010,
                10,
            )
            .map(|(_, accepted)| accepted)
    }

    fn refusal(extra: &str, url: &str) -> ErrorCode {
        answer(extra, url).expect_err(url).code
    }

    #[test]
    fn what_a_silent_login_would_have_to_ask_is_told_apart() {
        for (error, want) in [
            ("login_required", ErrorCode::LoginRequired),
            ("interaction_required", ErrorCode::InteractionRequired),
            ("consent_required", ErrorCode::InteractionRequired),
            ("account_selection_required", ErrorCode::InteractionRequired),
            ("access_denied", ErrorCode::AccessDenied),
            ("server_error", ErrorCode::AuthorizationError),
        ] {
            let url = format!("https://app.example/cb?state=STATE&error={error}");
            let refused = answer("", &url).expect_err(error);
            assert_eq!(refused.code, want);
            let server = refused.server.as_ref().expect("the server's words");
            assert_eq!(server.error.as_deref(), Some(error));
        }
    }

    #[test]
    fn a_code_in_query_or_fragment_leads_to_the_token_endpoint() {
        for url in [
            "https://app.example/cb?code=c&state=STATE",
            "https://app.example/cb?state=STATE&code=c&iss=https%3A%2F%2Fas.example&session_state=1",
            "https://app.example/cb#code=c&state=STATE",
            "https://app.example/cb?code=c&state=STATE#_=_",
        ] {
            let answered = answer("", url).expect(url);
            let Accepted::Exchange(request) = answered else {
                panic!("an exchange");
            };
            assert_eq!(
                &*request.body(),
                "grant_type=authorization_code&client_id=c%201&code=c\
                 &redirect_uri=https%3A%2F%2Fapp.example%2Fcb\
                 &code_verifier=ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8"
            );
        }
    }

    #[test]
    fn a_token_in_the_fragment_is_taken_with_the_state_in_either_place() {
        for url in [
            "https://app.example/cb#access_token=a&token_type=Bearer&expires_in=3600&state=STATE&user_id=7",
            "https://app.example/cb?state=STATE#access_token=a&token_type=bearer&expires_in=3600&user_id=7",
        ] {
            let answered = answer(r#","responseType":"token""#, url).expect(url);
            let Accepted::Tokens(tokens) = answered else {
                panic!("tokens");
            };
            assert_eq!(tokens.access_token().expose(), "a");
            assert_eq!(tokens.expires_at(), Some(3610));
            assert_eq!(tokens.extra().text(), r#"{"user_id":"7"}"#);
            assert_eq!(tokens.scope(), ["read", "write"]);
        }
    }

    fn encode(text: &str) -> String {
        let mut out = String::new();
        form::encode(text, &mut out);
        out
    }

    /// What came of a login by the response type `token` with these fields.
    fn implicit(extra: &str, fragment: &str) -> (Rc<Client>, Tokens) {
        let pending = pending(&format!(r#","responseType":"token"{extra}"#));
        let state = pending.state().expose();
        let url = format!("https://app.example/cb?state={state}#{fragment}");
        let response = AuthorizationResponse::read(&url).expect("a response");
        match pending.accept(response, 1010, 10) {
            Ok((login, Accepted::Tokens(tokens))) => (login, tokens),
            other => panic!("{fragment}: {other:?}"),
        }
    }

    /// As of the token endpoint: 0, less, and centuries mean for ever, and numbers may have an exponent.
    #[test]
    fn a_token_of_the_fragment_that_lives_for_decades_or_for_ever_is_a_session() {
        for (seconds, at) in [
            ("3600", Some(3610)),
            ("3.6e3", Some(3610)),
            ("36E2", Some(3610)),
            ("3.6e%2B3", Some(3610)),
            ("315360000", Some(315_360_010)),
            ("631138518", Some(631_138_528)),
            ("0.5", Some(10)),
            ("4294967285", Some(u32::MAX)),
            ("4294967286", None),
            ("9223372036854775", None),
            ("9223372036854775807", None),
            ("1e309", None),
            ("0", None),
            ("0.0", None),
            ("0e9", None),
            ("-1", None),
        ] {
            let form = format!("access_token=a&token_type=bearer&expires_in={seconds}");
            let json = encode(&format!(
                r#"{{"authorization_info":{{"access_token":"a","token_type":"bearer","expires_in":{}}}}}"#,
                seconds.replace("%2B", "+")
            ));
            for (extra, fragment) in [("", &form), (r#","jsonFragment":true"#, &json)] {
                let (login, tokens) = implicit(extra, fragment);
                assert_eq!(tokens.expires_at(), at, "{fragment}");
                let session = Session::new(login, tokens, 1_700_000_000, 10);
                let lives = session.living_token(10).is_some();
                assert_eq!(lives, at != Some(10), "{fragment}");
            }
        }
    }

    /// D7. The response type `token` has no ID Token, whatever the scope is (OpenID Connect Core section 3.2.2.5).
    #[test]
    fn a_login_by_token_with_openid_in_the_scope_ends_in_a_session() {
        let openid = r#","scope":["openid","read"]"#;
        for fragment in [
            "access_token=a&token_type=bearer&expires_in=3600",
            "access_token=a&token_type=bearer&expires_in=3600&scope=openid+read",
            // Nobody has asked for it: it is neither read nor shown.
            "access_token=a&token_type=bearer&expires_in=3600&id_token=e30.e30.AA",
        ] {
            let (login, tokens) = implicit(openid, fragment);
            assert_eq!(tokens.scope(), ["openid", "read"], "{fragment}");
            assert_eq!(tokens.extra().text(), "{}", "{fragment}");
            let session = Session::new(login, tokens, 1_700_000_000, 10);
            assert!(session.living_token(10).is_some(), "{fragment}");
        }
    }

    #[test]
    fn a_refresh_token_in_the_fragment_is_not_accepted() {
        let url =
            "https://app.example/cb#access_token=a&token_type=bearer&refresh_token=r&state=STATE";
        let answered = answer(r#","responseType":"token""#, url).expect("tokens");
        let Accepted::Tokens(tokens) = answered else {
            panic!("tokens");
        };
        assert!(!tokens.is_renewable());
        assert_eq!(tokens.extra().text(), "{}");
    }

    #[test]
    fn a_json_fragment_is_understood_only_where_that_was_asked_for() {
        let implicit = r#","responseType":"token","tokenTypeOptional":true"#;
        let asked = format!(r#"{implicit},"jsonFragment":true"#);
        let info = r#"{"client_id":1,"state":"AUTHORIZED","authorization_info":{"access_token":"a","expires_in":10800,"user_id":7,"scopes":["read","write"]},"domains":[]}"#;
        let cb = "https://app.example/cb?state=STATE#";
        for fragment in [
            info.to_string(),
            encode(info),
            encode(info).replacen("%7B", "%7b", 1),
        ] {
            let url = format!("{cb}{fragment}");
            assert_eq!(
                refusal(implicit, &url),
                ErrorCode::InvalidAuthorizationResponse
            );
            let Accepted::Tokens(tokens) = answer(&asked, &url).expect("tokens") else {
                panic!("tokens");
            };
            assert_eq!(tokens.access_token().expose(), "a");
            assert_eq!(tokens.expires_at(), Some(10 + 10800));
            assert_eq!(tokens.scope(), ["read", "write"]);
            assert_eq!(tokens.extra().text(), r#"{"user_id":7}"#);
            // A code was asked for: no token is taken.
            assert_eq!(
                refusal(r#","jsonFragment":true"#, &url),
                ErrorCode::InvalidAuthorizationResponse
            );
        }
        for (fragment, want) in [
            (r#"{"state":"NOT_AUTHORIZED"}"#, ErrorCode::AccessDenied),
            (r#"{"state":"UNKNOWN"}"#, ErrorCode::InvalidTokenResponse),
            (
                r#"{"authorization_info":{"expires_in":1}}"#,
                ErrorCode::InvalidTokenResponse,
            ),
            (
                r#"{"authorization_info":"a"}"#,
                ErrorCode::InvalidTokenResponse,
            ),
            (
                r#"{"authorization_info":{"access_token":"a","access_token":"b"}}"#,
                ErrorCode::InvalidAuthorizationResponse,
            ),
            (r#"{"state""#, ErrorCode::InvalidAuthorizationResponse),
            ("{", ErrorCode::InvalidAuthorizationResponse),
        ] {
            assert_eq!(
                refusal(&asked, &format!("{cb}{fragment}")),
                want,
                "{fragment}"
            );
        }
        // The provider's word is not our state, and without ours there is no answer of ours.
        let bare = format!("https://app.example/cb#{}", encode(info));
        assert!(AuthorizationResponse::read(&bare).is_none());
    }

    #[test]
    fn an_issuer_that_was_announced_must_be_named() {
        let announced = r#","issRequired":true"#;
        let url = "https://app.example/cb?code=c&state=STATE";
        assert_eq!(refusal(announced, url), ErrorCode::IssuerMissing);
        // Two servers name themselves in answers of success only: what they say stands beside the refusal.
        let url =
            "https://app.example/cb?error=login_required&error_description=who%3F&state=STATE";
        let error = answer(announced, url).expect_err("no iss");
        assert_eq!(error.code, ErrorCode::IssuerMissing);
        let server = error.server.as_ref().expect("the server's words");
        assert_eq!(server.error.as_deref(), Some("login_required"));
        assert_eq!(server.error_description.as_deref(), Some("who?"));
        let other = format!("{url}&iss=https%3A%2F%2Fevil.example");
        let error = answer(announced, &other).expect_err("another iss");
        assert_eq!(error.code, ErrorCode::IssuerMismatch);
        assert!(error.server.is_none(), "a stranger's words");
        let silent = r#","issRequired":false"#;
        assert_eq!(refusal(silent, url), ErrorCode::LoginRequired);
        let url = "https://app.example/cb?code=c&state=STATE";
        let named = format!("{url}&iss=https%3A%2F%2Fas.example");
        assert!(answer(announced, &named).is_ok());
    }

    #[test]
    fn a_missing_token_type_is_an_error_unless_the_provider_is_known_for_it() {
        let url = "https://app.example/cb#access_token=a&state=STATE";
        let implicit = r#","responseType":"token""#;
        assert_eq!(refusal(implicit, url), ErrorCode::InvalidTokenResponse);
        assert!(answer(&format!("{implicit},\"tokenTypeOptional\":true"), url).is_ok());
        let mac = "https://app.example/cb#access_token=a&token_type=mac&state=STATE";
        assert_eq!(
            refusal(&format!("{implicit},\"tokenTypeOptional\":true"), mac),
            ErrorCode::UnsupportedTokenType
        );
    }

    #[test]
    fn hostile_responses_are_refused_in_order_state_iss_error_code() {
        use ErrorCode::*;
        let cb = "https://app.example/cb";
        for (query, want) in [
            ("?code=c&state=other", StateMismatch),
            ("?error=access_denied&state=other", StateMismatch),
            ("?code=c&state=STATE&state=STATE", DuplicateParameter),
            ("?code=c&code=d&state=STATE", DuplicateParameter),
            ("?code=c&state=STATE#state=STATE", DuplicateParameter),
            (
                "?code=c&state=STATE&iss=https%3A%2F%2Fas.example%2F",
                IssuerMismatch,
            ),
            (
                "?error=x&state=STATE&iss=https%3A%2F%2Fevil.example",
                IssuerMismatch,
            ),
            ("?error=access_denied&state=STATE", AccessDenied),
            ("?error=server_error&state=STATE", AuthorizationError),
            ("?error=made_up&state=STATE", AuthorizationError),
            ("?error=x&code=c&state=STATE", InvalidAuthorizationResponse),
            (
                "?error=x&state=STATE#access_token=a",
                InvalidAuthorizationResponse,
            ),
            ("?code=&state=STATE", InvalidAuthorizationResponse),
            (
                "?code=c&state=STATE#access_token=a",
                InvalidAuthorizationResponse,
            ),
            (
                "#access_token=a&token_type=bearer&state=STATE",
                InvalidAuthorizationResponse,
            ),
        ] {
            assert_eq!(refusal("", &format!("{cb}{query}")), want, "{query}");
        }
        let implicit = r#","responseType":"token""#;
        for (query, want) in [
            (
                "?access_token=a&token_type=bearer&state=STATE",
                InvalidAuthorizationResponse,
            ),
            ("?code=c&state=STATE", InvalidAuthorizationResponse),
            (
                "#access_token=a&code=c&token_type=bearer&state=STATE",
                InvalidAuthorizationResponse,
            ),
            (
                "?access_token=a&state=STATE#access_token=b&token_type=bearer",
                DuplicateParameter,
            ),
            (
                "#access_token=a&error=x&state=STATE",
                InvalidAuthorizationResponse,
            ),
            (
                "#access_token=&token_type=bearer&state=STATE",
                InvalidTokenResponse,
            ),
            (
                "#access_token=a&token_type=bearer&expires_in=soon&state=STATE",
                InvalidTokenResponse,
            ),
            (
                "#access_token=a&token_type=bearer&refresh_token=r&refresh_token=s&state=STATE",
                DuplicateParameter,
            ),
        ] {
            assert_eq!(refusal(implicit, &format!("{cb}{query}")), want, "{query}");
        }
    }

    #[test]
    fn one_unreadable_parameter_does_not_hide_the_answer() {
        let url =
            "https://app.example/cb?error=access_denied&error_description=cancel%F3&state=STATE";
        assert_eq!(refusal("", url), ErrorCode::AccessDenied);
        assert!(answer("", "https://app.example/cb?discount=50%&code=c&state=STATE").is_ok());
    }

    #[test]
    fn a_response_to_another_login_is_refused_even_when_it_is_an_error() {
        assert_eq!(
            refusal(
                "",
                "https://app.example/cb?error=access_denied&state=ow1xother"
            ),
            ErrorCode::StateMismatch
        );
    }

    #[test]
    fn a_response_at_another_address_is_refused() {
        for url in [
            "https://app.example/other?code=c&state=STATE",
            "https://evil.example/cb?code=c&state=STATE",
            "https://app.example/cb/?code=c&state=STATE",
        ] {
            assert_eq!(refusal("", url), ErrorCode::RedirectUriMismatch);
        }
        let own = "https://app.example/?page=cb";
        let at = |query: &str| {
            let mut client = (*pending("").login).clone();
            client.redirect_uri = own.to_string();
            let login = Rc::new(client);
            let pending = PendingLogin::new(login, &entropy(), 1000).expect("entropy");
            let url = format!(
                "https://app.example/{query}&code=c&state={}",
                pending.state().expose()
            );
            pending
                .accept(
                    AuthorizationResponse::read(&url).expect("a response"),
                    1000,
                    0,
                )
                .is_ok()
        };
        assert!(at("?page=cb"));
        assert!(
            at("?page=cb&tag=a&tag=b"),
            "the application's own may be repeated"
        );
        assert!(!at("?page=other"));
    }

    #[test]
    fn a_login_older_than_its_age_is_refused() {
        let pending_at = |now| {
            let pending = pending("");
            let url = format!(
                "https://app.example/cb?code=c&state={}",
                pending.state().expose()
            );
            pending
                .accept(
                    AuthorizationResponse::read(&url).expect("a response"),
                    now,
                    0,
                )
                .map(|_| ())
                .map_err(|error| error.code)
        };
        assert_eq!(pending_at(1600), Ok(()));
        assert_eq!(pending_at(1601), Err(ErrorCode::LoginExpired));
    }

    #[test]
    fn a_response_that_a_router_has_mangled_says_so() {
        for url in [
            "https://app.example/cb#/access_token=a&token_type=bearer&state=STATE",
            "https://app.example/cb#/?code=c&state=STATE",
            "https://app.example/cb#/cb?state=STATE&code=c",
            "https://app.example/cb?/state=STATE&code=c",
        ] {
            let error = answer("", url).expect_err(url);
            assert_eq!(error.code, ErrorCode::InvalidAuthorizationResponse);
            assert!(error.detail.starts_with("a router or a script"), "{url}");
        }
    }

    #[test]
    fn the_servers_words_survive_without_our_state() {
        let pending = pending("");
        let state = pending.state().expose().to_string();
        let url = format!(
            "https://app.example/cb?error=temporarily_unavailable&error_description=login+{state}+lost&state={state}"
        );
        let error = pending
            .accept(
                AuthorizationResponse::read(&url).expect("a response"),
                1000,
                0,
            )
            .expect_err("an error");
        let json = error.to_json();
        assert!(
            json.contains(
                r#""error":"temporarily_unavailable","errorDescription":"login (..) lost""#
            )
        );
        assert!(!json.contains(&state));
    }
}
