//! What reads outside input, with what must hold of it whatever comes: one function for each target of `cargo fuzz`.
//! `tests/fuzz.rs` runs the same functions over the seeds on every build.
//!
//! An oracle here is somebody else's code (`url`, `serde_json`) or a rule said in other words than in `src`.

use oauth_wasm::protocol::authorization::{Accepted, AuthorizationResponse, PendingLogin};
use oauth_wasm::protocol::client::{Client, ResponseType};
use oauth_wasm::protocol::config::Config;
use oauth_wasm::protocol::dpop::Nonces;
use oauth_wasm::protocol::error::{Error, ErrorCode};
use oauth_wasm::protocol::jose::{self, Jws};
use oauth_wasm::protocol::json::{self, Json};
use oauth_wasm::protocol::openid::{self, About, Channel, Rules, Unchecked};
use oauth_wasm::protocol::pkce::base64url;
use oauth_wasm::protocol::resource::{self, PrivateRequest};
use oauth_wasm::protocol::secret::{AuthorizationCode, CodeVerifier, IdToken, RefreshToken};
use oauth_wasm::protocol::session::shared::{self, Label, RecordState, Sent};
use oauth_wasm::protocol::session::{Access, AfterRefusal, Session, Sessions, explain};
use oauth_wasm::protocol::token::{Grant, HttpResponse, TokenRequest, Tokens};
use oauth_wasm::protocol::{metadata, parameters, pushed, url as address};
use std::cell::RefCell;
use std::rc::Rc;
use url::Url;

/// A function for each kind of input.
pub type Target = fn(&[u8]);

/// Every target, by its name; `seeds/NAME.txt` has its seeds, a line each.
pub const TARGETS: &[(&str, Target)] = &[
    ("redirect", redirect),
    ("token", token),
    ("metadata", metadata),
    ("challenge", challenge),
    ("record", record),
    ("part", part),
    ("config", config),
    ("provider", provider),
    ("json", json),
    ("url", url),
    ("request", request),
    ("id_token", id_token),
    ("keys", keys),
    ("said", said),
];

const ORIGIN: &str = "https://app.example";

/// What no error, no `Debug` and no description may show. In an input `SECRET` stands for it.
const CANARY: &str = "TG-canary-5f1c";

fn text(data: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(data).ok()?;
    Some(text.replace("SECRET", CANARY))
}

/// The parts of a text that a blank separates; the last may have blanks of its own.
fn words<const N: usize>(text: &str) -> Option<[&str; N]> {
    text.splitn(N, ' ').collect::<Vec<_>>().try_into().ok()
}

fn login(more: &str) -> Rc<Client> {
    thread_local! {
        static MADE: RefCell<Vec<(String, Rc<Client>)>> = const { RefCell::new(Vec::new()) };
    }
    MADE.with_borrow_mut(|made| match made.iter().find(|(known, _)| known == more) {
        Some((_, login)) => login.clone(),
        None => {
            let login = new_login(more);
            made.push((String::from(more), login.clone()));
            login
        }
    })
}

fn new_login(more: &str) -> Rc<Client> {
    let text = format!(
        r#"{{"clientId":"c","redirectUri":"{ORIGIN}/cb","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t","resourceServers":["https://api.example/v1"],"scope":["r"],"scopes":{{"r":{{}},"w":{{"implies":["r"]}}}},"routes":[{{"path":"/x/{{id}}","read":"r","write":"w"}}],"scopeHeader":"X-Scope","issuer":"https://as.example"{more}}}"#
    );
    let login = Config::parse(&text).and_then(|config| config.resolve(ORIGIN));
    login.expect("the target's own configuration")
}

fn pending(more: &str) -> PendingLogin {
    let entropy = std::array::from_fn(|i| i as u8);
    PendingLogin::new(login(more), &entropy, 1000).expect("the target's own entropy")
}

fn session(more: &str) -> Session {
    let body = format!(
        r#"{{"access_token":"{CANARY}","refresh_token":"{CANARY}","token_type":"bearer","expires_in":100,"scope":"r"}}"#
    );
    let mut members = Json::parse(body.as_bytes()).expect("the target's own JSON");
    let tokens = Tokens::read(&mut members, &[], &[], 0).expect("the target's own tokens");
    Session::new(login(more), tokens, 1000, 0)
}

/// An error is JSON, says nothing secret, and stays within what a log can bear.
fn check_error(error: &Error, secrets: &[&str]) {
    let json = error.to_json();
    assert!(Json::parse(json.as_bytes()).is_some(), "{json}");
    assert!(json.len() < 100_000, "{} bytes", json.len());
    for text in [json, error.to_string(), format!("{error:?}")] {
        for secret in secrets {
            assert!(!text.contains(secret), "an error shows {secret}");
        }
    }
}

/// A URL that a secret may be sent to, by the judgement of a browser's parser.
fn check_secure(text: &str) -> Url {
    let url = Url::parse(text).unwrap_or_else(|error| panic!("no URL: {text} {error}"));
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    assert!(
        url.scheme() == "https" || url.scheme() == "http" && loopback,
        "insecure: {text}"
    );
    assert!(
        url.username().is_empty() && url.password().is_none(),
        "{text}"
    );
    assert!(url.fragment().is_none(), "{text}");
    url
}

