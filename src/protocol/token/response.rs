//! The successful response of the token endpoint (RFC 6749 section 5.1).

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use zeroize::Zeroizing;

use super::super::client::Client;
use super::super::error::{Error, ErrorCode};
use super::super::json::{self, Json};
use super::super::secret::{AccessToken, RefreshToken, Spent};
use super::super::shown::{self, Names};
use super::super::{Seconds, text};
use super::{Grant, MARGIN, TokenRequest, Tokens, identity, is_b64token};

/// Scopes of a grant that are taken note of: the longest list in use has about a hundred.
const MAX_SCOPES: usize = 1024;

/// Members of a response that are the protocol's; the others are the provider's own.
const PROTOCOL_MEMBERS: &[&str] = &[
    "token_type",
    "expires_in",
    "scope",
    "state",
    "iss",
    "session_state",
];

/// An answer as the network gave it.
pub struct HttpResponse {
    pub status: u16,
    pub content_type: String,
    /// `Retry-After`, in seconds from now.
    pub retry_after: Option<Seconds>,
    /// At most [`MAX_BODY`](super::MAX_BODY) bytes; wiped when dropped.
    pub body: Zeroizing<Vec<u8>>,
}

impl TokenRequest {
    /// Reads the answer (sections 5.1 and 5.2). `now` is a monotonic time in seconds.
    pub fn read(self, response: HttpResponse, now: Seconds) -> Result<Tokens, Error> {
        // A refusal carries no token, and is read whatever it says of its own type.
        let mut members = Json::parse(&response.body);
        // Frameworks that answer each POST with 201 are told otherwise by few of their users.
        if matches!(response.status, 200 | 201)
            && is_json(&response.content_type)
            && let Some(members @ Json::Object(_)) = &mut members
            && members.get("error").is_none()
        {
            let tokens = self.tokens(members, now);
            let mut tokens = match tokens {
                Ok(tokens) => tokens,
                Err(error) => {
                    members.wipe();
                    return Err(self.unanswered(error));
                }
            };
            let mut spent = Vec::new();
            match self.grant {
                Grant::RefreshToken(token) if tokens.refresh_token.is_none() => {
                    tokens.refresh_token = Some(token);
                }
                grant => {
                    let (first, second) = grant.secrets();
                    spent.push(Spent::new(String::from(first)));
                    spent.push(Spent::new(String::from(second)));
                }
            }
            tokens.after(spent);
            return Ok(tokens);
        }
        let error = self.refused(&response, members.as_ref());
        members.iter_mut().for_each(Json::wipe);
        Err(error)
    }
}

impl Tokens {
    /// Reads what this client was granted. Where the provider is known to leave `token_type` out, its tokens are bearer
    /// tokens.
    pub fn granted(members: &mut Json, login: &Client, now: Seconds) -> Result<Tokens, Error> {
        if login.token_type_optional() {
            let bearer = Json::String(String::from("Bearer"));
            members.fill(Json::Object(vec![(String::from("token_type"), bearer)]));
        }
        Tokens::read(members, login.scope(), login.extra_members(), now)
    }

