//! Whole logins as values: the protocol of `src/protocol` against the sandbox, without a browser or a network.
#![cfg(not(target_family = "wasm"))]

use oauth_wasm::protocol::authorization::{Accepted, AuthorizationResponse, Entropy, PendingLogin};
use oauth_wasm::protocol::config::Config;
use oauth_wasm::protocol::error::{Error, ErrorCode};
use oauth_wasm::protocol::provider;
use oauth_wasm::protocol::session::{Access, AfterRefusal, Session, SessionId, Sessions};
use oauth_wasm::protocol::token::{HttpResponse, TokenRequest, Tokens};
use sandbox::http::{Request, Response};
use sandbox::{Dropped, Sandbox};

const HERE: &str = "https://app.example";

/// A page as values: what it asks of the sandbox, and what it holds.
struct Page {
    sandbox: Sandbox,
    now: u32,
    logins: u8,
    sessions: Sessions,
}

impl Page {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        sandbox.change(|settings| settings.auto_consent = true);
        Self {
            sandbox,
            now: 1_000,
            logins: 0,
            sessions: Sessions::new(),
        }
    }

    fn send(&self, request: Request<Vec<u8>>) -> Response<Vec<u8>> {
        self.sandbox.handle(request)
    }

    fn start(&mut self, more: &str) -> PendingLogin {
        let config = format!(
            r#"{{"provider":"mercadolibre","site":"MLB","clientId":"1620218256833906","redirectUri":"{HERE}/cb","scope":["offline_access","read","write"]{more}}}"#
        );
        let config = Config::parse(&config).expect("a configuration");
        let found = provider::find(config.provider());
        let login = config
            .complete(found)
            .and_then(|config| config.resolve(HERE));
        self.logins += 1;
        let entropy: Entropy = core::array::from_fn(|i| (i as u8).wrapping_add(self.logins));
        PendingLogin::new(login.expect("a login"), &entropy, self.now).expect("entropy")
    }

    /// Where the sandbox sends the user back to.
    fn authorize(&self, pending: &PendingLogin) -> String {
        let response = self.send(get(&pending.authorization_url(), ""));
        assert_eq!(response.status(), 302, "{}", text(&response));
        let location = response.headers()["location"].to_str();
        location.expect("a URL").to_owned()
    }

    fn ask(&self, request: TokenRequest) -> Result<Tokens, Error> {
        let post = Request::post(request.endpoint())
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", HERE)
            .body(request.body().as_bytes().to_vec());
        let response = self.send(post.expect("a request"));
        if response.extensions().get::<Dropped>().is_some() {
            return Err(ErrorCode::NetworkError.error());
        }
        let content_type = response.headers().get("content-type");
        request.read(
            HttpResponse {
                status: response.status().as_u16(),
                content_type: content_type
                    .map_or("", |v| v.to_str().expect("ASCII"))
                    .into(),
                retry_after: None,
                body: response.into_body().into(),
            },
            self.now,
        )
    }

    fn answer(&mut self, pending: PendingLogin, url: &str) -> Result<SessionId, Error> {
        let response = AuthorizationResponse::read(url).expect("a response");
        let (login, accepted) = pending.accept(response, self.now, self.now)?;
        let tokens = match accepted {
            Accepted::Exchange(request) => self.ask(request)?,
            Accepted::Tokens(tokens) => tokens,
        };
        Ok(self
            .sessions
            .add(Session::new(login, tokens, self.now, self.now)))
    }

    fn log_in(&mut self, more: &str) -> SessionId {
        let pending = self.start(more);
        let url = self.authorize(&pending);
        self.answer(pending, &url).expect("a session")
    }

    fn session(&self, id: SessionId) -> &Session {
        self.sessions.get(id).expect("the session is there")
    }

    fn renew(&mut self, id: SessionId) -> Result<(), Error> {
        let request = self.session(id).renewal()?;
        let outcome = self.ask(request);
        self.sessions.renewed(id, outcome, self.now, self.now, 0)
    }

    /// The status of a private call, and its body.
    fn call(&self, id: SessionId, url: &str) -> (u16, String) {
        assert_eq!(self.sessions.find(url), Ok(id), "the URL decides");
        let header = self.session(id).token().authorization_header();
        let response = self.send(get(url, &header));
        (response.status().as_u16(), text(&response))
    }
}

fn get(url: &str, authorization: &str) -> Request<Vec<u8>> {
    let mut request = Request::get(url);
    if !authorization.is_empty() {
        request = request.header("authorization", authorization);
    }
    request.body(Vec::new()).expect("a request")
}

fn text(response: &Response<Vec<u8>>) -> String {
    String::from_utf8_lossy(response.body()).into_owned()
}

const USER: &str = "https://api.mercadolibre.com/users/226384143";

