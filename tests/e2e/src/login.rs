//! Logins of the small application in pages/app.html against the sandbox.

use crate::World;
use crate::page::PATIENCE;
use serde_json::{Value, json};
use url::Url;

/// The page of pages/app.html.
pub const APP: &str = "/e2e/app.html";

/// How the keys of waiting logins begin in sessionStorage; the rest is the login's `state`.
pub const PENDING: &str = "oauth-wasm.pending.";

/// A `state` that looks like one of the library's and is none.
pub const FORGED: &str = "ow1xAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The user of the sandbox who consents where a page is skipped.
pub const USER: u64 = 226_384_143;

impl World {
    /// The configuration of the preset, pointed at the sandbox; `more` is laid over it.
    pub fn config(&self, more: Value) -> Value {
        let sandbox = &self.sandbox_origin;
        let mut config = json!({
            "provider": "mercadolibre",
            "site": "MLA",
            "clientId": "1620218256833906",
            "redirectUri": format!("{}{APP}", self.app.origin),
            "authorizationEndpoint": format!("{sandbox}/authorization"),
            "tokenEndpoint": format!("{sandbox}/oauth/token"),
            "resourceServers": [sandbox],
            "scope": ["offline_access", "read", "write"],
        });
        lay_over(&mut config, more);
        config
    }

    /// The configuration of Appfigures' preset, pointed at the sandbox; `more` is laid over it.
    pub fn appfigures(&self, more: Value) -> Value {
        let base = format!("{}/v2", self.sandbox_origin);
        let mut config = json!({
            "provider": "appfigures",
            "clientId": "appfigures-sandbox",
            "redirectUri": format!("{}{APP}", self.app.origin),
            "authorizationEndpoint": format!("{base}/oauth2/authorize"),
            "tokenEndpoint": format!("{base}/oauth2/access_token"),
            "revocationEndpoint": format!("{base}/oauth2/revoke"),
            "resourceServers": [base],
        });
        lay_over(&mut config, more);
        config
    }

    /// Opens an application (a path or a URL) and waits until it has the library.
    pub async fn open_app(&self, url: &str) {
        self.page.open(url).await;
        self.page.wait_until("window.oauth").await;
    }

    /// Opens the application and starts a login; the page leaves.
    pub async fn start_login(&self, more: Value) {
        self.open_app(APP).await;
        self.leave(more).await;
    }

    /// Starts a login on the page that is open, which leaves.
    pub async fn leave(&self, more: Value) {
        self.leave_as(self.config(more)).await;
    }

    /// As `leave`, with exactly this configuration.
    pub async fn leave_as(&self, config: Value) {
        let script = "window.leaving = true; await window.oauth.startLogin(arguments[0])";
        self.page.start(script, &[config]).await;
    }

    /// Starts a login on the page that is open, which stays: the URL it would have gone to.
    pub async fn begin(&self, more: Value) -> String {
        self.begin_as(self.config(more)).await
    }

    /// As `begin`, with exactly this configuration.
    pub async fn begin_as(&self, config: Value) -> String {
        let script = "let went
            await oauth.startLogin({ ...args[0], navigate: url => { went = url } })
            return went";
        let url = self.run(script, &[config]).await;
        url.as_str().expect("navigate got a URL").to_owned()
    }

    /// A whole login with exactly this configuration on the page that is open, which stays: `{value}` or `{error}`.
    pub async fn log_in_here(&self, config: Value) -> Value {
        let redirect = self.redirect(&self.begin_as(config).await);
        self.outcome("oauth.handleRedirect(args[0])", &[json!(redirect)])
            .await
    }

    /// The redirect with which the provider answers an authorization URL when nobody has to be asked.
    pub fn redirect(&self, authorization_url: &str) -> String {
        let url = Url::parse(authorization_url).expect("a URL");
        let request = http::Request::get(&url[url::Position::BeforePath..])
            .header(
                "host",
                &url[url::Position::BeforeHost..url::Position::AfterPort],
            )
            .body(Vec::new())
            .expect("a request");
        let before = self.sandbox.settings();
        self.sandbox.change(|settings| settings.auto_consent = true);
        let answer = self.sandbox.handle(request);
        self.sandbox
            .change(|settings| settings.auto_consent = before.auto_consent);
        let location = answer.headers().get("location").expect("a redirect");
        location.to_str().expect("a URL").to_owned()
    }

    /// Logs in and allows on the provider's pages.
    pub async fn consent(&self) {
        let page = &self.page;
        page.fill("#nickname", "TETE9928972").await;
        page.fill("#password", "sandbox").await;
        page.click("#login").await;
        page.click("#allow").await;
    }

    /// What `handleRedirect` gave on this page: `{session}` or `{error}`.
    pub async fn redirected(&self) -> Value {
        self.page
            .wait_until("window.redirected && !window.leaving")
            .await;
        let redirected = self.page.js("return await window.redirected", &[]).await;
        redirected.expect("the outcome is a value")
    }

    /// Opens the redirect as a new document, and what `handleRedirect` gave there.
    pub async fn come_back(&self, redirect: &str) -> Value {
        // From another page: where only the fragment differs, the browser would stay.
        self.page.open("/e2e/blank.html").await;
        self.page.open(redirect).await;
        self.redirected().await
    }

