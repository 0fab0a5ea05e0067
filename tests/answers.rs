//! What token endpoints answer, a row for each kind of server, with what has to become of it: as the answer to a code, and
//! as the answer to a refresh token. The bodies are those of the servers' own documentation and sources, with other values,
//! for servers that do not run here; what those that do have said is recorded in tests/wire.rs.
#![cfg(not(target_family = "wasm"))]

use oauth_wasm::protocol::config::Config;
use oauth_wasm::protocol::error::Error;
use oauth_wasm::protocol::secret::{AuthorizationCode, CodeVerifier, RefreshToken};
use oauth_wasm::protocol::token::{Grant, HttpResponse, TokenRequest, Tokens};

const NOW: u32 = 100;
const JSON: &str = "application/json";

enum Outcome {
    /// Seconds until the access token ends; the scope; what the page is shown besides.
    Tokens(Option<u32>, &'static str, &'static str),
    /// The codes as the answer to a code and to a refresh token; the server's own code and sentence.
    Refused(
        &'static str,
        &'static str,
        Option<&'static str>,
        Option<&'static str>,
    ),
}

use Outcome::{Refused, Tokens as Granted};

type Row = (&'static str, u16, &'static str, &'static str, Outcome);

const REFUSED: &str = "token_request_refused";
const ENDED: &str = "session_ended";
const UNSURE: &str = "session_indeterminate";
const BROKEN: &str = "invalid_token_response";

fn rows() -> Vec<Row> {
    vec![
        (
            "RFC 6749 section 5.1",
            200,
            "application/json;charset=UTF-8",
            r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"example"}"#,
            Refused("unsupported_token_type", UNSURE, None, None),
        ),
        (
            "a Solid server, whose tokens are bound",
            200,
            JSON,
            r#"{"access_token":"at-1234","expires_in":600,"scope":"webid","token_type":"DPoP"}"#,
            Refused("unsupported_token_type", UNSURE, None, None),
        ),
        (
            "Mercado Libre",
            200,
            "application/json;charset=utf-8",
            r#"{"access_token":"APP_USR-123456-090515-8cc4448aac10d5105474e1351-1234567","token_type":"bearer","expires_in":21600,"scope":"offline_access read write","user_id":1234567,"refresh_token":"TG-5b9032b4e23464aed1f959f-1234567"}"#,
            Granted(
                Some(21600),
                "offline_access read write",
                r#"{"user_id":1234567}"#,
            ),
        ),
        (
            "Mercado Libre, a spent token",
            400,
            JSON,
            r#"{"message":"Error validating grant. Your authorization code or refresh token may be expired or it was already used","error":"invalid_grant","status":400,"cause":[]}"#,
            Refused(
                REFUSED,
                ENDED,
                Some("invalid_grant"),
                Some(
                    "Error validating grant. Your authorization code or refresh token may be expired or it was already used",
                ),
            ),
        ),
        (
            "Mercado Libre, too fast",
            429,
            "text/plain",
            "local_rate_limited",
            Refused(
                "rate_limited",
                "rate_limited",
                Some("local_rate_limited"),
                None,
            ),
        ),
        (
            "Mercado Pago",
            200,
            JSON,
            r#"{"access_token":"APP_USR-4934588586838432-XXXXXXXX-241983636","token_type":"Bearer","expires_in":15552000,"scope":"read write offline_access","user_id":241983636,"refresh_token":"TG-XXXXXXXX-241983636","public_key":"APP_USR-d0a26210-XXXXXXXX-479f0400869e","live_mode":true}"#,
            Granted(
                Some(15_552_000),
                "read write offline_access",
                r#"{"user_id":241983636,"public_key":"APP_USR-d0a26210-XXXXXXXX-479f0400869e","live_mode":true}"#,
            ),
        ),
        (
            "ORCID, twenty years",
            200,
            "application/json;charset=UTF-8",
            r#"{"access_token":"f5af9f51-07e6-4332","token_type":"bearer","refresh_token":"1725729f-f55d","expires_in":631138518,"scope":"/read-limited","name":"Sofia Garcia","orcid":"0000-0001-2345-6789"}"#,
            Granted(
                Some(631_138_518),
                "/read-limited",
                r#"{"name":"Sofia Garcia","orcid":"0000-0001-2345-6789"}"#,
            ),
        ),
        (
            "WSO2, for ever",
            200,
            JSON,
            r#"{"access_token":"at-1234","refresh_token":"rt-5678","scope":"default","token_type":"Bearer","expires_in":9223372036854775}"#,
            Granted(None, "default", "{}"),
        ),
        (
            "a server that writes 0 for ever",
            200,
            JSON,
            r#"{"access_token":"at-1234","token_type":"bearer","expires_in":0}"#,
            Granted(None, "read", "{}"),
        ),
        (
            "a server that writes numbers as floats",
            200,
            JSON,
            r#"{"access_token":"at-1234","token_type":"bearer","expires_in":3.6e+03,"issued_at":1.795725744E9}"#,
            Granted(Some(3600), "read", r#"{"issued_at":1.795725744E9}"#),
        ),
        (
            "Twitch",
            200,
            JSON,
            r#"{"access_token":"rfx2uswqe8l4g1mk","expires_in":14124,"refresh_token":"5b93chm6hdve3mycz05","scope":["chat:edit","chat:read"],"token_type":"bearer"}"#,
            Granted(Some(14124), "chat:edit chat:read", "{}"),
        ),
        (
            "Twitch, an error",
            400,
            "application/json; charset=utf-8",
            r#"{"status":400,"message":"Invalid refresh token"}"#,
            Refused(REFUSED, REFUSED, None, Some("Invalid refresh token")),
        ),
        (
            "LinkedIn, where nobody said that it leaves token_type out",
            200,
            JSON,
            r#"{"access_token":"AQUvlL_DYEzvT2wz1QJiEPeLioeA","expires_in":5183999,"scope":"openid profile"}"#,
            Refused(BROKEN, UNSURE, None, None),
        ),
        (
            "GitHub, an error with success",
            200,
            "application/json; charset=utf-8",
            r#"{"error":"bad_refresh_token","error_description":"The refresh token passed is incorrect or expired.","error_uri":"https://docs.github.com/x"}"#,
            Refused(
                REFUSED,
                REFUSED,
                Some("bad_refresh_token"),
                Some("The refresh token passed is incorrect or expired."),
            ),
        ),
        (
            "GitHub, to who does not ask for JSON",
            200,
            "application/x-www-form-urlencoded; charset=utf-8",
            "access_token=gho_16C7e42F292c6912E7710c838347Ae178B4a&scope=repo&token_type=bearer",
            Refused(BROKEN, UNSURE, None, None),
        ),
        (
            "Slack, the user's token beside the application's",
            200,
            JSON,
            r#"{"ok":true,"access_token":"xoxb-17653672481","token_type":"bearer","scope":"commands","bot_user_id":"U0KRQLJ9H","expires_in":43200,"authed_user":{"id":"U1234","scope":"chat:write","access_token":"xoxp-1234","token_type":"user"}}"#,
            Granted(
                Some(43200),
                "commands",
                r#"{"ok":true,"bot_user_id":"U0KRQLJ9H","authed_user":{"id":"U1234","scope":"chat:write","token_type":"user"}}"#,
            ),
        ),
        (
            "Slack, an error with success",
            200,
            JSON,
            r#"{"ok":false,"error":"invalid_refresh_token"}"#,
            Refused(REFUSED, REFUSED, Some("invalid_refresh_token"), None),
        ),
        (
            "Facebook, an error",
            400,
            "application/json; charset=UTF-8",
            r#"{"error":{"message":"This authorization code has expired.","type":"OAuthException","code":100,"fbtrace_id":"AbC"}}"#,
            Refused(
                REFUSED,
                REFUSED,
                Some("OAuthException"),
                Some("This authorization code has expired."),
            ),
        ),
        (
            "Instagram, a number of seventeen digits",
            200,
            JSON,
            r#"{"access_token":"IGQVJ-1234","token_type":"bearer","user_id":17841405793187218}"#,
            Granted(None, "read", r#"{"user_id":"17841405793187218"}"#),
        ),
        (
            "Instagram, an error",
            400,
            JSON,
            r#"{"error_type":"OAuthException","code":400,"error_message":"Invalid authorization code"}"#,
            Refused(REFUSED, REFUSED, None, Some("Invalid authorization code")),
        ),
        (
            "Microsoft, version 1",
            200,
            "application/json; charset=utf-8",
            r#"{"token_type":"Bearer","scope":"User.Read","expires_in":"3599","ext_expires_in":"3599","expires_on":"1795729344","access_token":"at-1234","refresh_token":"rt-5678"}"#,
            Granted(
                Some(3599),
                "User.Read",
                r#"{"ext_expires_in":"3599","expires_on":"1795729344"}"#,
            ),
        ),
        (
            "Microsoft, a user who has to do something",
            400,
            "application/json; charset=utf-8",
            r#"{"error":"interaction_required","error_description":"AADSTS50076: multi-factor authentication","error_codes":[50076],"suberror":"basic_action"}"#,
            Refused(
                REFUSED,
                REFUSED,
                Some("interaction_required"),
                Some("AADSTS50076: multi-factor authentication"),
            ),
        ),
        (
            "Keycloak, an offline session",
            200,
            JSON,
            r#"{"access_token":"at-1234","expires_in":300,"refresh_expires_in":0,"refresh_token":"rt-5678","token_type":"Bearer","not-before-policy":0,"session_state":"a856fb91","scope":"offline_access profile"}"#,
            Granted(
                Some(300),
                "offline_access profile",
                r#"{"refresh_expires_in":0,"not-before-policy":0}"#,
            ),
        ),
        (
            "Keycloak, an error",
            400,
            JSON,
            r#"{"error":"invalid_grant","error_description":"Token is not active"}"#,
            Refused(
                REFUSED,
                ENDED,
                Some("invalid_grant"),
                Some("Token is not active"),
            ),
        ),
        (
            "Auth0, an error",
            403,
            JSON,
            r#"{"error":"invalid_grant","error_description":"Unknown or invalid refresh token."}"#,
            Refused(
                REFUSED,
                ENDED,
                Some("invalid_grant"),
                Some("Unknown or invalid refresh token."),
            ),
        ),
        (
            "Google",
            200,
            "application/json; charset=utf-8",
            r#"{"access_token":"ya29.1234","expires_in":3599,"scope":"openid https://www.googleapis.com/auth/drive.readonly","token_type":"Bearer","refresh_token_expires_in":604799}"#,
            Granted(
                Some(3599),
                "openid https://www.googleapis.com/auth/drive.readonly",
                r#"{"refresh_token_expires_in":604799}"#,
            ),
        ),
        (
            "Google, which demands a client secret",
            400,
            "application/json; charset=utf-8",
            r#"{"error":"invalid_request","error_description":"client_secret is missing."}"#,
            Refused(
                REFUSED,
                REFUSED,
                Some("invalid_request"),
                Some("client_secret is missing."),
            ),
        ),
        (
            "Intuit",
            200,
            "application/json;charset=utf-8",
            r#"{"token_type":"bearer","x_refresh_token_expires_in":8726400,"refresh_token":"rt-5678","access_token":"at-1234","expires_in":3600}"#,
            Granted(
                Some(3600),
                "read",
                r#"{"x_refresh_token_expires_in":8726400}"#,
            ),
        ),
        (
            "Salesforce",
            200,
            "application/json;charset=UTF-8",
            r#"{"access_token":"00DB0000000TfcR!AQQAQFhoK8vTMg","signature":"0CmxinZir53Yex7nE0TD","scope":"api web","instance_url":"https://my.salesforce.example","id":"https://login.salesforce.example/id/00D","token_type":"Bearer","issued_at":"1278448384422"}"#,
            Granted(
                None,
                "api web",
                r#"{"signature":"0CmxinZir53Yex7nE0TD","instance_url":"https://my.salesforce.example","id":"https://login.salesforce.example/id/00D","issued_at":"1278448384422"}"#,
            ),
        ),
        (
            "doorkeeper",
            200,
            "application/json; charset=utf-8",
            r#"{"access_token":"de6780bc506a0446","token_type":"Bearer","expires_in":7200,"refresh_token":"8257e65c97202ed1","scope":"public","created_at":1607635748}"#,
            Granted(Some(7200), "public", r#"{"created_at":1607635748}"#),
        ),
        (
            "league/oauth2-server, whose word for a dead refresh token was this one",
            401,
            JSON,
            r#"{"error":"invalid_request","error_description":"The refresh token is invalid.","hint":"Token has been revoked","message":"The refresh token is invalid."}"#,
            Refused(
                REFUSED,
                REFUSED,
                Some("invalid_request"),
                Some("The refresh token is invalid."),
            ),
        ),
        (
            "a framework that refuses without a word",
            401,
            "",
            "",
            Refused(BROKEN, REFUSED, None, None),
        ),
        (
            "a server that refuses without a word",
            400,
            JSON,
            "",
            Refused(BROKEN, REFUSED, None, None),
        ),
        (
            "a server that says text/plain of its errors",
            400,
            "text/plain",
            r#"{"error":"invalid_grant"}"#,
            Refused(REFUSED, ENDED, Some("invalid_grant"), None),
        ),
        (
            "a server whose editor wrote a byte order mark",
            400,
            JSON,
            "\u{feff}{\"error\":\"invalid_grant\"}",
            Refused(REFUSED, ENDED, Some("invalid_grant"), None),
        ),
        (
            "a server that repeats what it was sent",
            400,
            JSON,
            r#"{"error":"invalid_grant","error_description":"no such token: refresh-c4n4ry code-c4n4ry"}"#,
            Refused(REFUSED, ENDED, Some("invalid_grant"), None),
        ),
        (
            "a server in trouble, which says so with 400",
            400,
            JSON,
            r#"{"error":"temporarily_unavailable"}"#,
            Refused(
                REFUSED,
                "server_error",
                Some("temporarily_unavailable"),
                None,
            ),
        ),
        (
            "a gateway in front of a server that is down",
            503,
            "text/html",
            "<html><body><h1>503 Service Unavailable</h1></body></html>",
            Refused("server_error", "server_error", None, None),
        ),
        (
            "an address of a single-page application",
            200,
            "text/html; charset=utf-8",
            "<!doctype html><html></html>",
            Refused(BROKEN, BROKEN, None, None),
        ),
        (
            "an address where nothing is",
            404,
            "text/plain",
            "no",
            Refused(BROKEN, BROKEN, None, None),
        ),
        (
            "a list in the place of an object",
            200,
            JSON,
            "[]",
            Refused(BROKEN, UNSURE, None, None),
        ),
        (
            "no content",
            204,
            "",
            "",
            Refused(BROKEN, UNSURE, None, None),
        ),
    ]
}

fn read(
    fields: &str,
    renewal: bool,
    (status, kind, body): (u16, &str, &str),
) -> Result<Tokens, Error> {
    let config = format!(
        r#"{{"clientId":"1","redirectUri":"https://app.example/cb","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t","scope":["read"]{fields}}}"#
    );
    let config = Config::parse(&config).expect("fields");
    let login = config.resolve("https://app.example").expect("a login");
    let grant = match renewal {
        true => Grant::RefreshToken(RefreshToken::new("refresh-c4n4ry".into())),
        false => Grant::AuthorizationCode {
            code: AuthorizationCode::new("code-c4n4ry".into()),
            code_verifier: CodeVerifier::from_entropy(&[1; 32]),
        },
    };
    let response = HttpResponse {
        status,
        content_type: kind.into(),
        retry_after: None,
        body: body.as_bytes().to_vec().into(),
    };
    TokenRequest::new(login, grant).read(response, NOW)
}

fn has(about: &str, tokens: &Tokens, (left, scope, extra): (Option<u32>, &str, &str)) {
    assert_eq!(tokens.expires_at(), left.map(|left| NOW + left), "{about}");
    assert_eq!(tokens.scope().join(" "), scope, "{about}");
    assert_eq!(tokens.extra().text(), extra, "{about}");
}

#[test]
fn what_servers_answer_becomes_what_it_means() {
    for (about, status, kind, body, outcome) in rows() {
        for renewal in [false, true] {
            let answer = read("", renewal, (status, kind, body));
            match &outcome {
                Granted(left, scope, extra) => {
                    let tokens = answer.unwrap_or_else(|error| panic!("{about}: {error}"));
                    has(about, &tokens, (*left, scope, extra));
                    assert_eq!(
                        tokens.is_renewable(),
                        renewal || body.contains("refresh_token\"")
                    );
                }
                Refused(exchange, renewed, word, sentence) => {
                    let error = answer.map(drop).expect_err(about);
                    let code = if renewal { renewed } else { exchange };
                    assert_eq!(error.code.code(), *code, "{about}, renewal: {renewal}");
                    let server = error.server.clone().unwrap_or_default();
                    assert_eq!(server.error.as_deref(), *word, "{about}");
                    if sentence.is_some() {
                        assert_eq!(server.error_description.as_deref(), *sentence, "{about}");
                    }
                    let text = error.to_json() + &error.to_string();
                    assert!(!text.contains(if renewal {
                        "refresh-c4n4ry"
                    } else {
                        "code-c4n4ry"
                    }));
                }
            }
        }
    }
}

#[test]
fn a_server_that_leaves_token_type_out_is_understood_where_that_is_known() {
    let optional = r#","tokenTypeOptional":true"#;
    for (about, body, left) in [
        (
            "LinkedIn",
            r#"{"access_token":"AQUvlL_DYEzvT2wz1QJiEPeLioeA","expires_in":5183999}"#,
            Some(5_183_999),
        ),
        ("Instagram", r#"{"access_token":"IGQVJ-1234"}"#, None),
    ] {
        for renewal in [false, true] {
            let tokens = read(optional, renewal, (200, JSON, body)).expect(about);
            has(about, &tokens, (left, "read", "{}"));
        }
    }
}

/// A megabyte of the smallest things there are.
#[test]
fn a_response_of_a_megabyte_keeps_nobody_waiting() {
    let head = r#"{"access_token":"at-1234","token_type":"bearer""#;
    let names: String = (0..100_000).map(|n| format!(r#","m{n}":1"#)).collect();
    for (about, body, good) in [
        (
            "objects",
            format!(r#"{head},"a":[{}1]}}"#, "{},".repeat(330_000)),
            false,
        ),
        (
            "lists",
            format!(r#"{head},"a":[{}1]}}"#, "[],".repeat(330_000)),
            false,
        ),
        (
            "numbers",
            format!(r#"{head},"a":[{}1]}}"#, "1,".repeat(500_000)),
            false,
        ),
        (
            "depth",
            format!("{head},\"a\":{}", "[".repeat(1_000_000)),
            false,
        ),
        ("members", format!("{head}{names}}}"), false),
        (
            "scopes",
            format!(r#"{head},"scope":"{}"}}"#, "s ".repeat(500_000)),
            true,
        ),
        (
            "listed scopes",
            format!(r#"{head},"scope":[{}"s"]}}"#, r#""s","#.repeat(250_000)),
            false,
        ),
        (
            "a long text",
            format!(r#"{head},"a":"{}"}}"#, "x".repeat(1_000_000)),
            true,
        ),
        (
            "escapes",
            format!(r#"{head},"a":"{}"}}"#, r"\u0041".repeat(170_000)),
            true,
        ),
        (
            "digits",
            format!(r#"{head},"a":{}}}"#, "9".repeat(1_000_000)),
            true,
        ),
        (
            "zeros",
            format!(r#"{head},"expires_in":1{}}}"#, "0".repeat(1_000_000)),
            true,
        ),
    ] {
        let begun = std::time::Instant::now();
        for renewal in [false, true] {
            let answer = read("", renewal, (200, JSON, &body));
            assert_eq!(answer.is_ok(), good, "{about}");
        }
        // It takes milliseconds; what compares each with each takes minutes, on any machine.
        let took = begun.elapsed();
        assert!(took.as_secs() < 20, "{about} took {took:?}");
    }
}
