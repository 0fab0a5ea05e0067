//! relay/relay.mjs: a provider that demands a client secret, a page that has none, and the small backend between them.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::response::Response;
use e2e::{APP, Engine, Https, VAULT_APP, World};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use sandbox::{Fault, FaultKind, Sandbox, Settings};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use tokio::net::TcpListener;

const CLIENT: &str = "1620218256833906";
const SECRET: &str = "sandbox-secret";
/// The application's origin where no browser is needed.
const ORIGIN: &str = "https://app.example";
const REDIRECT_URI: &str = "https://app.example/cb";
/// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: (&str, &str) = ("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "S256");
const PATIENCE: Duration = Duration::from_secs(20);

/// A running relay; killed when dropped.
struct Relay {
    origin: String,
    process: Child,
    lines: Receiver<String>,
    said: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

impl Relay {
    /// Of the sandbox's Mercado Libre, for pages of that origin, on a free port; `more` goes before.
    fn start(sandbox_origin: &str, app_origin: &str, more: &[(&str, &str)]) -> Relay {
        let endpoint = format!("{sandbox_origin}/oauth/token");
        let mut settings = BTreeMap::from([
            ("CLIENT_ID", CLIENT),
            ("CLIENT_SECRET", SECRET),
            ("TOKEN_ENDPOINT", &endpoint),
            ("ALLOWED_ORIGINS", app_origin),
            ("PORT", "0"),
        ]);
        settings.extend(more.iter().copied());
        let settings: Vec<_> = settings.into_iter().collect();
        let mut process = node(&settings).spawn().expect("node starts");

        let said = Arc::new(Mutex::new(String::new()));
        let (sender, lines) = channel();
        let stdout = process.stdout.take().expect("stdout is a pipe");
        let stderr = process.stderr.take().expect("stderr is a pipe");
        let readers = vec![
            listen(stdout, Some(sender), Arc::clone(&said)),
            listen(stderr, None, Arc::clone(&said)),
        ];
        let mut relay = Relay {
            origin: String::new(),
            process,
            lines,
            said,
            readers,
        };
        let line = relay.line_with("listening on ");
        relay.origin = line["listening on ".len()..].to_owned();
        relay
    }

    fn token_endpoint(&self) -> String {
        format!("{}/token", self.origin)
    }

    fn port(&self) -> &str {
        self.origin.rsplit(':').next().expect("a port")
    }

    /// The next line of stdout that starts so.
    fn line_with(&self, start: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("no {start:?} in {}", self.said()));
            if line.starts_with(start) {
                return line;
            }
        }
    }

    /// stdout and stderr so far.
    fn said(&self) -> String {
        self.said.lock().expect("no reader panics").clone()
    }

    fn terminate(&self) {
        let id = self.process.id().to_string();
        let killed = Command::new("kill").args(["-TERM", &id]).status();
        assert!(killed.expect("kill runs").success());
    }

    /// Waits for its end, and gives all it has said.
    fn ended(mut self) -> (ExitStatus, String) {
        let silence = loop {
            if let Err(silence) = self.lines.recv_timeout(PATIENCE) {
                break silence;
            }
        };
        // Its stdout closes with it.
        assert_eq!(silence, RecvTimeoutError::Disconnected, "it does not end");
        let status = self.process.wait().expect("it ends");
        for reader in self.readers.drain(..) {
            reader.join().expect("no reader panics");
        }
        (status, self.said())
    }

    /// Kills it, and gives all it has said.
    fn killed(mut self) -> String {
        self.process.kill().expect("it runs");
        self.ended().1
    }

    fn ask(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        ask(&self.origin, line, headers, body)
    }

    /// A form from the application's page.
    fn post(&self, form: &str) -> Answer {
        self.ask("POST /token", &[("Origin", ORIGIN), FORM], form)
    }
}

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

impl Drop for Relay {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `node relay/relay.mjs` with these settings and no others.
fn node(settings: &[(&str, &str)]) -> Command {
    let mut node = Command::new("node");
    node.arg(e2e::workspace().join("relay/relay.mjs"))
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .envs(settings.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    node
}

fn listen(
    from: impl Read + Send + 'static,
    to: Option<Sender<String>>,
    said: Arc<Mutex<String>>,
) -> JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            *said.lock().expect("no reader panics") += &format!("{line}\n");
            if let Some(to) = &to {
                let _ = to.send(line);
            }
        }
    })
}

/// One request, byte for byte, on a connection of its own. A length is added where no header says another thing.
fn ask(origin: &str, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut request = format!("{line} HTTP/1.1\r\nHost: relay\r\n");
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    if !headers.iter().any(|(name, _)| *name == "Transfer-Encoding") {
        request += &format!("Content-Length: {}\r\n", body.len());
    }
    let address = origin.strip_prefix("http://").expect("http");
    let mut stream = TcpStream::connect(address).expect("the relay listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    write!(stream, "{request}\r\n{body}").expect("the relay reads to the end");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    Answer::parse(&answer)
}

struct Answer {
    status: u16,
    /// Names in lower case.
    headers: BTreeMap<String, String>,
    body: String,
}

impl Answer {
    fn parse(text: &str) -> Answer {
        let (head, body) = text.split_once("\r\n\r\n").expect("head and body");
        let (line, headers) = head.split_once("\r\n").expect("headers");
        let status = line.split(' ').nth(1).expect("a status");
        let header = |line: &str| {
            let (name, value) = line.split_once(": ").expect("a header");
            (name.to_ascii_lowercase(), value.to_owned())
        };
        Answer {
            status: status.parse().expect("a number"),
            headers: headers.split("\r\n").map(header).collect(),
            body: body.to_owned(),
        }
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("JSON: {}", self.body))
    }
}

/// A sandbox that demands the secret, and where it is.
async fn provider() -> (Arc<Sandbox>, String) {
    let sandbox = Arc::new(Sandbox::new());
    sandbox.change(|settings| settings.require_client_secret = true);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(sandbox::serve(listener, Arc::clone(&sandbox)));
    (sandbox, origin)
}

/// The form with which the library spends a fresh code.
fn code_form(sandbox: &Sandbox) -> String {
    let scope = "offline_access read";
    form_of(
        CLIENT,
        &sandbox.grant_code(CLIENT, REDIRECT_URI, scope, Some(CHALLENGE)),
    )
}

fn form_of(client_id: &str, code: &str) -> String {
    let client = format!("grant_type=authorization_code&client_id={client_id}&code={code}");
    format!("{client}&redirect_uri={REDIRECT_URI}&code_verifier={VERIFIER}")
}

fn refresh_form(refresh_token: &str) -> String {
    format!("grant_type=refresh_token&client_id={CLIENT}&refresh_token={refresh_token}")
}