    /// Reads the members of section 5.1 and takes the tokens out of `members`; the rest is the provider's own.
    /// `extra_members`: names of them that mean no secret though they sound so.
    pub fn read(
        members: &mut Json,
        requested_scope: &[String],
        extra_members: &[String],
        now: Seconds,
    ) -> Result<Tokens, Error> {
        let invalid = |rule| ErrorCode::InvalidTokenResponse.at(rule);
        let access_token = match members.take("access_token") {
            Some(Json::String(token)) => AccessToken::new(token),
            _ => return Err(invalid("access_token: is missing")),
        };
        if !is_b64token(access_token.expose()) {
            return Err(invalid("access_token: is empty, or no header can carry it"));
        }
        let refresh_token = match members.take("refresh_token") {
            None => None,
            Some(Json::String(token)) => Some(RefreshToken::new(token)),
            Some(_) => return Err(invalid("refresh_token: must be a string")),
        };
        let token_type = members.str("token_type");
        let token_type = token_type.ok_or_else(|| {
            invalid("token_type: is missing").cured_by(
                "Set tokenTypeOptional if the provider leaves token_type out of bearer tokens",
            )
        })?;
        if !token_type.eq_ignore_ascii_case("bearer") {
            return Err(ErrorCode::UnsupportedTokenType.error());
        }
        let expires_in = match members.get("expires_in") {
            None => None,
            Some(Json::Number(text) | Json::String(text)) => {
                lifetime(text).ok_or_else(|| invalid("expires_in: must be seconds"))?
            }
            Some(_) => return Err(invalid("expires_in: must be a number")),
        };
        let granted = match members.get("scope") {
            None => Some(Vec::new()),
            Some(scope) => granted_scope(scope),
        };
        let granted = granted.ok_or_else(|| invalid("scope: must be a string"))?;
        for name in PROTOCOL_MEMBERS {
            members.take(name);
        }
        shown::hide(members, Names::But(extra_members), &[]);
        members.keep_exact();
        let mut tokens = Tokens {
            access_token,
            refresh_token: refresh_token.filter(|token| !token.expose().is_empty()),
            expires_at: expires_in.and_then(|seconds| now.checked_add(seconds)),
            margin: MARGIN.min(expires_in.unwrap_or(0) / 2),
            scope: match granted.is_empty() {
                true => requested_scope.to_vec(),
                false => granted,
            },
            extra: core::mem::replace(members, Json::Null),
            spent: Vec::new(),
            identity: identity::Identity::default(),
        };
        tokens.hide();
        Ok(tokens)
    }
}

/// `expires_in`: `Some(None)` where it sets no end. Servers whose tokens last for ever write 0, less than 0, or centuries;
/// what is none of these, a 401 will say. `None`: it is no number.
fn lifetime(text: &str) -> Option<Option<Seconds>> {
    let seconds = json::whole(text.strip_prefix("-").unwrap_or(text))?;
    // Half a second is over at once, and not for ever.
    let mut mantissa = text.bytes().take_while(|b| !matches!(b, b'e' | b'E'));
    let is_positive = mantissa.any(|b| matches!(b, b'1'..=b'9')) && !text.starts_with("-");
    Some(seconds.try_into().ok().filter(|_| is_positive))
}

/// `scope` of a response (section 5.1): a text; some servers write a list.
fn granted_scope(scope: &Json) -> Option<Vec<String>> {
    let texts = match scope {
        Json::String(_) => core::slice::from_ref(scope),
        Json::Array(items) => items,
        _ => return None,
    };
    let mut granted = Vec::new();
    for text in texts {
        let mut rest = text.as_str()?;
        while !rest.is_empty() && granted.len() < MAX_SCOPES {
            let (item, after) = text::cut(rest, " ").unwrap_or((rest, ""));
            if !item.is_empty() {
                granted.push(String::from(item));
            }
            rest = after;
        }
    }
    Some(granted)
}