    /// From here on access tokens have ended as soon as they are there, at the provider too; or they live six hours. (A
    /// lifetime of 0 would mean that they have no end.)
    pub fn brief_tokens(&self, brief: bool) {
        self.sandbox.change(|settings| {
            settings.expires_in = if brief { 0 } else { 21_600 };
            let said = &mut settings.token_response;
            match brief {
                true => said.insert("expires_in".into(), json!(0.5)),
                false => said.remove("expires_in"),
            };
        });
    }

    /// A whole login without the provider's pages.
    pub async fn log_in(&self, more: Value) -> Value {
        self.sandbox.change(|settings| settings.auto_consent = true);
        self.start_login(more).await;
        let outcome = self.redirected().await;
        assert!(outcome["session"].is_object(), "a session: {outcome}");
        outcome["session"].clone()
    }

    /// Runs a function body among the page's own scripts: `await`, `return`, `args`, `oauth`, and `outcome` and
    /// `answered` of pages/use.js.
    pub async fn run(&self, body: &str, args: &[Value]) -> Value {
        let script = "return await window.run(args[0], args[1])";
        let given = [json!(body), json!(Value::from(args).to_string())];
        let result = self.page.js(script, &given).await;
        let result = result.unwrap_or_else(|error| panic!("{error}\n{body}"));
        let result = result.as_str().expect("JSON text");
        serde_json::from_str(result).expect("JSON")
    }

    /// The outcome of a promise in the page: `{value}`, `{error}` or `{reason}`.
    pub async fn outcome(&self, expression: &str, args: &[Value]) -> Value {
        self.run(&format!("return await outcome({expression})"), args)
            .await
    }

    /// `fetchPrivate` of a path of the sandbox: `{value: {native, status, body}}`, `{error}` or `{reason}`.
    pub async fn fetch_private(&self, path: &str, init: Value) -> Value {
        let url = format!("{}{path}", self.sandbox_origin);
        let script = "return await answered(oauth.fetchPrivate(args[0], args[1] ?? undefined))";
        self.run(script, &[json!(url), init]).await
    }

    /// The `state`s of the logins that wait in this tab.
    pub async fn pending(&self) -> Vec<String> {
        let script = "return Object.keys(sessionStorage).filter(key => key.startsWith(args[0]))
            .map(key => key.slice(args[0].length))";
        let states = self.run(script, &[json!(PENDING)]).await;
        serde_json::from_value(states).expect("a list of states")
    }

    /// Nothing was said on the console, and no promise was left rejected, since the page was opened.
    pub async fn is_quiet(&self) {
        let console = self.page.console().await;
        assert!(console.is_empty(), "{}", console.join("\n"));
    }

    /// Until the browser has so many windows and tabs.
    pub async fn until_windows(&self, count: usize) {
        let start = std::time::Instant::now();
        loop {
            let now = self.page.windows().await.len();
            if now == count {
                return;
            }
            assert!(start.elapsed() < PATIENCE, "{now} windows, not {count}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }

    /// Until the sandbox holds so many requests.
    pub async fn until_held(&self, count: usize) {
        let held = tokio::time::timeout(PATIENCE, self.sandbox.until_held(count)).await;
        let now = self.sandbox.held();
        held.unwrap_or_else(|_| panic!("{now} requests are held, not {count}"));
    }

    /// Requests for tokens that the sandbox has seen, by grant type.
    pub fn token_requests(&self, grant_type: &str) -> usize {
        let requests = self.sandbox.requests();
        let asked = requests.iter().filter(|request| {
            request.method == "POST" && request.form("grant_type").as_deref() == Some(grant_type)
        });
        asked.count()
    }

    /// What the sandbox was asked for, preflights aside: (method, path, token), oldest first.
    pub fn calls(&self, path_prefix: &str) -> Vec<Call> {
        let requests = self.sandbox.requests();
        let calls = requests
            .iter()
            .filter(|request| request.method != "OPTIONS" && request.path.starts_with(path_prefix));
        let token = |request: &sandbox::Received| {
            let header = request.header("authorization")?;
            Some(header.strip_prefix("Bearer ")?.to_owned())
        };
        calls
            .map(|request| Call {
                method: request.method.clone(),
                path: request.path.clone(),
                status: request.status,
                token: token(request),
            })
            .collect()
    }
}

/// One request of the API as the sandbox saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub method: String,
    pub path: String,
    pub status: u16,
    /// Behind `Bearer `.
    pub token: Option<String>,
}

/// What a provider's file in the library's sources says.
pub fn provider_file(name: &str) -> Value {
    let path = format!("src/protocol/providers/{name}.json");
    let text = std::fs::read_to_string(crate::workspace().join(path)).expect("a provider's file");
    serde_json::from_str(&text).expect("JSON")
}

/// What an error says after its code.
pub fn said(error: &Value) -> Value {
    let message = error["message"].as_str().expect("a message");
    let code = error["code"].as_str().expect("a code");
    let said = message
        .strip_prefix(code)
        .and_then(|rest| rest.strip_prefix(": "));
    Value::from(said.expect("the code stands before the message"))
}

/// A parameter of a URL's query, decoded.
pub fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).expect("a URL");
    let pair = url.query_pairs().find(|(key, _)| key == name);
    pair.map(|(_, value)| value.into_owned())
}

pub(crate) fn lay_over(config: &mut Value, more: Value) {
    let fields = config.as_object_mut().expect("an object");
    for (name, value) in more.as_object().expect("an object") {
        fields.insert(name.clone(), value.clone());
    }
}