#[test]
fn a_code_login_reads_private_data_and_renews() {
    let mut page = Page::new();
    let id = page.log_in(r#","returnTo":"/cart""#);
    let known = page.session(id).describe();
    assert!(
        known.contains(r#""scope":["offline_access","read","write"]"#),
        "{known}"
    );
    assert!(
        known.contains(r#""extra":{"user_id":226384143}"#),
        "{known}"
    );
    assert!(known.contains(r#""returnTo":"/cart""#) && known.contains(r#""renewable":true"#));
    assert!(
        !known.contains("APP_USR") && !known.contains("TG-"),
        "{known}"
    );

    let (status, body) = page.call(id, USER);
    assert_eq!(status, 200);
    assert!(body.contains("test_user_38730994@testuser.com"), "{body}");
    let open = text(&page.send(get(USER, "")));
    assert!(
        !open.contains("test_user_38730994"),
        "the public document has no e-mail"
    );

    page.now += 21_600;
    page.sandbox.advance(21_600);
    assert_eq!(page.session(id).access(page.now), Access::Renew);
    assert_eq!(page.call(id, USER).0, 401);
    page.renew(id).expect("a renewal");
    assert_eq!(page.call(id, USER).0, 200);
    assert_eq!(page.sandbox.refresh_tokens_spent_twice(), 0);
}

#[test]
fn an_implicit_login_reads_private_data_and_cannot_renew() {
    let mut page = Page::new();
    let id = page.log_in(r#","responseType":"token""#);
    assert_eq!(page.call(id, USER).0, 200);
    assert!(!page.session(id).is_renewable());
    page.now += 21_600;
    assert_eq!(page.session(id).access(page.now), Access::LoginRequired);
}

#[test]
fn a_401_is_answered_by_one_renewal() {
    let mut page = Page::new();
    let id = page.log_in("");
    let sent = page.session(id).token();
    page.sandbox.expire_tokens();
    assert_eq!(page.call(id, USER).0, 401);
    let challenge = r#"Bearer error="invalid_token""#;
    let todo = page
        .session(id)
        .after_refusal(401, &sent, challenge, page.now);
    assert_eq!(todo, AfterRefusal::Renew);
    page.renew(id).expect("a renewal");
    let todo = page
        .session(id)
        .after_refusal(401, &sent, challenge, page.now);
    assert_eq!(todo, AfterRefusal::Token(page.session(id).token()));
    assert_eq!(page.call(id, USER).0, 200);
}

#[test]
fn a_refresh_token_refused_ends_the_session_and_nothing_else_does() {
    let mut page = Page::new();
    let id = page.log_in("");
    for (fault, want) in [
        (sandbox::FaultKind::Status500, ErrorCode::ServerError),
        (sandbox::FaultKind::Html, ErrorCode::InvalidTokenResponse),
        (sandbox::FaultKind::DropBefore, ErrorCode::NetworkError),
    ] {
        page.sandbox.change(|settings| {
            settings.faults = vec![sandbox::Fault::new("/oauth/token", fault).times(1)];
        });
        assert_eq!(page.renew(id).expect_err("a fault").code, want);
        assert!(page.sessions.get(id).is_some(), "{want:?} ends nothing");
    }
    page.renew(id).expect("the network is back");
    page.sandbox.revoke_grants();
    let error = page.renew(id).expect_err("revoked");
    assert_eq!(error.code, ErrorCode::SessionEnded);
    let said = error
        .server
        .as_ref()
        .and_then(|server| server.error.as_deref());
    assert_eq!(said, Some("invalid_grant"));
    assert!(page.sessions.get(id).is_none());
}

#[test]
fn denial_is_told_from_other_errors() {
    let mut page = Page::new();
    page.sandbox.change(|settings| {
        settings.auto_consent = false;
        settings.auto_deny = true;
    });
    let pending = page.start("");
    let url = page.authorize(&pending);
    let error = page.answer(pending, &url).expect_err("denied");
    assert_eq!(error.code, ErrorCode::AccessDenied);
    assert_eq!(
        error.server.as_ref().and_then(|s| s.error.as_deref()),
        Some("access_denied")
    );
}

#[test]
fn a_code_stolen_for_another_login_buys_nothing() {
    let mut page = Page::new();
    let (mine, theirs) = (page.start(""), page.start(""));
    let url = page.authorize(&theirs);
    let code = url
        .split("code=")
        .nth(1)
        .and_then(|rest| rest.split('&').next());
    let forged = format!(
        "{HERE}/cb?code={}&state={}",
        code.expect("a code"),
        mine.state().expose()
    );
    let error = page
        .answer(mine, &forged)
        .expect_err("the verifier is another one");
    assert_eq!(error.code, ErrorCode::TokenRequestRefused);
    assert_eq!(
        error.server.as_ref().and_then(|s| s.error.as_deref()),
        Some("invalid_grant")
    );
    assert!(
        page.answer(theirs, &url).is_ok(),
        "its owner's login is untouched"
    );
}

#[test]
fn a_code_works_once() {
    let mut page = Page::new();
    let pending = page.start("");
    let record = pending.to_record();
    let state = pending.state().expose().to_owned();
    let url = page.authorize(&pending);
    page.answer(pending, &url).expect("a session");
    let again = PendingLogin::from_record(&state, &record, HERE).expect("the record");
    let error = page.answer(again, &url).expect_err("spent");
    assert_eq!(error.code, ErrorCode::TokenRequestRefused);
}

#[test]
fn pkce_satisfies_a_server_that_makes_it_mandatory_with_s256_and_with_plain() {
    let mut page = Page::new();
    page.sandbox.change(|settings| settings.require_pkce = true);
    page.log_in("");
    page.log_in(r#","codeChallengeMethod":"plain""#);
}

#[test]
fn every_way_a_token_endpoint_can_fail_is_a_typed_error() {
    use sandbox::FaultKind::*;
    let mut page = Page::new();
    let body = |status, content_type: &str, body: &str| Body {
        status,
        content_type: content_type.into(),
        body: body.into(),
        headers: Default::default(),
    };
    for (fault, want) in [
        (Status500, ErrorCode::ServerError),
        (Html, ErrorCode::InvalidTokenResponse),
        (TruncatedJson, ErrorCode::InvalidTokenResponse),
        (
            WrongContentType("text/plain".into()),
            ErrorCode::InvalidTokenResponse,
        ),
        (Empty(400), ErrorCode::InvalidTokenResponse),
        (Empty(200), ErrorCode::InvalidTokenResponse),
        (DropAfterProcessing, ErrorCode::NetworkError),
        (
            body(429, "text/plain", "local_rate_limited"),
            ErrorCode::RateLimited,
        ),
        (
            body(401, "application/json", r#"{"error":"x"}"#),
            ErrorCode::TokenRequestRefused,
        ),
        (body(503, "text/html", "<h1>down"), ErrorCode::ServerError),
    ] {
        let pending = page.start("");
        let url = page.authorize(&pending);
        let name = format!("{fault:?}");
        page.sandbox.change(|settings| {
            settings.faults = vec![sandbox::Fault::new("/oauth/token", fault).times(1)];
        });
        let error = page.answer(pending, &url).expect_err(&name);
        assert_eq!(error.code, want, "{name}");
    }
}

#[test]
fn every_documented_error_of_the_token_endpoint_keeps_the_servers_own_word() {
    let mut page = Page::new();
    let id = page.log_in("");
    let mut reached = 0;
    for row in sandbox::documented_errors() {
        let Some(error) = documented_at_the_token_endpoint(row) else {
            continue;
        };
        page.sandbox
            .change(|settings| settings.force_token_error = Some(row.id.into()));
        let request = page.session(id).renewal().expect("renewable");
        let got = page.ask(request).expect_err(row.id);
        if row.status == 429 {
            assert_eq!(got.code, ErrorCode::RateLimited, "{}", row.id);
        } else {
            let said = got
                .server
                .as_ref()
                .and_then(|server| server.error.as_deref());
            assert_eq!(said, Some(error), "{}", row.id);
        }
        reached += 1;
    }
    assert!(reached >= 12, "{reached} rows");
}

/// The rows that the token endpoint answers with: no page, no API.
fn documented_at_the_token_endpoint(row: &sandbox::DocumentedError) -> Option<&str> {
    matches!(row.shape, sandbox::Shape::Token | sandbox::Shape::Text).then_some(row.error)
}

#[test]
fn no_error_shows_a_secret() {
    let mut page = Page::new();
    let pending = page.start("");
    let state = pending.state().expose().to_owned();
    let url = page.authorize(&pending);
    let code = url
        .split("code=")
        .nth(1)
        .and_then(|rest| rest.split('&').next());
    let code = code.expect("a code").to_owned();
    let echo = format!(r#"{{"error":"invalid_grant","error_description":"{code} for {state}"}}"#);
    page.sandbox.change(|settings| {
        let kind = sandbox::FaultKind::Body {
            status: 400,
            content_type: "application/json".into(),
            body: echo,
            headers: Default::default(),
        };
        settings.faults = vec![sandbox::Fault::new("/oauth/token", kind).times(1)];
    });
    let error = page.answer(pending, &url).expect_err("refused");
    for shown in [error.to_json(), format!("{error}"), format!("{error:?}")] {
        assert!(!shown.contains(&code), "{shown}");
    }
}