/// Whatever of a login was accepted can be used without a further look.
fn check_login(login: &Rc<Client>) {
    check_endpoint(login.token_endpoint());
    for endpoint in [login.revocation_endpoint(), login.end_session_endpoint()] {
        check_endpoint(endpoint.unwrap_or(""));
    }
    for server in login.resource_servers() {
        check_endpoint(server);
    }
    let again = Client::from_record(&login.to_record()).map(Rc::new);
    assert_eq!(again.as_ref(), Some(login), "it comes back from a record");
}

fn check_endpoint(endpoint: &str) {
    if endpoint.is_empty() || Url::parse(endpoint).is_err() {
        // What no browser can parse, none will ask.
        return;
    }
    check_secure(endpoint);
}

/// A login that [`Config::resolve`] lets through asks for what RFC 6749 section 4.1.1 says, each once.
fn check_resolved(login: &Rc<Client>) {
    check_login(login);
    let redirect = login.redirect_uri();
    for scheme in [
        "javascript:",
        "data:",
        "vbscript:",
        "blob:",
        "file:",
        "about:",
    ] {
        assert!(!redirect.to_lowercase().starts_with(scheme), "{redirect}");
    }
    if let Some(return_to) = login.return_to() {
        check_return_to(return_to);
    }
    let entropy = std::array::from_fn(|i| i as u8 ^ 0x55);
    let pending = PendingLogin::new(login.clone(), &entropy, 7).expect("entropy");
    let url = pending.authorization_url();
    if let Ok(url) = Url::parse(&url) {
        check_secure(url.as_str());
        let pairs: Vec<_> = url.query_pairs().collect();
        for name in parameters::OF_REQUESTS {
            let count = pairs.iter().filter(|(key, _)| key == name).count();
            assert!(count <= 1, "{name} {count} times in {url}");
        }
        let one = |name: &str| {
            let pair = pairs.iter().find(|(key, _)| key == name);
            pair.map(|(_, value)| value.to_string())
        };
        assert_eq!(one("state").as_deref(), Some(pending.state().expose()));
        assert_eq!(one("redirect_uri").as_deref(), Some(redirect));
        assert_eq!(one("client_id").as_deref(), Some(login.client_id()));
        let code = login.response_type() == ResponseType::Code;
        assert_eq!(one("code_challenge").is_some(), code, "{url}");
    }
    let record = pending.to_record();
    let again = PendingLogin::from_record(pending.state().expose(), &record, ORIGIN);
    let again = again.expect("a record that was just written");
    assert_eq!(again.to_record(), record);
    assert_eq!(again.authorization_url(), url);
}

fn check_return_to(text: &str) {
    let base = Url::parse(ORIGIN).expect("the target's own origin");
    let there = base.join(text).unwrap_or_else(|_| panic!("{text}"));
    assert_eq!(there.origin(), base.origin(), "{text}");
}

/// A token reaches the API in one header line.
fn check_token(tokens: &Tokens) {
    let header = tokens.access_token().authorization_header();
    let token = header.strip_prefix("Bearer ").expect("a bearer token");
    assert!(!token.is_empty() && token.bytes().all(|b| (0x21..0x7f).contains(&b)));
    let shown = tokens.extra().text();
    assert!(!shown.contains("_token\""), "{shown}");
}

/// The address that a provider sends the user back to. `STATE` in it is the state of the login.
pub fn redirect(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let rows = [
        "",
        r#","issRequired":true"#,
        r#","responseType":"token""#,
        r#","responseType":"token","jsonFragment":true,"tokenTypeOptional":true"#,
    ];
    for row in rows {
        let login = pending(row);
        let state = String::from(login.state().expose());
        let verifier = verifier_of(&login);
        let href = text.replace("STATE", &state);
        let Some(response) = AuthorizationResponse::read(&href) else {
            continue;
        };
        let at_home = login.expects(&response);
        let (answered, read) = (response.state().expose() == state, Said::of(&href));
        match login.accept(response, 1010, 10) {
            Err(error) => {
                check_error(&error, &[&state, &verifier]);
                let order = error.code == ErrorCode::StateMismatch;
                assert_eq!(order, !answered, "the state is judged first: {href}");
            }
            Ok((login, accepted)) => {
                assert!(answered && at_home, "{href}");
                assert_eq!(read.all("state"), [state.as_str()], "{href}");
                assert_eq!(read.all("error"), [""; 0], "{href}");
                for issuer in read.all("iss") {
                    assert_eq!(Some(issuer), login.issuer(), "{href}");
                }
                assert!(!login.iss_required() || read.all("iss").len() == 1);
                let home = href.split(['?', '#']).next();
                assert_eq!(home, Some(login.redirect_uri()), "{href}");
                match accepted {
                    Accepted::Exchange(request) => {
                        assert_eq!(login.response_type(), ResponseType::Code);
                        let [code] = read.all("code")[..] else {
                            panic!("one code: {href}");
                        };
                        assert!(!code.is_empty());
                        let body = Said::of(&format!("?{}", &*request.body()));
                        // What is not UTF-8 is one replacement character for us, some for others.
                        if !code.contains('\u{fffd}') {
                            assert_eq!(body.all("code"), [code]);
                        }
                        assert_eq!(body.all("code_verifier"), [verifier.as_str()]);
                        assert_eq!(body.all("redirect_uri"), [login.redirect_uri()]);
                        assert_eq!(request.endpoint(), "https://as.example/t");
                    }
                    Accepted::Tokens(tokens) => {
                        assert_eq!(login.response_type(), ResponseType::Token);
                        assert!(!tokens.is_renewable(), "{href}");
                        assert_eq!(read.all("code"), [""; 0], "{href}");
                        let query = href.split('#').next().unwrap_or_default();
                        assert_eq!(Said::of(query).all("access_token"), [""; 0], "{href}");
                        check_token(&tokens);
                    }
                }
            }
        }
        let late = pending(row);
        if let Some(response) = AuthorizationResponse::read(&href) {
            let error = late.accept(response, 1601, 0).expect_err("too late");
            let expired = error.code == ErrorCode::LoginExpired;
            assert_eq!(expired, answered, "{href}");
        }
    }
}