/// `application/json` or `application/*+json`, with whatever parameters.
pub(super) fn is_json(content_type: &str) -> bool {
    let essence = text::cut(content_type, ";").map_or(content_type, |(essence, _)| essence);
    let essence = essence.trim_ascii().to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use super::super::super::secret::{AuthorizationCode, CodeVerifier};
    use super::super::tests::{answer, code, read, with};
    use super::*;
    use std::{format, string::ToString};

    /// The example of RFC 6749 section 5.1, and that of Mercado Libre's documents.
    #[test]
    fn rfc6749_section_5_1() {
        let tokens = read(
            200,
            "application/json;charset=UTF-8",
            r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"Bearer","expires_in":3600,
                "refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA","example_parameter":"example_value"}"#,
        )
        .expect("tokens");
        assert_eq!(tokens.access_token().expose(), "2YotnFZFEjr1zCsicMWpAA");
        assert_eq!(tokens.expires_at(), Some(3700));
        assert_eq!(tokens.scope(), ["read"]);
        assert_eq!(
            tokens.extra().text(),
            r#"{"example_parameter":"example_value"}"#
        );
    }

    #[test]
    fn legal_variants_of_a_renewal_are_understood() {
        let ok = |members: &str| {
            let body = format!(r#"{{"access_token":"at","token_type":"bearer"{members}}}"#);
            read(200, "application/json", &body).expect(members)
        };
        for members in ["", r#","refresh_token":null"#, r#","refresh_token":"""#] {
            let tokens = ok(members);
            let kept = tokens.refresh_token().expect("the old one is kept");
            assert_eq!(kept.expose(), "TG-old");
        }
        assert_eq!(ok(r#","scope":"""#).scope(), ["read"]);
        assert_eq!(ok(r#","scope":"a b""#).scope(), ["a", "b"]);
        assert_eq!(ok(r#","expires_in":"3600""#).expires_at(), Some(3700));
        assert_eq!(ok(r#","expires_in":3600.0"#).expires_at(), Some(3700));
        assert_eq!(ok(r#","expires_in":null"#).expires_at(), None);
        assert_eq!(ok(r#","id_token":"x.y.z""#).extra().text(), "{}");
        let nested = r#","id":1,"authed_user":{"access_token":"a","id":"U1"},"list":[{"device_secret":"b"}],"x_token":"c""#;
        assert_eq!(
            ok(nested).extra().text(),
            r#"{"id":1,"authed_user":{"id":"U1"},"list":[{}]}"#
        );
        let body = r#"{"access_token":"a","token_type":"BEARER"}"#;
        assert!(read(200, "Application/Vnd.x+JSON", body).is_ok());
    }

    /// As NestJS has it by default.
    #[test]
    fn tokens_that_were_created_are_tokens() {
        let body = r#"{"access_token":"at","token_type":"bearer","refresh_token":"next"}"#;
        for tokens in [
            code(201, "application/json", body),
            read(201, "application/json", body),
        ] {
            let tokens = tokens.expect("tokens");
            assert_eq!(tokens.refresh_token().expect("one").expose(), "next");
        }
        let refused = read(201, "application/json", r#"{"error":"invalid_grant"}"#);
        let error = refused.expect_err("refused");
        assert_eq!(error.code, ErrorCode::SessionEnded);
    }

    #[test]
    fn hostile_answers_are_refused() {
        use ErrorCode::*;
        let json = "application/json";
        let deep = format!("{{\"a\":{}", "[".repeat(100_000));
        for (status, content_type, body, want) in [
            (200, json, "", InvalidTokenResponse),
            (200, json, "{", InvalidTokenResponse),
            (200, json, "null", InvalidTokenResponse),
            (200, json, "[]", InvalidTokenResponse),
            (200, json, deep.as_str(), InvalidTokenResponse),
            (200, json, "{}", InvalidTokenResponse),
            (200, json, r#"{"access_token":"a"}"#, InvalidTokenResponse),
            (
                200,
                json,
                r#"{"token_type":"bearer"}"#,
                InvalidTokenResponse,
            ),
            (
                200,
                json,
                r#"{"access_token":"","token_type":"bearer"}"#,
                InvalidTokenResponse,
            ),
            (
                200,
                json,
                r#"{"access_token":"a\r\nX: y","token_type":"bearer"}"#,
                InvalidTokenResponse,
            ),
            (
                200,
                json,
                r#"{"access_token":5,"token_type":"bearer"}"#,
                InvalidTokenResponse,
            ),
            (
                200,
                json,
                r#"{"access_token":"a","token_type":"mac"}"#,
                UnsupportedTokenType,
            ),
            (
                200,
                json,
                r#"{"access_token":"a","token_type":"bearer","access_token":"b"}"#,
                InvalidTokenResponse,
            ),
            (
                200,
                json,
                r#"{"access_token":"a","token_type":"bearer","expires_in":true}"#,
                InvalidTokenResponse,
            ),
            (
                200,
                json,
                r#"{"access_token":"a","token_type":"bearer","expires_in":"soon"}"#,
                InvalidTokenResponse,
            ),
            (
                200,
                json,
                r#"{"access_token":"a","token_type":"bearer","scope":["a",1]}"#,
                InvalidTokenResponse,
            ),
            (
                200,
                json,
                r#"{"access_token":"a","token_type":"bearer","scope":{"a":1}}"#,
                InvalidTokenResponse,
            ),
            (
                200,
                json,
                r#"{"access_token":"a","token_type":"bearer","refresh_token":7}"#,
                InvalidTokenResponse,
            ),
            (
                200,
                json,
                r#"{"error":"invalid_grant","access_token":"a","token_type":"bearer"}"#,
                TokenRequestRefused,
            ),
            (
                202,
                json,
                r#"{"access_token":"a","token_type":"bearer"}"#,
                InvalidTokenResponse,
            ),
            (
                206,
                json,
                r#"{"access_token":"a","token_type":"bearer"}"#,
                InvalidTokenResponse,
            ),
            (200, "text/html", "<html>", InvalidTokenResponse),
            (
                200,
                "",
                r#"{"access_token":"a","token_type":"bearer"}"#,
                InvalidTokenResponse,
            ),
            (
                200,
                "text/plain",
                r#"{"access_token":"a","token_type":"bearer"}"#,
                InvalidTokenResponse,
            ),
            (
                400,
                json,
                r#"{"error":"invalid_grant"}"#,
                TokenRequestRefused,
            ),
            (401, json, r#"{"error":"made_up"}"#, TokenRequestRefused),
            (400, json, "", InvalidTokenResponse),
            (401, "", "", InvalidTokenResponse),
            (400, json, r#"{"error":5}"#, InvalidTokenResponse),
            (500, "text/html", "<html>", ServerError),
            (
                503,
                json,
                r#"{"error":"temporarily_unavailable"}"#,
                ServerError,
            ),
            (429, "text/plain", "local_rate_limited", RateLimited),
            (
                420,
                json,
                r#"{"status":420,"message":"Chill Out!"}"#,
                RateLimited,
            ),
            (302, "", "", InvalidTokenResponse),
            (204, "", "", InvalidTokenResponse),
        ] {
            let error = code(status, content_type, body).expect_err(body);
            assert_eq!(error.code, want, "{status} {content_type} {body}");
            // A renewal that the server may have answered well: nobody knows what became of the refresh token.
            let unknown = matches!(status, 200..300)
                && matches!(want, InvalidTokenResponse | UnsupportedTokenType)
                && content_type != "text/html";
            let error = read(status, content_type, body).expect_err(body);
            let ended = want == TokenRequestRefused && body.contains("invalid_grant");
            let want = match (unknown, ended) {
                (true, _) => SessionIndeterminate,
                (_, true) => SessionEnded,
                // Nothing was issued, and that is all there is to know.
                _ if matches!(status, 400 | 401 | 403) => TokenRequestRefused,
                _ => want,
            };
            assert_eq!(error.code, want, "{status} {content_type} {body}");
        }
    }

    /// ORCID's tokens last for twenty years, WSO2's for 9223372036854775 seconds; 0 and -1 mean for ever elsewhere.
    #[test]
    fn a_token_that_lives_for_decades_or_for_ever_is_a_session() {
        let expires_at = |seconds: &str| {
            let members =
                format!(r#"{{"access_token":"a","token_type":"bearer","expires_in":{seconds}}}"#);
            let renewed = read(200, "application/json", &members).expect(seconds);
            let exchanged = code(200, "application/json", &members).expect(seconds);
            assert_eq!(renewed.expires_at(), exchanged.expires_at());
            let brief = renewed.expires_at() == Some(100);
            assert_eq!(renewed.is_due(100), brief, "{seconds}");
            renewed.expires_at()
        };
        for (seconds, at) in [
            ("3600", Some(3700)),
            ("3.6e3", Some(3700)),
            ("\"36e2\"", Some(3700)),
            ("315360000", Some(315_360_100)),
            ("631138518", Some(631_138_618)),
            ("\"631138518\"", Some(631_138_618)),
            ("0.5", Some(100)),
            ("5e-1", Some(100)),
            ("4294967195", Some(u32::MAX)),
            ("4294967196", None),
            ("99999999999", None),
            ("9223372036854775", None),
            ("9223372036854775807", None),
            ("1e309", None),
            ("0", None),
            ("0.0", None),
            ("0e9", None),
            ("\"0\"", None),
            ("-1", None),
            ("\"-1\"", None),
        ] {
            assert_eq!(expires_at(seconds), at, "{seconds}");
        }
    }

    /// Twitch's documentation has a list.
    #[test]
    fn a_scope_that_is_a_list_is_that_scope() {
        let scope = |scope: &str| {
            let body = format!(r#"{{"access_token":"at","token_type":"bearer","scope":{scope}}}"#);
            read(200, "application/json", &body)
                .expect(scope)
                .scope()
                .to_vec()
        };
        assert_eq!(
            scope(r#"["chat:edit","chat:read"]"#),
            ["chat:edit", "chat:read"]
        );
        assert_eq!(scope(r#"["a b","","c "]"#), ["a", "b", "c"]);
        assert_eq!(scope("[]"), ["read"], "nothing said is what was asked for");
        assert_eq!(scope(r#""  a  b ""#), ["a", "b"]);
        let endless = "s ".repeat(500_000);
        assert_eq!(scope(&format!("\"{endless}\"")).len(), MAX_SCOPES);
    }

    /// LinkedIn leaves it out.
    #[test]
    fn a_token_type_that_may_be_left_out_may_be_left_out_in_every_flow() {
        let login = with(r#","tokenTypeOptional":true"#);
        let json = "application/json";
        let refresh = || Grant::RefreshToken(RefreshToken::new("r".to_string()));
        let exchange = || Grant::AuthorizationCode {
            code: AuthorizationCode::new("c".to_string()),
            code_verifier: CodeVerifier::from_entropy(&[1; 32]),
        };
        for grant in [refresh(), exchange()] {
            let request = TokenRequest::new(login.clone(), grant);
            answer(request, 200, json, r#"{"access_token":"a"}"#).expect("a bearer token");
        }
        let request = TokenRequest::new(login, refresh());
        let mac = answer(
            request,
            200,
            json,
            r#"{"access_token":"a","token_type":"mac"}"#,
        );
        assert!(mac.is_err(), "what is said counts");
        for refused in [
            read(200, json, r#"{"access_token":"a"}"#),
            code(200, json, r#"{"access_token":"a"}"#),
        ] {
            assert!(refused.is_err(), "only where the provider is known for it");
        }
    }

    #[test]
    fn a_byte_order_mark_spoils_no_token() {
        let body = "\u{feff}{\"access_token\":\"a\",\"token_type\":\"bearer\"}";
        assert!(read(200, "application/json", body).is_ok());
    }

    #[test]
    fn a_number_that_is_too_long_for_javascript_reaches_the_page_whole() {
        let body = r#"{"access_token":"a","token_type":"bearer","user_id":17841405793187217,"of":[{"id":90071992547409930}],"n":7}"#;
        let tokens = read(200, "application/json", body).expect("tokens");
        assert_eq!(
            tokens.extra().text(),
            r#"{"user_id":"17841405793187217","of":[{"id":"90071992547409930"}],"n":7}"#
        );
    }
}