/// Every secret in what the sandbox received.
fn secrets(sandbox: &Sandbox) -> Vec<String> {
    let mut secrets = vec![SECRET.to_owned()];
    for request in sandbox.requests() {
        for name in ["code", "code_verifier", "refresh_token", "client_secret"] {
            secrets.extend(request.form(name));
        }
        if let Some((_, token)) = request
            .header("authorization")
            .and_then(|it| it.split_once(' '))
        {
            secrets.push(token.to_owned());
        }
    }
    secrets
}

fn says_no_secret(said: &str, sandbox: &Sandbox) {
    for secret in secrets(sandbox) {
        assert!(!said.contains(&secret), "{secret} in {said}");
    }
}

/// The application's own origin as a reverse proxy and a load balancer make it: `/oauth/token` goes to the copies of
/// the relay in turn, everything else to the application.
struct Front {
    origin: String,
    listener: TcpListener,
}

impl Front {
    async fn bind() -> Front {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("an address"));
        Front { origin, listener }
    }

    /// Everything that the relays answer is kept.
    fn serve(self, app: &str, relays: &[&Relay]) -> Arc<Mutex<String>> {
        let app = app.to_owned();
        let relays: Vec<_> = relays.iter().map(|relay| relay.token_endpoint()).collect();
        let turn = Arc::new(AtomicUsize::new(0));
        let answers = Arc::new(Mutex::new(String::new()));
        let kept = Arc::clone(&answers);
        let router = Router::new().fallback(move |request: Request| {
            let path = request
                .uri()
                .path_and_query()
                .map_or("/", |path| path.as_str());
            let (to, kept) = match path {
                "/oauth/token" => {
                    // The question whether it is there takes no turn: each copy gets as many token requests.
                    let step = usize::from(request.method() == "POST");
                    let turn = turn.fetch_add(step, Ordering::Relaxed);
                    (relays[turn % relays.len()].clone(), Some(Arc::clone(&kept)))
                }
                _ => (format!("{app}{path}"), None),
            };
            async move { pass_on(request, &to, kept).await }
        });
        tokio::spawn(async { axum::serve(self.listener, router).await });
        answers
    }
}

async fn pass_on(mut request: Request, to: &str, kept: Option<Arc<Mutex<String>>>) -> Response {
    *request.uri_mut() = to.parse().expect("a URL");
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let answer = client.request(request).await.expect("an answer");
    let (mut parts, body) = answer.into_parts();
    let body = to_bytes(Body::new(body), 1 << 24).await.expect("a body");
    if let Some(kept) = kept {
        let text = String::from_utf8_lossy(&body);
        *kept.lock().expect("nobody panics") += &format!("{:?}\n{text}\n", parts.headers);
    }
    for name in ["connection", "transfer-encoding", "content-length"] {
        parts.headers.remove(name);
    }
    Response::from_parts(parts, Body::from(body))
}

// In a browser

/// A world whose provider demands the secret, and a relay on another origin than the page's.
async fn world_and_relay() -> (World, Relay) {
    let world = World::start().await;
    world
        .sandbox
        .change(|settings| settings.require_client_secret = true);
    let relay = Relay::start(&world.sandbox_origin, &world.app.origin, &[]);
    (world, relay)
}

/// A session whose access token has ended already.
async fn expired_session(world: &World, relay: &Relay) {
    world.brief_tokens(true);
    let config = json!({ "tokenEndpoint": relay.token_endpoint() });
    world.log_in(config).await;
    world.brief_tokens(false);
    world.sandbox.forget_requests();
}

/// Every token is said to end as soon as it is there.
fn renew_for_every_call(settings: &mut Settings) {
    let member = ("expires_in".into(), json!(0.5));
    settings.token_response.extend([member]);
}

async fn me(world: &World) -> Value {
    world.fetch_private("/users/me", Value::Null).await
}

async fn session(world: &World) -> Value {
    world.run("return await oauth.session()", &[]).await
}

#[tokio::test]
async fn on_the_applications_own_origin_any_copy_answers_and_the_browser_never_sees_the_secret() {
    let world = World::start().await;
    world.sandbox.change(|settings| {
        settings.require_client_secret = true;
        settings.auto_consent = true;
        renew_for_every_call(settings);
    });
    let front = Front::bind().await;
    let origin = front.origin.clone();
    let start = || Relay::start(&world.sandbox_origin, &origin, &[]);
    let (first, second) = (start(), start());
    let answers = front.serve(&world.app.origin, &[&first, &second]);

    let page = format!("{origin}/e2e/search.html");
    world.open_app(&page).await;
    let config = json!({ "redirectUri": page, "tokenEndpoint": format!("{origin}/oauth/token") });
    world.leave(config).await;
    let outcome = world.redirected().await;
    assert!(outcome["session"].is_object(), "{outcome}");
    let token_calls = |relay: &Relay| relay.said().matches("POST /token 200").count();
    for renewals in 1..=3 {
        assert_eq!(me(&world).await["value"]["status"], 200);
        assert_eq!(world.token_requests("refresh_token"), renewals);
    }
    assert_eq!(world.token_requests("authorization_code"), 1);
    for request in world.sandbox.requests() {
        if request.path == "/oauth/token" {
            assert_eq!(request.form("client_secret").as_deref(), Some(SECRET));
        }
    }

    let answers = answers.lock().expect("nobody panics").clone();
    assert_eq!(answers.matches("\"access_token\"").count(), 4);
    assert!(!answers.contains(SECRET), "{answers}");
    let (start, end) = SECRET.split_at(SECRET.len() / 2);
    let seen = world
        .run("return await search([args])", &[json!(start), json!(end)])
        .await;
    assert_eq!(seen["whole"], true, "{seen}");
    assert_eq!(seen["found"], json!([]), "{seen}");
    world.is_quiet().await;

    assert_eq!((token_calls(&first), token_calls(&second)), (2, 2));
    for said in [first.killed(), second.killed()] {
        says_no_secret(&said, &world.sandbox);
    }
}

#[tokio::test]
async fn on_another_origin_it_serves_the_pages_that_are_listed_and_no_others() {
    let (world, relay) = world_and_relay().await;
    world.sandbox.change(renew_for_every_call);
    let config = json!({ "tokenEndpoint": relay.token_endpoint() });
    world.log_in(config.clone()).await;
    assert_eq!(me(&world).await["value"]["status"], 200);
    assert_eq!(world.token_requests("refresh_token"), 1);

    // The same page under a name that is another origin.
    world.sandbox.forget_requests();
    let page = format!("{}{APP}", world.app.at("localhost"));
    let mut config = config;
    config["redirectUri"] = json!(page);
    world.open_app(&page).await;
    world.leave(config).await;
    let outcome = world.redirected().await;
    assert_eq!(outcome["error"]["code"], "network_error", "{outcome}");
    assert_eq!(world.calls("/oauth/token"), [], "nothing was passed on");
    relay.line_with("POST /token 403");
}