fn verifier_of(login: &PendingLogin) -> String {
    let record = login.to_record();
    // Perhaps with a key behind it, which has no semicolon.
    let rest = record.rsplit(';').next().expect("a verifier");
    String::from(rest.split(' ').next().expect("a verifier"))
}

/// Parameters of query and fragment, as another reader understands them.
struct Said(Vec<(String, String)>);

impl Said {
    fn of(href: &str) -> Said {
        let (rest, fragment) = href.split_once('#').unwrap_or((href, ""));
        let query = rest.split_once('?').map_or("", |(_, query)| query);
        // JSON has no parameters in it, whatever stands in its texts.
        let is_json = ["{", "%7b"]
            .iter()
            .any(|open| fragment.to_lowercase().starts_with(open));
        let fragment = if is_json { "" } else { fragment };
        let mut pairs = Vec::new();
        for part in [query, fragment] {
            for (name, value) in url::form_urlencoded::parse(part.as_bytes()) {
                pairs.push((name.into_owned(), value.into_owned()));
            }
        }
        Said(pairs)
    }

    fn all(&self, name: &str) -> Vec<&str> {
        let named = self.0.iter().filter(|(key, _)| key == name);
        named.map(|(_, value)| value.as_str()).collect()
    }
}

/// An answer of the token endpoint: `STATUS CONTENT-TYPE BODY`.
pub fn token(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Some([status, content_type, body]) = words(&text) else {
        return;
    };
    let Ok(status) = status.parse::<u16>() else {
        return;
    };
    let answer = || HttpResponse {
        status,
        content_type: String::from(content_type),
        retry_after: Some(u32::from(status)),
        body: body.as_bytes().to_vec().into(),
    };
    for more in ["", r#","refreshTokenReuse":true"#] {
        let renewal = TokenRequest::new(
            login(more),
            Grant::RefreshToken(RefreshToken::new(CANARY.into())),
        );
        let exchange = TokenRequest::new(
            login(more),
            Grant::AuthorizationCode {
                code: AuthorizationCode::new(CANARY.into()),
                code_verifier: CodeVerifier::from_entropy(&[7; 32]),
            },
        );
        let (renewed, exchanged) = (renewal.read(answer(), 100), exchange.read(answer(), 100));
        assert_eq!(renewed.is_ok(), exchanged.is_ok(), "{text}");
        match (&renewed, &exchanged) {
            (Ok(renewed), Ok(exchanged)) => {
                assert!(matches!(status, 200 | 201), "{text}");
                for tokens in [renewed, exchanged] {
                    check_token(tokens);
                    let shown = tokens.extra().text() + &tokens.scope().join(" ");
                    assert!(!shown.contains(CANARY), "{text}");
                    assert!(tokens.expires_at().is_none_or(|at| at > 100), "{text}");
                    let debug = format!("{tokens:?}");
                    if text.matches(CANARY).count() == 1 && tokens.access_token().expose() == CANARY
                    {
                        assert!(!debug.contains(CANARY), "{debug}");
                    }
                }
                assert!(renewed.is_renewable(), "the old one is kept: {text}");
            }
            (Err(renewed), Err(exchanged)) => {
                for error in [renewed, exchanged] {
                    check_error(error, &[CANARY]);
                }
                let is_indeterminate = renewed.code == ErrorCode::SessionIndeterminate;
                assert!(
                    !is_indeterminate || (200..300).contains(&status) && more.is_empty(),
                    "{text}"
                );
                let ended = renewed.code == ErrorCode::SessionEnded;
                assert!(
                    !ended || body.contains("invalid_grant") && status < 500,
                    "{text}"
                );
                let of_sessions = [ErrorCode::SessionIndeterminate, ErrorCode::SessionEnded];
                assert!(!of_sessions.contains(&exchanged.code), "{text}");
            }
            _ => {}
        }
        // A good session outlives whatever is not the server's own end of it.
        let mut sessions = Sessions::new();
        let id = sessions.add(session(more));
        let ended = matches!(&renewed, Err(error) if error.code == ErrorCode::SessionEnded);
        let lost = matches!(&renewed, Err(error) if error.code == ErrorCode::SessionIndeterminate);
        let _ = sessions.renewed(id, renewed, 0, 0, 0);
        assert_eq!(sessions.get(id).is_none(), ended, "{text}");
        let state = sessions.get(id).map(Session::describe).unwrap_or_default();
        assert_eq!(
            state.contains(r#""state":"indeterminate""#),
            lost,
            "{state}"
        );
    }
}

/// A metadata document: `STATUS BODY`.
pub fn metadata(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Some([status, body]) = words(&text) else {
        return;
    };
    let Ok(status) = status.parse::<u16>() else {
        return;
    };
    let issuer = "https://as.example";
    for s256 in [true, false] {
        let fields = match metadata::read(issuer, status, body.as_bytes(), s256) {
            None => continue,
            Some(Err(error)) => {
                check_error(&error, &[CANARY]);
                assert_eq!(error.code, ErrorCode::InvalidMetadata);
                continue;
            }
            Some(Ok(fields)) => fields,
        };
        assert_eq!(status, 200);
        let document = Json::parse(body.as_bytes()).expect("JSON");
        assert_eq!(document.str("issuer"), Some(issuer));
        let own = format!(
            r#"{{"issuer":"{issuer}","clientId":"c","redirectUri":"{ORIGIN}/","resourceServers":["https://api.example"]}}"#
        );
        let mut config = Config::parse(&own).expect("the target's own configuration");
        let done = config
            .discovered(fields)
            .and_then(|()| config.resolve(ORIGIN));
        match done {
            Ok(login) => {
                assert_eq!(login.issuer(), Some(issuer));
                assert_eq!(login.resource_servers(), ["https://api.example"]);
                check_resolved(&login);
            }
            Err(error) => check_error(&error, &[]),
        }
    }
}

/// A `WWW-Authenticate` header, with the status it came with: `STATUS HEADER`.
pub fn challenge(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Some([status, header]) = words(&text) else {
        return;
    };
    let Ok(status) = status.parse::<u16>() else {
        return;
    };
    for name in ["error", "scope", "acr_values", "max_age", "realm"] {
        let Some(value) = resource::challenge(header, name) else {
            continue;
        };
        assert!(
            !value.is_empty() && header.to_lowercase().contains(name),
            "{header}"
        );
        // Quoted as RFC 9110 section 5.6.4 says, it reads the same, whatever stands before and after.
        let quoted = value.replace('\\', "\\\\").replace('"', "\\\"");
        let again = format!("Basic realm-of=\"{quoted}\", Bearer x=1, {name}=\"{quoted}\", y=z");
        assert_eq!(resource::challenge(&again, name), Some(value), "{header}");
    }
    let session = session("");
    let sent = session.token();
    let after = session.after_refusal(status, &sent, header, 5);
    match &after {
        AfterRefusal::Login(error) => check_error(error, &[CANARY]),
        AfterRefusal::Renew => assert_eq!(status, 401),
        AfterRefusal::Token(_) => panic!("there is no other token"),
        AfterRefusal::GiveUp => {}
        AfterRefusal::Ended(_) => panic!("nobody has refused a renewal"),
    }
    assert!(!format!("{after:?}").contains(CANARY));
    let mut answer = json::Object::new();
    let answer = answer
        .number("status", u32::from(status))
        .str("method", "PUT")
        .str("url", "https://api.example/v1/x/1")
        .str("authenticate", header)
        .done();
    let explained = explain(Some(&session), &answer, header.as_bytes(), 5);
    assert_eq!(explained.is_none(), status < 400, "{header}");
    if let Some(error) = explained {
        check_error(&error, &[CANARY]);
    }
}

/// The stored record of a login that waits.
pub fn record(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Some(pending) = PendingLogin::from_record("ow1xabc", &text, ORIGIN) else {
        return;
    };
    let record = pending.to_record();
    let again = PendingLogin::from_record("ow1xabc", &record, ORIGIN).expect("its own record");
    assert_eq!(again.to_record(), record);
    assert_eq!(again.expires_at(), pending.expires_at());
    let verifier = verifier_of(&pending);
    assert!((43..=128).contains(&verifier.len()), "{verifier}");
    if text.matches(&verifier).count() == 1 {
        assert!(!format!("{pending:?}").contains(&verifier));
    }
    let href = format!("{ORIGIN}/cb?code={CANARY}&state=ow1xabc");
    let response = AuthorizationResponse::read(&href).expect("a response");
    match pending.accept(response, 1010, 0) {
        Ok((login, Accepted::Exchange(request))) => {
            assert_eq!(request.endpoint(), login.token_endpoint());
            check_endpoint(request.endpoint());
            let shown = format!("{request:?}").contains(CANARY);
            assert!(!shown || text.contains(CANARY), "{text}");
        }
        Ok((_, Accepted::Tokens(_))) => panic!("there is no token in {href}"),
        Err(error) => check_error(&error, &[CANARY]),
    }
}

/// The record of a session that pages share, opened: its label and a part of it, with a tab between.
pub fn part(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let (label, part) = text.split_once('\t').unwrap_or((&text, ""));
    for (name, secret, salt) in shared::entries(data) {
        assert_eq!((name.len(), secret.len(), salt.len()), (22, 32, 22));
    }
    let Some(label) = Label::read(label) else {
        return;
    };
    let times = (1000, 50);
    let made = |part: &str| {
        let part = part.as_bytes();
        Session::from_part(part, "name", &label, "salt", &[7; 32], ORIGIN, times)
    };
    let Some(session) = made(part) else { return };
    assert_eq!(session.client_id(), label.client_id);
    assert_eq!(session.generation(), label.generation);
    // One that was only kept has nothing to share before it is renewed.
    if !session.token().expose().is_empty() {
        let again = made(&session.shared_part(1000, 50)).expect("what it has just written");
        assert_eq!(again.describe(), session.describe());
        assert_eq!(again.access(50), session.access(50));
    }
    if text.matches(CANARY).count() == 1 && session.token().expose() == CANARY {
        assert!(!session.describe().contains(CANARY), "{text}");
        assert!(!format!("{session:?}").contains(CANARY), "{text}");
    }
    if let Access::Token(token) = session.access(50) {
        let header = token.authorization_header();
        assert!(header.bytes().all(|b| (0x20..0x7f).contains(&b)), "{text}");
        // Without the access token there is none to send, only one to get.
        match made(&session.kept_part(1000, 50)) {
            Some(kept) => assert!(matches!(kept.access(50), Access::Renew)),
            None => assert!(!session.is_renewable()),
        }
    }
    if let Ok(request) = session.renewal() {
        check_endpoint(request.endpoint());
    }
    let met = session.meets(Some(&label));
    let indeterminate = matches!(met, RecordState::Spent | RecordState::Lost);
    assert_eq!(indeterminate, label.sent != Sent::Never, "{text}");
    assert!(
        met != RecordState::Lost || label.sent == Sent::Once,
        "{text}"
    );
}

/// The configuration that a page gives.
pub fn config(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let config = match Config::parse(&text) {
        Ok(config) => config,
        Err(error) => return check_error(&error, &[]),
    };
    let names = Json::parse(br#"["one","two"]"#).expect("names");
    let config = match config.complete(names) {
        Ok(config) => config,
        Err(error) => return check_error(&error, &[]),
    };
    use_config(config);
}

fn use_config(config: Config) {
    match config.undiscovered() {
        Ok(Some(issuer)) => {
            check_endpoint(issuer);
            for document in metadata::documents(issuer, true) {
                check_endpoint(&document);
            }
        }
        Ok(None) => {}
        Err(error) => check_error(&error, &[]),
    }
    match config.clone().adopt() {
        Ok(login) => check_login(&login),
        Err(error) => check_error(&error, &[]),
    }
    match config.resolve(ORIGIN) {
        Ok(login) => check_resolved(&login),
        Err(error) => check_error(&error, &[]),
    }
}

/// A provider's file, a configuration that names it, and an answer of its API, with tabs between.
pub fn provider(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let mut parts = text.splitn(3, '\t');
    let mut part = || parts.next().unwrap_or_default();
    let (Some(file), Ok(config)) = (Json::parse(part().as_bytes()), Config::parse(part())) else {
        return;
    };
    let config = match config.complete(file) {
        Ok(config) => config,
        Err(error) => return check_error(&error, &[]),
    };
    use_config(config.clone());
    let calls = r#"[{"method":"PUT","url":"https://api.example/v1/x/1"},{"url":"https://api.example/v1/"}]"#;
    if let Err(error) = config.clone().scope_for(calls) {
        check_error(&error, &[]);
    }
    let Ok(login) = config.adopt() else { return };
    let tokens = Tokens::adopt(CANARY.into(), login.scope()).expect("a token");
    let session = Session::new(login, tokens, 0, 0);
    assert!(Json::parse(session.describe().as_bytes()).is_some());
    let body = part();
    for status in [400, 403, 429, 500] {
        let answer =
            format!(r#"{{"status":{status},"method":"POST","url":"https://api.example/v1/x/1"}}"#);
        let answer = Json::parse(answer.as_bytes()).expect("an answer");
        let error = explain(Some(&session), &answer, body.as_bytes(), 0).expect("a refusal");
        check_error(&error, &[]);
        // The provider's own table may say what it likes; what came from outside is cut.
        let server = error.server.as_ref().expect("the server's words");
        for said in [&server.error_description, &server.error_uri] {
            let said = said.as_deref().unwrap_or("");
            assert!(!said.contains(CANARY) && said.len() <= 500, "{said}");
        }
    }
    match session.revocation() {
        Ok(revocation) => {
            if !revocation.authorization.is_empty() {
                let declared = |server: &&str| resource::covers(server, &revocation.url).is_some();
                let servers = session_servers(&session);
                assert!(servers.iter().map(String::as_str).any(|s| declared(&s)));
            }
            check_endpoint(&revocation.url);
        }
        // It may name what the provider's own file has in braces.
        Err(error) if !text.contains(CANARY) => check_error(&error, &[CANARY]),
        Err(_) => {}
    }
}

fn session_servers(session: &Session) -> Vec<String> {
    let text = format!("{session:?}");
    let list = text.split("resource_servers: [").nth(1).unwrap_or_default();
    let list = list.split(']').next().unwrap_or_default();
    list.split('"')
        .skip(1)
        .step_by(2)
        .map(String::from)
        .collect()
}

/// JSON text: what is read is read as others read it, and written as it was.
pub fn json(data: &[u8]) {
    let unmarked = data.strip_prefix("\u{feff}".as_bytes()).unwrap_or(data);
    let theirs = serde_json::from_slice::<serde_json::Value>(unmarked);
    let Some(ours) = Json::parse(data) else {
        // The other way round: what it makes of the text, written again, is JSON for both of us, unless it is more
        // than we read.
        if let Ok(theirs) = theirs
            && is_small(&theirs, 0)
        {
            let text = theirs.to_string();
            assert!(Json::parse(text.as_bytes()).is_some(), "{text}");
        }
        return;
    };
    let text = ours.text();
    assert_eq!(Json::parse(text.as_bytes()), Some(ours.clone()), "{text}");
    match theirs {
        Ok(theirs) => assert_eq!(like_theirs(&ours), Some(theirs), "{text}"),
        // Only a number may be too large for it.
        Err(error) => assert!(
            error.to_string().starts_with("number out of range"),
            "{error}"
        ),
    }
    for name in ours.names() {
        let member = ours.get(name);
        assert!(member != Some(&Json::Null));
    }
    check_numbers(&ours);
}

/// Every number is the one that `serde_json` reads, but for what its 64 bits of a fraction cannot hold.
fn check_numbers(json: &Json) {
    match json {
        Json::Number(text) => {
            let ours = json::whole(text);
            if let Some(number) = ours {
                assert_eq!(json::whole(&json::decimal(number)), Some(number));
            }
            let Ok(theirs) = serde_json::from_str::<serde_json::Value>(text) else {
                return assert!(text.starts_with('-') || ours == Some(u64::MAX), "{text}");
            };
            if text.starts_with('-') {
                return assert_eq!(ours, None, "{text}");
            }
            let ours = ours.unwrap_or_else(|| panic!("no number: {text}"));
            if let Some(theirs) = theirs.as_u64() {
                return assert_eq!(ours, theirs, "{text}");
            }
            let theirs = theirs.as_f64().expect("a number").trunc();
            let (ours, most) = (ours as f64, u64::MAX as f64);
            assert!(
                (ours - theirs.min(most)).abs() <= theirs.max(1.0) * 1e-15 + 1.0,
                "{text}"
            );
            if theirs < 9e15 && !text.contains(".999999999") {
                assert_eq!(ours, theirs, "{text}");
            }
            let mut exact = json.clone();
            exact.keep_exact();
            let shown = exact.text();
            assert_eq!(shown.trim_matches('"'), text, "no digit is lost");
        }
        Json::Array(items) => items.iter().for_each(check_numbers),
        Json::Object(members) => members.iter().for_each(|(_, value)| check_numbers(value)),
        _ => {}
    }
}

fn is_small(value: &serde_json::Value, depth: usize) -> bool {
    match value {
        serde_json::Value::Array(items) => {
            depth < 31 && items.iter().all(|item| is_small(item, depth + 1))
        }
        serde_json::Value::Object(members) => {
            depth < 31
                && members.len() <= 256
                && members.values().all(|item| is_small(item, depth + 1))
        }
        _ => depth < 32,
    }
}

fn like_theirs(json: &Json) -> Option<serde_json::Value> {
    Some(match json {
        Json::Null => serde_json::Value::Null,
        Json::Bool(value) => (*value).into(),
        Json::Number(text) => serde_json::from_str(text).ok()?,
        Json::String(text) => text.clone().into(),
        Json::Array(items) => items
            .iter()
            .map(like_theirs)
            .collect::<Option<Vec<_>>>()?
            .into(),
        Json::Object(members) => {
            let mut map = serde_json::Map::new();
            for (name, value) in members {
                map.insert(name.clone(), like_theirs(value)?);
            }
            map.into()
        }
    })
}

/// A resource server of the configuration and the URL of a call: `SERVER URL`. What a page asks for is parsed by the
/// browser first, so it is parsed here.
pub fn url(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Some([server, call]) = words(&text) else {
        return;
    };
    if address::check_return_to(call, ORIGIN).is_ok() {
        check_return_to(call);
    }
    let checked = address::check("tokenEndpoint", call, false).is_ok();
    if checked && let Ok(url) = Url::parse(call) {
        check_secure(url.as_str());
        let ours = address::Url::split(url.as_str()).expect("a URL");
        assert_eq!((ours.path, ours.query), (url.path(), url.query()), "{call}");
    }
    let (Ok(()), Ok(url)) = (resource::check_server(server), Url::parse(call)) else {
        return;
    };
    let Some(below) = resource::below(server, url.as_str()) else {
        assert_eq!(resource::covers(server, url.as_str()), None);
        return;
    };
    let Ok(place) = Url::parse(server) else {
        panic!("{server} covers {url} and is none");
    };
    check_secure(place.as_str());
    assert_eq!(url.origin(), place.origin(), "{server} {url}");
    assert!(
        url.username().is_empty() && url.password().is_none(),
        "{url}"
    );
    let root = place.path().trim_end_matches('/');
    assert!(
        url.path().starts_with(root) && url.path().ends_with(below),
        "{server} {url}"
    );
    if !root.is_empty() {
        // Decoded once or twice, with every slash a slash and parameters cut off, it stays below.
        let decode = |path: &str| {
            let path = path.replace('+', "%2B");
            let pairs = url::form_urlencoded::parse(path.as_bytes()).next();
            pairs.map_or(String::new(), |(name, value)| match value.is_empty() {
                true => name.into_owned(),
                false => format!("{name}={value}"),
            })
        };
        let mut path = String::from(below);
        for _ in 0..2 {
            path = decode(&path.replace('&', "%26"));
        }
        let mut depth = 0i32;
        for segment in path.split(['/', '\\']) {
            match segment.split(';').next().unwrap_or_default() {
                ".." => depth -= 1,
                "" | "." => {}
                _ => depth += 1,
            }
            assert!(depth >= 0, "{url} leaves {server}");
        }
    }
    let closeness = resource::covers(server, url.as_str());
    assert_eq!(closeness, Some(url.path().len() - below.len()));
}

/// The browser's description of a call: lines (`|` between them here), the last with the page's own options.
pub fn request(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let text = text.replacen('|', "\n", 3);
    let mut request = match PrivateRequest::read(&text) {
        Ok(request) => request,
        Err(error) => {
            assert_eq!(error.code, ErrorCode::InvalidRequest);
            return check_error(&error, &[]);
        }
    };
    let session = session("");
    match session.admit(&request, 0) {
        Ok((name, value)) => assert_eq!(name.is_empty(), value.is_empty(), "{text}"),
        Err(error) => check_error(&error, &[]),
    }
    let mut sessions = Sessions::new();
    let id = sessions.add(session);
    if let Ok(found) = sessions.find(request.url()) {
        assert_eq!(found, id);
        assert!(
            request.url().starts_with("https://api.example/v1"),
            "{text}"
        );
    }
    let writes = !["GET", "HEAD", "OPTIONS"].contains(&request.method());
    assert!(!(writes && request.is_patient()), "{text}");
    let options = text.splitn(4, '\n').nth(3).unwrap_or_default();
    let said = Json::parse(options.as_bytes());
    let most = said
        .as_ref()
        .and_then(|said| said.get("maxWait")?.as_u32())
        .unwrap_or(0)
        .min(2_000_000);
    let mut waited = 0u64;
    for round in 0..40u32 {
        let said = [None, Some(round), Some(0)][round as usize % 3];
        if let Some(pause) = request.pause(429, said, (round as u8).wrapping_mul(7)) {
            waited += u64::from(pause);
        }
    }
    assert!(
        waited <= u64::from(most) * 1000,
        "{waited} of {most}: {text}"
    );
}

/// The parts of a text that tabs separate.
fn columns<const N: usize>(text: &str) -> Option<[&str; N]> {
    text.split('\t').collect::<Vec<_>>().try_into().ok()
}

/// A signed text: as it is, or of a header and a payload that are JSON texts, and a signature.
fn signed(text: &str) -> String {
    match columns(text) {
        Some([header, payload, signature]) => {
            let encoded = [header, payload, signature].map(|part| base64url(part.as_bytes()));
            encoded.join(".")
        }
        None => String::from(text),
    }
}

/// `HEADER<tab>CLAIMS<tab>SIGNATURE`, or a whole ID Token: one that is accepted says what it must, as others read it.
pub fn id_token(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let whole = signed(&text);
    let (now, nonce) = (1_700_000_000, "n1");
    let rules = Rules {
        issuer: "https://as.example",
        client_id: "c1",
        trusted: &[],
        max_age: Some(60),
    };
    for channel in [Channel::Direct, Channel::Indirect] {
        let unchecked = Unchecked {
            token: IdToken::new(whole.clone()),
            channel,
            about: About::Login {
                nonce: String::from(nonce),
            },
        };
        assert!(!format!("{unchecked:?}").contains(CANARY), "Debug shows it");
        let jws = match unchecked.read(&rules, "the access token", now) {
            Ok(jws) => jws,
            Err(error) => {
                assert_eq!(error.code, ErrorCode::InvalidIdToken);
                assert!(!error.to_json().contains(CANARY), "the error shows it");
                continue;
            }
        };
        let claims: serde_json::Value =
            serde_json::from_str(&jws.payload.text()).expect("claims are JSON");
        assert_eq!(claims["iss"], "https://as.example");
        assert_eq!(claims["nonce"], nonce);
        assert!(claims["sub"].as_str().is_some_and(|sub| !sub.is_empty()));
        let audience = &claims["aud"];
        let ours = |value: &serde_json::Value| value == "c1";
        assert!(
            ours(audience)
                || audience
                    .as_array()
                    .is_some_and(|list| list.iter().any(ours))
        );
        assert!(
            claims
                .get("azp")
                .is_none_or(|azp| azp.is_null() || azp == "c1")
        );
        let time = |name: &str| claims[name].as_f64().expect(name);
        assert!(time("exp") > time("iat"));
        assert!(time("iat") - time("auth_time") <= 121.0, "max_age");
        let leeway = if channel == Channel::Direct {
            26.0 * 3600.0
        } else {
            300.0
        };
        assert!(time("exp") + leeway + 1.0 > f64::from(now));
        assert!(!jws.alg().eq_ignore_ascii_case("none") && !jws.alg().is_empty());
        if channel == Channel::Indirect {
            assert!(claims["at_hash"].is_string(), "it says whose it is");
        }
        let shown = openid::shown(&jws.payload);
        assert!(shown.get("nonce").is_none() && shown.get("at_hash").is_none());
    }
}

/// `ALG<tab>KID<tab>JWK SET`: the key that is chosen is a public one of the set, of the algorithm's own kind.
pub fn keys(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Some([alg, kid, set]) = columns(&text) else {
        return;
    };
    let header = serde_json::json!({ "alg": alg, "kid": kid });
    let whole = signed(&format!("{header}\t{{}}\tsignature"));
    let (Ok(jws), Some(set)) = (Jws::read(&whole), Json::parse(set.as_bytes())) else {
        return;
    };
    let Some(algorithm) = jws.algorithm() else {
        return;
    };
    let Ok(check) = jws.check(&whole, algorithm, &set) else {
        return;
    };
    let key: serde_json::Value = serde_json::from_str(&check.key).expect("a key is JSON");
    let kind = match alg {
        "ES256" => ("EC", Some("P-256")),
        "ES384" => ("EC", Some("P-384")),
        "ES512" => ("EC", Some("P-521")),
        alg if alg.starts_with(['R', 'P']) => ("RSA", None),
        _ => ("OKP", Some("Ed25519")),
    };
    assert_eq!(
        (key["kty"].as_str(), key["crv"].as_str()),
        (Some(kind.0), kind.1)
    );
    for private in ["d", "p", "q", "dp", "dq", "qi", "k", "oth"] {
        assert!(key.get(private).is_none(), "{private} is passed on");
    }
    // A number is the same with padding, with other letters, and with zeros before it.
    let same = |one: &serde_json::Value, other: &serde_json::Value| {
        let bytes = |text: &serde_json::Value| {
            let text = text
                .as_str()?
                .replace('=', "")
                .replace('+', "-")
                .replace('/', "_");
            let bytes = jose::decode(&text)?;
            Some(
                bytes
                    .into_iter()
                    .skip_while(|byte| *byte == 0)
                    .collect::<Vec<_>>(),
            )
        };
        one == other || (bytes(one).is_some() && bytes(one) == bytes(other))
    };
    let set: serde_json::Value = serde_json::from_str(&set.text()).expect("JSON");
    let from = set["keys"]
        .as_array()
        .expect("a set")
        .iter()
        .find(|candidate| {
            let members = key.as_object().expect("an object");
            members
                .iter()
                .all(|(name, value)| candidate.get(name).is_some_and(|other| same(value, other)))
        });
    let from = from.expect("the key is one of the set");
    let named = from.get("kid").and_then(serde_json::Value::as_str);
    assert!(named.is_none_or(|named| named == kid), "another key's name");
    assert_eq!(
        whole.rsplit_once('.').map(|(signed, _)| signed),
        Some(check.signed.as_str())
    );
}

/// `STATUS<tab>TYPE<tab>BODY<tab>NONCE`: what the userinfo endpoint says, the answer to a pushed request, a nonce.
pub fn said(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let Some([status, content_type, body, nonce]) = columns(&text) else {
        return;
    };
    let Ok(status) = status.parse::<u16>() else {
        return;
    };
    let claims = Json::parse(br#"{"iss":"https://as.example","sub":"u1","nonce":"n1"}"#);
    let claims = claims.expect("the target's own claims");
    if let Ok(info) = openid::join(&claims, status, content_type, body.as_bytes()) {
        assert_eq!((status, info.str("sub")), (200, Some("u1")));
        assert_eq!(
            info.str("iss"),
            Some("https://as.example"),
            "only the ID Token says"
        );
        assert!(claims.get("nonce").is_some() && openid::shown(&claims).get("nonce").is_none());
    }
    match pushed::read(status, body.as_bytes()) {
        Ok(uri) => {
            assert!(matches!(status, 200 | 201) && !uri.is_empty());
            assert!(
                uri.bytes().all(|byte| byte.is_ascii_graphic()),
                "it goes into an address"
            );
        }
        Err(error) => assert!(error.to_json().starts_with("{\"name\":\"OAuthError\"")),
    }
    let mut nonces = Nonces::new();
    let news = nonces.adopt("https://as.example/token", nonce);
    let kept = nonces.get("https://as.example/other");
    assert_eq!(kept, news.then_some(nonce));
    assert_eq!(nonces.get("https://api.example/"), None, "another server's");
    assert!(!news || nonce.bytes().all(|byte| byte.is_ascii_graphic()));
}