#[tokio::test]
async fn without_it_a_provider_that_demands_a_secret_refuses_the_page() {
    let world = World::start().await;
    world.sandbox.change(|settings| {
        settings.require_client_secret = true;
        settings.auto_consent = true;
    });
    world.start_login(json!({})).await;
    let outcome = world.redirected().await;
    assert_eq!(
        outcome["error"]["code"], "token_request_refused",
        "{outcome}"
    );
    assert_eq!(outcome["error"]["error"], "invalid_client");
}

#[tokio::test]
async fn while_it_is_down_calls_fail_with_network_error_and_the_session_is_kept() {
    let (world, relay) = world_and_relay().await;
    expired_session(&world, &relay).await;
    let port = relay.port().to_owned();
    relay.killed();
    let outcome = me(&world).await;
    assert_eq!(outcome["error"]["code"], "network_error", "{outcome}");
    assert_eq!(outcome["error"]["retryable"], true);
    assert_eq!(session(&world).await["renewable"], true);

    let port = [("PORT", port.as_str())];
    let _relay = Relay::start(&world.sandbox_origin, &world.app.origin, &port);
    assert_eq!(me(&world).await["value"]["status"], 200);
    assert_eq!(world.token_requests("refresh_token"), 1);
}

#[tokio::test]
async fn while_the_provider_is_down_calls_fail_with_server_error_and_the_session_is_kept() {
    let (world, relay) = world_and_relay().await;
    expired_session(&world, &relay).await;
    let drop = Fault::new("/oauth/token", FaultKind::DropBefore);
    world
        .sandbox
        .change(|settings| settings.faults = vec![drop]);
    let outcome = me(&world).await;
    assert_eq!(outcome["error"]["code"], "server_error", "{outcome}");
    assert_eq!(outcome["error"]["error"], "temporarily_unavailable");
    assert_eq!(outcome["error"]["status"], 502);
    assert_eq!(outcome["error"]["retryable"], true);
    assert_eq!(
        world.calls("/oauth/token").len(),
        1,
        "it does not try again"
    );
    assert_eq!(session(&world).await["renewable"], true);

    assert_eq!(me(&world).await["value"]["status"], 200);
    says_no_secret(&relay.killed(), &world.sandbox);
}

#[tokio::test]
async fn a_limit_of_the_providers_reaches_the_page_also_from_another_origin() {
    let (world, relay) = world_and_relay().await;
    expired_session(&world, &relay).await;
    let wait = [("retry-after", "60")];
    let limited = FaultKind::body(429, "text/plain", "local_rate_limited", &wait);
    let fault = Fault::new("/oauth/token", limited).times(2);
    world
        .sandbox
        .change(|settings| settings.faults = vec![fault]);
    let outcome = me(&world).await;
    assert_eq!(outcome["error"]["code"], "rate_limited", "{outcome}");
    let script = "const headers = { 'content-type': 'application/x-www-form-urlencoded' }
        const response = await fetch(args[0], { method: 'POST', headers, body: args[1] })
        return [response.status, response.headers.get('retry-after'), await response.text()]";
    let args = [json!(relay.token_endpoint()), json!(refresh_form("TG-x"))];
    let seen = world.run(script, &args).await;
    assert_eq!(seen, json!([429, "60", "local_rate_limited"]));
}

// Without a browser

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_a_pages_token_request_is_refused_and_never_reaches_the_provider() {
    let (sandbox, provider) = provider().await;
    let origins = format!("https://other.example, {ORIGIN}");
    let relay = Relay::start(&provider, &origins, &[]);
    let (code, refresh) = (code_form(&sandbox), refresh_form("TG-x"));
    let mut asked = 0;
    let mut check = |what: &str, answer: Answer, status: u16, error: &str, listed: bool| {
        asked += 1;
        assert_eq!(answer.status, status, "{what}: {}", answer.body);
        assert_eq!(answer.json()["error"], error, "{what}");
        let description = answer.json()["error_description"].to_string();
        assert!(
            description.starts_with("\"relay: "),
            "{what}: {description}"
        );
        assert_eq!(answer.header("cache-control"), "no-store", "{what}");
        assert_eq!(answer.header("vary"), "origin", "{what}");
        assert_eq!(answer.header("connection"), "close", "{what}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{what}");
        let allowed = if listed { ORIGIN } else { "" };
        assert_eq!(
            answer.header("access-control-allow-origin"),
            allowed,
            "{what}"
        );
    };

    for origins in [
        vec![],
        vec!["null"],
        vec!["https://evil.example"],
        vec!["http://app.example"],
        vec!["https://app.example.evil.example"],
        vec!["https://app.example:8443"],
        vec!["https://other.example, https://app.example"],
        vec![ORIGIN, "https://evil.example"],
        vec![ORIGIN, ORIGIN],
    ] {
        let what = format!("Origin {origins:?}");
        let mut headers: Vec<_> = origins.iter().map(|origin| ("Origin", *origin)).collect();
        headers.push(FORM);
        for form in [&code, &refresh] {
            let answer = relay.ask("POST /token", &headers, form);
            check(&what, answer, 403, "invalid_request", false);
        }
    }

    let headers = [("Origin", ORIGIN), FORM];
    for (line, status) in [
        ("POST /", 404),
        ("POST /token/", 404),
        ("POST /TOKEN", 404),
        ("POST /token/../oauth/token", 404),
        ("POST //token", 404),
        ("GET /token", 405),
        ("PUT /token", 405),
        ("DELETE /token", 405),
        ("POST /token?x=y", 400),
    ] {
        check(
            line,
            relay.ask(line, &headers, &code),
            status,
            "invalid_request",
            true,
        );
    }
    let all_in_query = format!("POST /token?{code}");
    check(
        "query",
        relay.ask(&all_in_query, &headers, ""),
        400,
        "invalid_request",
        true,
    );

    for content_type in [
        None,
        Some("application/json"),
        Some("text/plain"),
        Some("multipart/form-data; boundary=x"),
        Some("application/x-www-form-urlencoded-not"),
        Some("text/plain, application/x-www-form-urlencoded"),
    ] {
        let mut headers = vec![("Origin", ORIGIN)];
        headers.extend(content_type.map(|value| ("Content-Type", value)));
        let answer = relay.ask("POST /token", &headers, &code);
        check(
            &format!("{content_type:?}"),
            answer,
            415,
            "invalid_request",
            true,
        );
    }

    let large = |bytes: usize| format!("{refresh}&x={}", "x".repeat(bytes));
    for bytes in [16 * 1024, 1 << 20] {
        check(
            "large",
            relay.post(&large(bytes)),
            413,
            "invalid_request",
            true,
        );
    }
    let body = large(32 * 1024);
    let chunked = format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len());
    let headers = [("Origin", ORIGIN), FORM, ("Transfer-Encoding", "chunked")];
    let answer = relay.ask("POST /token", &headers, &chunked);
    check("chunked", answer, 413, "invalid_request", true);

    let without = |name: &str| {
        let parts = code.split('&').filter(|part| !part.starts_with(name));
        parts.collect::<Vec<_>>().join("&")
    };
    let twice = |part: &str| format!("{code}&{part}");
    let other_client = code.replace(CLIENT, "appfigures-sandbox");
    let other_verifier = |verifier: &str| code.replace(VERIFIER, verifier);
    for (form, error) in [
        (String::new(), "invalid_client"),
        (twice(&format!("client_id={CLIENT}")), "invalid_request"),
        (twice("client_id=other"), "invalid_request"),
        (twice("grant_type=refresh_token"), "invalid_request"),
        (twice("cod%65=other"), "invalid_request"),
        (twice("x=1&x=1"), "invalid_request"),
        (twice("client_secret=guess"), "invalid_request"),
        (twice("client_secret="), "invalid_request"),
        (without("client_id="), "invalid_client"),
        (other_client, "invalid_client"),
        (without("grant_type="), "unsupported_grant_type"),
        (without("code="), "invalid_request"),
        (without("redirect_uri="), "invalid_request"),
        (without("code_verifier="), "invalid_request"),
        (other_verifier(""), "invalid_request"),
        (other_verifier("short"), "invalid_request"),
        (other_verifier(&"x".repeat(129)), "invalid_request"),
        (other_verifier(&"%20".repeat(43)), "invalid_request"),
        (refresh_form(""), "invalid_request"),
        (
            refresh.replace("refresh_token=TG-x", "code=x"),
            "invalid_request",
        ),
    ] {
        check(&form, relay.post(&form), 400, error, true);
    }
    for grant_type in [
        "",
        "password",
        "client_credentials",
        "implicit",
        "Refresh_Token",
        "refresh_token%20",
        "__proto__",
        "constructor",
        "urn:ietf:params:oauth:grant-type:device_code",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ] {
        let more = "username=TETE9928972&password=sandbox&scope=read";
        let form = format!("grant_type={grant_type}&client_id={CLIENT}&{more}");
        check(
            &form,
            relay.post(&form),
            400,
            "unsupported_grant_type",
            true,
        );
    }

    // No page sends these, and they are no reason to fail.
    for line in ["TRACE /token", "POST //[", "POST http://["] {
        let answer = relay.ask(line, &[("Origin", ORIGIN), FORM], "");
        assert_eq!((answer.status, answer.body.as_str()), (400, ""), "{line}");
        asked += 1;
    }
    assert_eq!(sandbox.requests(), []);

    // The very same forms are good where nothing is wrong with them.
    assert_eq!(relay.post(&code).status, 200);
    assert_eq!(relay.post(&refresh).json()["error"], "invalid_grant");
    let said = relay.killed();
    assert_eq!(said.lines().count(), 1 + asked + 2, "a line each: {said}");
    says_no_secret(&said, &sandbox);
    for part in ["TG-x", "guess", "client_id=", "code="] {
        assert!(!said.contains(part), "{part} in {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_parameters_of_the_two_grants_are_passed_on_and_no_header_of_the_pages() {
    let (sandbox, provider) = provider().await;
    let relay = Relay::start(&provider, ORIGIN, &[]);
    let headers = [
        ("Origin", ORIGIN),
        (
            "Content-Type",
            "Application/X-WWW-Form-URLEncoded;charset=UTF-8",
        ),
        ("Cookie", "session=1"),
        ("Authorization", "Basic eDp5"),
        ("Referer", "https://app.example/secret"),
        ("X-Forwarded-For", "192.0.2.1"),
    ];
    let more = "&audience=x&scope=write&assertion=x&refresh_token=x&redirect_url=x&x";
    let form = code_form(&sandbox) + more;
    let answer = relay.ask("POST /token", &headers, &form);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let content_type = answer.header("content-type");
    assert_eq!(content_type, "application/json; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    let tokens = answer.json();
    let refresh_token = tokens["refresh_token"].as_str().expect("a refresh token");
    let form = refresh_form(refresh_token) + "&scope=read&code=x&code_verifier=x&redirect_uri=x";
    let answer = relay.ask("POST /token", &headers, &form);
    assert_eq!(answer.json()["scope"], "read", "{}", answer.body);

    let names = |body: &str| {
        let names = body.split('&').map(|pair| pair.split('=').next());
        names
            .map(Option::unwrap_or_default)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let requests = sandbox.requests();
    let [code, refresh] = requests.as_slice() else {
        panic!("two requests: {requests:?}");
    };
    let want = [
        "grant_type",
        "code",
        "redirect_uri",
        "code_verifier",
        "client_id",
        "client_secret",
    ];
    assert_eq!(names(&code.body), want);
    assert_eq!(code.form("redirect_uri").as_deref(), Some(REDIRECT_URI));
    let want = [
        "grant_type",
        "refresh_token",
        "scope",
        "client_id",
        "client_secret",
    ];
    assert_eq!(names(&refresh.body), want);
    for request in &requests {
        for name in [
            "origin",
            "cookie",
            "authorization",
            "referer",
            "x-forwarded-for",
        ] {
            assert_eq!(request.header(name), None, "{name}");
        }
        let content_type = request.header("content-type");
        assert_eq!(content_type, Some("application/x-www-form-urlencoded"));
    }

    // A code without its own verifier is worth nothing here either.
    let stolen = code_form(&sandbox).replace(VERIFIER, &"x".repeat(43));
    let answer = relay.post(&stolen);
    assert_eq!(answer.status, 400);
    assert_eq!(answer.json()["error"], "invalid_grant");
    says_no_secret(&relay.killed(), &sandbox);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_auth_basic_the_secret_goes_by_header_each_part_encoded() {
    let (sandbox, provider) = provider().await;
    let secret = "a b:c%d+é&=";
    sandbox.change(|settings| settings.applications[1].client_secret = secret.into());
    let endpoint = format!("{provider}/v2/oauth2/access_token");
    let client = "appfigures-sandbox";
    let settings = [
        ("CLIENT_ID", client),
        ("CLIENT_SECRET", secret),
        ("TOKEN_ENDPOINT", &endpoint),
        ("AUTH", "basic"),
    ];
    let relay = Relay::start(&provider, ORIGIN, &settings);
    let code = sandbox.grant_code(client, REDIRECT_URI, "public:read", Some(CHALLENGE));
    let answer = relay.post(&form_of(client, &code));
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["scope"], "public:read");
    let requests = sandbox.requests();
    assert_eq!(requests[0].form("client_secret"), None);
    assert!(requests[0].header("authorization").is_some());
    says_no_secret(&relay.killed(), &sandbox);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_providers_answer_comes_back_as_it_is_but_for_what_could_do_harm() {
    let (sandbox, provider) = provider().await;
    let relay = Relay::start(&provider, ORIGIN, &[]);
    let answer_to = |kind: FaultKind| {
        let fault = Fault::new("/oauth/token", kind);
        sandbox.change(|settings| settings.faults = vec![fault]);
        relay.post(&refresh_form("TG-x"))
    };

    let json_type = "application/problem+json; charset=utf-8";
    let wait = [
        ("retry-after", "7"),
        ("set-cookie", "a=b"),
        ("www-authenticate", "Basic"),
    ];
    let answer = answer_to(FaultKind::body(401, json_type, "{\"error\":\"ü\"}", &wait));
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (401, "{\"error\":\"ü\"}")
    );
    assert_eq!(answer.header("content-type"), json_type);
    assert_eq!(answer.header("retry-after"), "7");
    for name in ["set-cookie", "www-authenticate"] {
        assert_eq!(answer.header(name), "", "{name}");
    }

    // A page of another host is none of this origin's.
    let html = "<script>alert(1)</script>";
    let answer = answer_to(FaultKind::body(403, "text/html", html, &[]));
    assert_eq!((answer.status, answer.body.as_str()), (403, html));
    assert_eq!(answer.header("content-type"), "text/plain");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer_to(FaultKind::Status500).status, 500);
    assert_eq!(answer_to(FaultKind::Empty(204)).status, 204);

    // A server may repeat what it was sent.
    let echo =
        format!("{{\"error\":\"invalid_client\",\"error_description\":\"no {SECRET}, {SECRET}\"}}");
    let answer = answer_to(FaultKind::body(400, "application/json", &echo, &[]));
    assert_eq!(answer.json()["error_description"], "no (..), (..)");

    // What is no answer is a 502. The secret follows no redirect.
    let elsewhere = format!("{provider}/elsewhere");
    let location = [("location", elsewhere.as_str())];
    for (kind, why) in [
        (
            FaultKind::body(302, "text/html", "", &location),
            "status 302",
        ),
        (
            FaultKind::body(307, "application/json", "{}", &location),
            "status 307",
        ),
        (FaultKind::TooLarge(2_000_000), "too large"),
        (FaultKind::DropAfterProcessing, "UND_ERR_SOCKET"),
    ] {
        let answer = answer_to(kind);
        assert_eq!(answer.status, 502, "{why}");
        assert_eq!(answer.json()["error"], "temporarily_unavailable");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(
            relay.line_with("POST /token 502"),
            format!("POST /token 502 {why}")
        );
    }
    let paths: Vec<_> = sandbox.requests().into_iter().map(|it| it.path).collect();
    assert_eq!(
        paths,
        vec!["/oauth/token"; 9],
        "each asked once, and nobody else"
    );

    // Nobody there, and somebody who does not answer.
    let nobody = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = nobody.local_addr().expect("an address");
    drop(nobody);
    let endpoint = format!("http://{address}/token");
    let down = Relay::start(&provider, ORIGIN, &[("TOKEN_ENDPOINT", &endpoint)]);
    assert_eq!(down.post(&refresh_form("TG-x")).status, 502);
    down.line_with("POST /token 502 ECONNREFUSED");
    let impatient = Relay::start(&provider, ORIGIN, &[("TIMEOUT", "0.1")]);
    sandbox.hold("/oauth/token");
    assert_eq!(impatient.post(&refresh_form("TG-x")).status, 502);
    impatient.line_with("POST /token 502 TimeoutError");
    sandbox.release();
    for said in [relay.killed(), down.killed(), impatient.killed()] {
        says_no_secret(&said, &sandbox);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preflight_is_answered_to_the_pages_that_are_listed() {
    let (sandbox, provider) = provider().await;
    let relay = Relay::start(&provider, ORIGIN, &[]);
    let ask = |origin| {
        let headers = [
            ("Origin", origin),
            ("Access-Control-Request-Method", "POST"),
        ];
        relay.ask("OPTIONS /token", &headers, "")
    };
    let answer = ask(ORIGIN);
    assert_eq!((answer.status, answer.body.as_str()), (204, ""));
    assert_eq!(answer.header("access-control-allow-origin"), ORIGIN);
    assert_eq!(answer.header("access-control-allow-methods"), "POST");
    assert_eq!(answer.header("access-control-allow-credentials"), "");
    assert_eq!(answer.header("vary"), "origin");
    let answer = ask("https://evil.example");
    assert_eq!(answer.status, 403);
    assert_eq!(answer.header("access-control-allow-origin"), "");
    assert_eq!(sandbox.requests(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_to_stop_it_first_answers_what_has_been_sent_on() {
    let (sandbox, provider) = provider().await;
    let relay = Relay::start(&provider, ORIGIN, &[]);
    let address = relay.origin["http://".len()..].to_owned();
    // A browser may open a connection and send nothing: nobody waits for that one.
    let _silent = TcpStream::connect(&address).expect("the relay listens");
    sandbox.hold("/oauth/token");
    let (origin, form) = (relay.origin.clone(), code_form(&sandbox));
    let asked =
        thread::spawn(move || ask(&origin, "POST /token", &[("Origin", ORIGIN), FORM], &form));
    let held = tokio::time::timeout(PATIENCE, sandbox.until_held(1)).await;
    held.expect("it is sent on");
    relay.terminate();
    relay.line_with("stopping");
    assert!(TcpStream::connect(&address).is_err(), "it takes no more");
    sandbox.release();
    let answer = asked.join().expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.body);
    let (status, said) = relay.ended();
    assert_eq!(status.code(), Some(0), "{said}");
    assert!(said.ends_with("stopping\nPOST /token 200\n"), "{said}");
}

#[test]
fn it_does_not_start_on_settings_that_are_missing_or_unsafe_and_names_them() {
    let good = [
        ("CLIENT_ID", CLIENT),
        ("CLIENT_SECRET", SECRET),
        ("TOKEN_ENDPOINT", "https://as.example/token"),
        ("ALLOWED_ORIGINS", ORIGIN),
    ];
    let refused = |settings: &[(&str, &str)], named: &[&str]| {
        let mut process = node(settings).spawn().expect("node starts");
        let stdout = process.stdout.take().expect("stdout is a pipe");
        // One that starts says so, and goes on.
        if let Some(line) = BufReader::new(stdout).lines().next() {
            let _ = process.kill();
            let _ = process.wait();
            panic!("{settings:?}: {line:?}");
        }
        let output = process.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{settings:?}");
        assert_eq!(said.lines().count(), 1, "a sentence: {said}");
        assert!(said.starts_with("relay: "), "{said}");
        for name in named {
            assert!(said.contains(name), "{name}: {said}");
        }
        assert!(!said.contains(SECRET), "{said}");
    };
    refused(&[], &good.map(|(name, _)| name));
    for (name, value) in [
        ("CLIENT_ID", ""),
        ("CLIENT_SECRET", ""),
        ("TOKEN_ENDPOINT", "http://as.example/token"),
        ("TOKEN_ENDPOINT", "http://localhost.evil.example/token"),
        ("TOKEN_ENDPOINT", "http://localhost@evil.example/token"),
        ("TOKEN_ENDPOINT", "as.example"),
        ("ALLOWED_ORIGINS", "*"),
        ("ALLOWED_ORIGINS", "null"),
        ("ALLOWED_ORIGINS", "app.example"),
        ("ALLOWED_ORIGINS", "https://app.example/"),
        ("ALLOWED_ORIGINS", "https://app.example,"),
        ("AUTH", "digest"),
        ("TIMEOUT", "0"),
        ("TIMEOUT", "soon"),
        ("PORT", "99999"),
        ("PORT", "socket"),
        ("HOST", "192.0.2.1"),
    ] {
        let settings: BTreeMap<_, _> = good.into_iter().chain([(name, value)]).collect();
        let settings: Vec<_> = settings.into_iter().collect();
        let named = match name {
            "PORT" => "port",
            "HOST" => value,
            name => name,
        };
        refused(&settings, &[named]);
    }
}

#[test]
fn its_page_names_every_setting() {
    let read = |path| std::fs::read_to_string(e2e::workspace().join(path)).expect("it is there");
    let (relay, page) = (read("relay/relay.mjs"), read("docs/relay.md"));
    let (_, table) = relay.split_once("const SETTINGS = {").expect("a table");
    let (table, _) = table.split_once("\n}").expect("its end");
    let names = table.lines().filter_map(|line| {
        line.strip_prefix("  ")?
            .split_once(": [")
            .map(|(name, _)| name)
    });
    let mut count = 0;
    for name in names.chain(["HOST", "PORT"]) {
        assert!(page.contains(&format!("`{name}`")), "{name}");
        count += 1;
    }
    assert_eq!(count, 10);
}

// With COOKIE_KEY it keeps the refresh token.

const KEY: &str = "a key of this test of thirty-two characters and more";
const OWN: (&str, &str) = ("relay-cookie", "1");

impl Relay {
    /// A form of a page that speaks to a relay with a cookie.
    fn post_with(&self, path: &str, cookie: &str, form: &str) -> Answer {
        let headers = [("Origin", ORIGIN), FORM, OWN, ("Cookie", cookie)];
        self.ask(&format!("POST {path}"), &headers, form)
    }
}

/// Of a `Set-Cookie` that says all that it must: the pair that the browser sends.
fn pair(set_cookie: &str) -> String {
    let (pair, attributes) = set_cookie.split_once("; ").expect("attributes");
    assert!(pair.starts_with(&format!("__Host-oauth-wasm-{CLIENT}=")));
    let (fixed, age) = attributes.split_once("Max-Age=").expect("an age");
    assert_eq!(fixed, "Path=/; Secure; HttpOnly; SameSite=Strict; ");
    assert!(age == "0" || age == "2592000", "{age}");
    pair.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_key_the_refresh_token_is_in_a_cookie_that_any_copy_opens_and_in_no_answer() {
    let (sandbox, provider) = provider().await;
    let first = Relay::start(&provider, ORIGIN, &[("COOKIE_KEY", KEY)]);
    // The key is being changed: what the old one has sealed opens still.
    let keys = format!("another key of this test of thirty-two and more,{KEY}");
    let second = Relay::start(&provider, ORIGIN, &[("COOKIE_KEY", &keys)]);
    let answer = first.post_with("/token", "", &code_form(&sandbox));
    assert_eq!(answer.status, 200, "{}", answer.body);
    let tokens = answer.json();
    let handle = tokens["refresh_token"].as_str().expect("a handle");
    assert!(handle.starts_with("cookie."), "{handle}");
    assert!(tokens["access_token"].is_string());
    let mut cookie = pair(answer.header("set-cookie"));
    for relay in [&second, &first, &second] {
        // The first knows nothing of the second's new key, so that the copies are changed one after the other.
        let answer = relay.post_with(
            "/token",
            &format!("a=b; {cookie}; c=d"),
            &refresh_form(handle),
        );
        if answer.status == 400 {
            assert_eq!(relay.origin, first.origin);
            assert_eq!(answer.json()["error"], "invalid_grant");
            continue;
        }
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(
            answer.json()["refresh_token"],
            handle,
            "of this session still"
        );
        cookie = pair(answer.header("set-cookie"));
        for request in sandbox.requests() {
            let Some(token) = request.form("refresh_token") else {
                continue;
            };
            assert!(token.starts_with("TG-"), "the provider's own: {token}");
            assert!(!answer.body.contains(&token) && !cookie.contains(&token));
        }
    }
    let revoked = second.post_with(
        "/revoke",
        &cookie,
        &format!("token={handle}&client_id={CLIENT}"),
    );
    assert_eq!(
        (
            revoked.status,
            pair(revoked.header("set-cookie")).ends_with('=')
        ),
        (200, true)
    );
    says_no_secret(&first.killed(), &sandbox);
    says_no_secret(&second.killed(), &sandbox);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_is_of_no_use_without_its_handle_its_header_its_key_and_its_origin() {
    let (sandbox, provider) = provider().await;
    let relay = Relay::start(&provider, ORIGIN, &[("COOKIE_KEY", KEY)]);
    let other_key = [(
        "COOKIE_KEY",
        "the key of some other relay just as long as that",
    )];
    let stranger = Relay::start(&provider, ORIGIN, &other_key);
    let log_in = || {
        let answer = relay.post_with("/token", "", &code_form(&sandbox));
        let handle = answer.json()["refresh_token"]
            .as_str()
            .expect("a handle")
            .to_owned();
        (handle, pair(answer.header("set-cookie")))
    };
    let ((handle, cookie), (other, _)) = (log_in(), log_in());
    sandbox.forget_requests();
    let changed = |at: usize| {
        let mut bytes = cookie.clone().into_bytes();
        let byte = &mut bytes[at];
        *byte = if *byte == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).expect("text")
    };
    let form = refresh_form(&handle);
    let why = |cookie| {
        let answer = relay.post_with("/token", cookie, &form);
        answer.json()["error_description"].to_string()
    };
    assert!(why("").contains("Safari on localhost"), "{}", why(""));
    assert!(why("a=b").contains("no cookie came"));
    let others = changed(cookie.len() - 30);
    assert!(why(&others).contains("not of this session"));
    let invalid = [
        relay.post_with("/token", "", &form),
        relay.post_with("/token", &cookie, &refresh_form(&other)),
        relay.post_with(
            "/token",
            &cookie,
            &refresh_form("cookie.AAAAAAAAAAAAAAAAAAAAAA"),
        ),
        relay.post_with("/token", &cookie, &refresh_form("TG-1")),
        relay.post_with("/token", &changed(cookie.len() - 30), &form),
        relay.post_with(
            "/token",
            &changed(cookie.find('=').expect("a value") + 3),
            &form,
        ),
        stranger.post_with("/token", &cookie, &form),
    ];
    for answer in invalid {
        assert_eq!(
            (answer.status, answer.json()["error"].clone()),
            (400, json!("invalid_grant"))
        );
        assert_eq!(
            answer.header("set-cookie"),
            "",
            "nobody's cookie is touched"
        );
    }
    // Another page's form, or its script: no header, or another origin.
    let line = "POST /token";
    let bare = relay.ask(
        line,
        &[("Origin", ORIGIN), FORM, ("Cookie", &cookie)],
        &form,
    );
    assert_eq!(bare.status, 403);
    let foreign = ("Origin", "https://evil.example");
    let answer = relay.ask(line, &[foreign, FORM, OWN, ("Cookie", &cookie)], &form);
    assert_eq!(answer.status, 403);
    let preflight = [foreign, ("Access-Control-Request-Method", "POST")];
    let answer = relay.ask("OPTIONS /token", &preflight, "");
    assert_eq!(
        (
            answer.status,
            answer.header("access-control-allow-credentials")
        ),
        (403, "")
    );
    // Of another session, it ends nothing.
    let answer = relay.post_with(
        "/revoke",
        &cookie,
        &format!("token={other}&client_id={CLIENT}"),
    );
    assert_eq!((answer.status, answer.header("set-cookie")), (200, ""));
    assert_eq!(
        sandbox.requests(),
        [],
        "the provider has heard of none of it"
    );
    // And it is good still.
    assert_eq!(relay.post_with("/token", &cookie, &form).status, 200);
}

#[tokio::test]
async fn a_page_whose_refresh_token_is_a_cookie_renews_and_logs_out_by_it() {
    let world = World::start().await;
    world
        .sandbox
        .change(|settings| settings.require_client_secret = true);
    let relay = Relay::start(
        &world.sandbox_origin,
        &world.app.origin,
        &[("COOKIE_KEY", KEY)],
    );
    world.brief_tokens(true);
    let config = json!({
        "tokenEndpoint": relay.token_endpoint(),
        "revocationEndpoint": format!("{}/revoke", relay.origin),
        "refreshTokenCookie": true,
    });
    let session = world.log_in(config).await;
    assert_eq!(session["renewable"], true);
    world.brief_tokens(false);
    let answer = me(&world).await;
    if world.engine == Engine::WebKit {
        // It keeps no Secure cookie of http, this machine or not.
        assert_eq!(answer["error"]["code"], "session_ended", "{answer}");
        let said = answer["error"]["errorDescription"].as_str();
        let said = said.unwrap_or_else(|| panic!("{answer}"));
        assert!(said.contains("Safari on localhost"), "{said}");
        return;
    }
    assert_eq!(answer["value"]["status"], 200);
    let renewals: Vec<_> = world
        .sandbox
        .requests()
        .iter()
        .filter_map(|request| request.form("refresh_token"))
        .collect();
    assert!(
        renewals.len() == 1 && renewals[0].starts_with("TG-"),
        "{renewals:?}"
    );
    let cookies = world.run("return document.cookie", &[]).await;
    assert_eq!(cookies, "", "no script sees it");
    // What a script would have to send it with it cannot read; without the handle the cookie alone is nothing.
    let script = "const body = new URLSearchParams({ grant_type: 'refresh_token', client_id: args[1], refresh_token: 'cookie.AAAAAAAAAAAAAAAAAAAAAA' })
        const init = { method: 'POST', credentials: 'include', headers: { 'relay-cookie': '1' }, body }
        return (await (await fetch(args[0], init)).json()).error";
    let args = [json!(relay.token_endpoint()), json!(CLIENT)];
    assert_eq!(world.run(script, &args).await, "invalid_grant");
    world.run("await oauth.logout()", &[]).await;
    let said = relay.killed();
    assert!(said.contains("POST /revoke 200"), "{said}");
    says_no_secret(&said, &world.sandbox);
}

/// What the relay answered there, the question whether it is there aside.
fn relayed(https: &Https, path: &str) -> Vec<Value> {
    let mut exchanges = https.exchanges(path);
    exchanges.retain(|exchange| exchange["method"] == "POST" && exchange["body"] != "");
    exchanges
}

/// Of an answer that sets one cookie: the pair that the browser sends.
fn pair_of(exchange: &Value) -> String {
    let set = exchange["setCookie"].as_array().expect("a list");
    assert_eq!(set.len(), 1, "{exchange}");
    pair(set[0].as_str().expect("text"))
}

#[tokio::test]
async fn over_https_the_cookie_is_the_hosts_own_lives_through_a_reload_and_ends_with_the_session() {
    let world = World::start_for_https().await;
    world
        .sandbox
        .change(|settings| settings.require_client_secret = true);
    let https = Https::start();
    let origin = &https.origin;
    let relay = Relay::start(&world.sandbox_origin, origin, &[("COOKIE_KEY", KEY)]);
    https.serve(&[
        ("/oauth/token", &relay.token_endpoint()),
        ("/oauth/revoke", &format!("{}/revoke", relay.origin)),
        // So that the page asks nothing of http, which some engines refuse it.
        ("/api/", &format!("{}/", world.sandbox_origin)),
        ("/", &format!("{}/", world.app.origin)),
    ]);
    let page = format!("{origin}/e2e/search.html");
    world.open_app(&page).await;
    let config = world.config(json!({
        "redirectUri": page,
        "tokenEndpoint": format!("{origin}/oauth/token"),
        "revocationEndpoint": format!("{origin}/oauth/revoke"),
        "refreshTokenCookie": true,
        "resourceServers": [format!("{origin}/api")],
        "keep": "tab",
    }));
    let outcome = world.log_in_here(config).await;
    assert_eq!(outcome["value"]["renewable"], true, "{outcome}");

    let name = format!("__Host-oauth-wasm-{CLIENT}");
    let me = json!(format!("{origin}/api/users/me"));
    let mut sent = Vec::new();
    for renewals in 0..=2 {
        if renewals > 0 {
            world.page.reload().await;
            world.page.wait_until("window.oauth").await;
            let restored = world.outcome("oauth.restore()", &[]).await;
            assert!(restored["value"].is_object(), "{restored}");
        }
        let call = "return await answered(oauth.fetchPrivate(args[0]))";
        let answer = world.run(call, std::slice::from_ref(&me)).await;
        assert_eq!(answer["value"]["status"], 200, "{answer}");

        let exchanges = relayed(&https, "/oauth/token");
        assert_eq!(exchanges.len(), 1 + renewals);
        let set = exchanges.iter().map(pair_of);
        sent.extend(set.skip(sent.len()));
        let asked_with: Vec<_> = exchanges.iter().map(|it| it["cookie"].clone()).collect();
        let before = sent.iter().take(renewals).map(|pair| json!(pair));
        let expected: Vec<_> = std::iter::once(json!("")).chain(before).collect();
        assert_eq!(asked_with, expected, "each is asked with the last one's");

        let cookies = world.page.client.get_all_cookies().await;
        let cookies = cookies.expect("the browser tells its cookies");
        assert_eq!(cookies.len(), 1, "{cookies:?}");
        let cookie = &cookies[0];
        assert_eq!(
            format!("{}={}", cookie.name(), cookie.value()),
            sent[renewals]
        );
        assert_eq!(cookie.name(), name);
        assert_eq!(
            (cookie.secure(), cookie.http_only()),
            (Some(true), Some(true))
        );
        assert_eq!(cookie.path(), Some("/"));
        let same_site = cookie.same_site().map(|it| it.to_string());
        assert_eq!(same_site.as_deref(), Some("Strict"));
    }

    // Script sees neither the cookie nor what is in it.
    assert_eq!(world.run("return document.cookie", &[]).await, "");
    let store = "return (await window.cookieStore?.getAll()) ?? []";
    assert_eq!(world.run(store, &[]).await, json!([]));
    let provider_tokens = world.sandbox.requests();
    let provider_tokens = provider_tokens
        .iter()
        .filter_map(|it| it.form("refresh_token"));
    let value = |pair: &String| pair.split_once('=').expect("a value").1.to_owned();
    let secrets: Vec<_> = provider_tokens.chain(sent.iter().map(value)).collect();
    assert_eq!(secrets.len(), 2 + 3);
    let parts = |secret: &String| {
        let (start, end) = secret.split_at(secret.len() / 2);
        json!([start, end])
    };
    let needles: Vec<_> = secrets.iter().map(parts).collect();
    let seen = world.run("return await search(args)", &needles).await;
    assert_eq!((&seen["whole"], &seen["found"]), (&json!(true), &json!([])));

    world.run("await oauth.logout()", &[]).await;
    let left = world.page.client.get_all_cookies().await;
    let left = left.expect("the browser tells its cookies");
    assert!(left.is_empty(), "{left:?}");
    let revoked = relayed(&https, "/oauth/revoke");
    assert_eq!(revoked.len(), 1, "{revoked:?}");
    assert_eq!(revoked[0]["cookie"], sent[2].as_str());
    assert_eq!(pair_of(&revoked[0]), format!("{name}="));
    world.page.reload().await;
    world.page.wait_until("window.oauth").await;
    assert_eq!(
        world.outcome("oauth.restore()", &[]).await["value"],
        Value::Null
    );
    says_no_secret(&relay.killed(), &world.sandbox);
}

#[tokio::test]
async fn over_https_a_vault_with_a_relay_on_its_host_leaves_the_application_without_any_token() {
    let world = World::start_for_https().await;
    world.sandbox.change(|settings| {
        settings.require_client_secret = true;
        settings.auto_consent = true;
    });
    let (app, vault) = (Https::start(), Https::start());
    let relay = Relay::start(&world.sandbox_origin, &vault.origin, &[("COOKIE_KEY", KEY)]);
    app.serve(&[("/", &format!("{}/", world.app.origin))]);
    vault.serve(&[
        ("/oauth/token", &relay.token_endpoint()),
        ("/oauth/revoke", &format!("{}/revoke", relay.origin)),
        ("/api/", &format!("{}/", world.sandbox_origin)),
        ("/", &world.vault_address()),
    ]);
    let at_vault = |path: &str| format!("{}{path}", vault.origin);
    let mut config = world.vault_config(json!({
        "applications": [app.origin],
        "allow": [format!("GET {}", at_vault("/api/users/me"))],
    }));
    config["login"]["tokenEndpoint"] = json!(at_vault("/oauth/token"));
    config["login"]["revocationEndpoint"] = json!(at_vault("/oauth/revoke"));
    config["login"]["refreshTokenCookie"] = json!(true);
    config["login"]["resourceServers"] = json!([at_vault("/api")]);
    world.set_up_vault(&config);

    let page = format!("{}{VAULT_APP}?vault={}", app.origin, at_vault("/"));
    world.open_app(&page).await;
    world.leave_for_vault(json!({})).await;
    let outcome = world.redirected().await;
    assert!(outcome["session"].is_object(), "{outcome}");
    world.page.reload().await;
    world.page.wait_until("window.oauth").await;
    let restored = world.outcome("oauth.restore()", &[]).await;
    assert!(restored["value"].is_object(), "{restored}");
    let call = "return await answered(oauth.fetchPrivate(args[0]))";
    let answer = world.run(call, &[json!(at_vault("/api/users/me"))]).await;
    assert_eq!(answer["value"]["status"], 200, "{answer}");

    let exchanges = relayed(&vault, "/oauth/token");
    assert_eq!(exchanges.len(), 2);
    // The vault's own cookies of a minute may stand beside it.
    let kept = pair_of(&exchanges[0]);
    let sent = exchanges[1]["cookie"].as_str().expect("text");
    assert!(sent.split("; ").any(|pair| pair == kept), "{sent}");
    assert_eq!(relayed(&app, "/oauth/token").len(), 0);
    assert_eq!(world.run("await oauth.logout()", &[]).await, Value::Null);
    let revoked = relayed(&vault, "/oauth/revoke");
    assert_eq!(revoked.len(), 1, "{revoked:?}");
    assert!(pair_of(&revoked[0]).ends_with('='));
    let own = format!("__Host-oauth-wasm-{CLIENT}");
    let left = world.page.client.get_all_cookies().await;
    let left = left.expect("the browser tells its cookies");
    assert!(left.iter().all(|cookie| cookie.name() != own), "{left:?}");
    // Those that the vault's frame and page leave for each other are the host's own too.
    let asked = vault.exchanges("/");
    let cookies = asked.iter().filter_map(|it| it["cookie"].as_str());
    let names: BTreeSet<_> = cookies
        .flat_map(|sent| sent.split("; "))
        .filter_map(|pair| Some(pair.split_once('=')?.0))
        .collect();
    assert!(names.len() > 1 && names.contains(&*own), "{names:?}");
    assert!(
        names.iter().all(|name| name.starts_with("__Host-")),
        "{names:?}"
    );
    says_no_secret(&relay.killed(), &world.sandbox);
}
