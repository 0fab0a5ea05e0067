//! One browser's page, in words that tests use.

use crate::command::Post;
use crate::driver::Engine;
use fantoccini::elements::Element;
use fantoccini::wd::{TimeoutConfiguration, WindowHandle};
use fantoccini::{Client, Locator};
use serde_json::{Value, json};
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long `wait_for` and `wait_until` are patient, and a script may run.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub struct Page {
    /// For what the methods here do not cover.
    pub client: Client,
    engine: Engine,
    origin: String,
}

/// A tab, to switch to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tab(WindowHandle);

/// What a script in the page threw.
#[derive(Clone, Debug, PartialEq)]
pub struct JsError {
    /// `error.name`; the type's name if it was no Error; `WebDriver` if the script could not run
    /// to its end (the page went away).
    pub name: String,
    /// `error.code`, if it is a string.
    pub code: Option<String>,
    pub message: String,
    /// All that can be read from it: own properties, `stack`, `cause`, `json` (JSON.stringify).
    pub details: Value,
}

impl fmt::Display for JsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.as_deref().map(|code| format!(" ({code})"));
        let code = code.unwrap_or_default();
        write!(f, "{}{code}: {}", self.name, self.message)
    }
}

impl std::error::Error for JsError {}

/// Wraps a script so that its result or its error comes back as a value.
const RUN: &str = "
    const args = [...arguments], done = args.pop();
    const detail = (error) => {
        const seen = Object(error);
        const details = { name: seen.name, code: seen.code, message: seen.message };
        for (const key of Object.getOwnPropertyNames(seen)) {
            try { details[key] = String(seen[key]); } catch { details[key] = 'unreadable'; }
        }
        try { details.json = JSON.stringify(error); } catch { details.json = 'unreadable'; }
        details.name = String(seen.name ?? typeof error);
        details.code = typeof seen.code === 'string' ? seen.code : null;
        details.message = String(seen.message ?? error);
        return details;
    };
    (async function () { SCRIPT
    }).apply(null, args).then(
        (value) => done({ value: value === undefined ? null : value }),
        (error) => done({ error: detail(error) }),
    );";

/// Looks again and again inside the page, for at most half a second.
const WAIT: &str = "
    const done = arguments[0], end = performance.now() + 500;
    const look = async () => {
        let seen = false;
        try { seen = Boolean(await (EXPRESSION)); } catch {}
        if (seen || performance.now() > end) done(seen);
        else setTimeout(look, 20);
    };
    look();";

impl Page {
    pub(crate) async fn new(engine: Engine, client: Client, origin: &str) -> Page {
        let timeouts = TimeoutConfiguration::new(Some(PATIENCE), Some(PATIENCE), None);
        expect("set timeouts", client.update_timeouts(timeouts).await);
        Page {
            client,
            engine,
            origin: origin.to_owned(),
        }
    }

    /// A path is one of the app.
    pub async fn open(&self, url: &str) {
        let origin = if url.starts_with('/') {
            &self.origin
        } else {
            ""
        };
        let url = format!("{origin}{url}");
        expect(&format!("open {url}"), self.client.goto(&url).await);
    }

    pub async fn url(&self) -> String {
        expect("url", self.client.current_url().await).to_string()
    }

    pub async fn title(&self) -> String {
        expect("title", self.client.title().await)
    }

    pub async fn back(&self) {
        expect("back", self.client.back().await);
    }

    pub async fn reload(&self) {
        expect("reload", self.client.refresh().await);
    }

    /// Runs a function body: `await` and `return` work in it, `args` are its arguments.
    /// In Firefox its global object is not the page's: say `window.fetch` to compare or to patch.
    pub async fn js(&self, script: &str, args: &[Value]) -> Result<Value, JsError> {
        let script = RUN.replace("SCRIPT", script);
        let outcome = self.client.execute_async(&script, args.to_vec()).await;
        let mut outcome = outcome.map_err(|error| JsError {
            name: "WebDriver".to_owned(),
            code: None,
            message: error.to_string(),
            details: Value::Null,
        })?;
        let details = outcome["error"].take();
        if details.is_null() {
            return Ok(outcome["value"].take());
        }
        let word = |key: &str| details[key].as_str().map(str::to_owned);
        Err(JsError {
            name: word("name").unwrap_or_default(),
            code: word("code"),
            message: word("message").unwrap_or_default(),
            details,
        })
    }

    /// Starts a script and does not wait for it: for what leaves the page.
    pub async fn start(&self, script: &str, args: &[Value]) {
        let script = format!("(async function () {{ {script}\n}}).apply(null, arguments);");
        expect("start", self.client.execute(&script, args.to_vec()).await);
    }

    /// Until the element is there.
    pub async fn wait_for(&self, css: &str) {
        self.wait_until(&format!("document.querySelector({})", json!(css)))
            .await;
    }

    /// Until the expression (it may be awaited) is true, across navigations.
    pub async fn wait_until(&self, expression: &str) {
        let script = WAIT.replace("EXPRESSION", expression);
        let start = Instant::now();
        loop {
            // An error means that the page went away meanwhile: the next one is asked.
            let seen = self.client.execute_async(&script, Vec::new()).await;
            if matches!(&seen, Ok(Value::Bool(true))) {
                return;
            }
            if start.elapsed() > PATIENCE {
                let problem = seen
                    .err()
                    .map(|error| error.to_string())
                    .unwrap_or_default();
                panic!(
                    "still not: {expression} {problem}\n{}",
                    self.describe().await
                );
            }
            if seen.is_err() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// Waits until the address is `url` or begins with it.
    pub async fn wait_for_url(&self, url: &str) {
        self.wait_until(&format!("location.href.startsWith({})", json!(url)))
            .await;
    }

    pub async fn text(&self, css: &str) -> String {
        let element = self.element(css).await;
        expect(&format!("text of {css}"), element.text().await)
    }

    pub async fn click(&self, css: &str) {
        let element = self.element(css).await;
        if let Err(error) = element.click().await {
            panic!("click {css}: {error}\n{}", self.describe().await);
        }
    }

    /// Replaces what a text field holds.
    pub async fn fill(&self, css: &str, value: &str) {
        let element = self.element(css).await;
        expect(&format!("clear {css}"), element.clear().await);
        expect(&format!("fill {css}"), element.send_keys(value).await);
    }

    /// Chooses an option by its value.
    pub async fn select(&self, css: &str, value: &str) {
        let element = self.element(css).await;
        expect(
            &format!("select {css}"),
            element.select_by_value(value).await,
        );
    }

    /// Types into whatever has the focus, or presses keys (`fantoccini::key::Key`).
    pub async fn keys(&self, keys: &str) {
        let element = expect("focus", self.client.active_element().await);
        expect("keys", element.send_keys(keys).await);
    }

    async fn element(&self, css: &str) -> Element {
        self.wait_for(css).await;
        let element = self.client.find(Locator::Css(css)).await;
        expect(&format!("find {css}"), element)
    }

    /// Opens a tab beside this one; `switch_to` goes there.
    pub async fn new_tab(&self) -> Tab {
        let tab = expect("new tab", self.client.new_window(true).await);
        Tab(tab.handle)
    }

    pub async fn tab(&self) -> Tab {
        Tab(expect("tab", self.client.window().await))
    }

    pub async fn windows(&self) -> Vec<Tab> {
        let windows = expect("windows", self.client.windows().await);
        windows.into_iter().map(Tab).collect()
    }

    /// The one window that is open besides; waits until there is one.
    pub async fn other_than(&self, tab: &Tab) -> Tab {
        let start = Instant::now();
        loop {
            let windows = self.windows().await;
            if let Some(other) = windows.into_iter().find(|window| window != tab) {
                return other;
            }
            assert!(start.elapsed() < PATIENCE, "no other window opens");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Closes the tab that is in front; `switch_to` another one next.
    pub async fn close(&self) {
        expect("close", self.client.close_window().await);
    }

    /// The one window that is not `tab`.
    pub async fn beside(&self, tab: &Tab) -> Tab {
        let windows = self.windows().await;
        let other = windows.into_iter().find(|window| window != tab);
        other.expect("another window")
    }

    pub async fn switch_to(&self, tab: &Tab) {
        let switched = self.client.switch_to_window(tab.0.clone()).await;
        expect("switch tab", switched);
    }

    /// Writes a PNG of what is seen.
    pub async fn screenshot(&self, path: impl AsRef<Path>) {
        let png = expect("screenshot", self.client.screenshot().await);
        std::fs::write(path, png).expect("the picture can be written");
    }

    /// What the page said on its console since it was opened; it must include /e2e/console.js
    /// (or see `App::record_console`).
    pub async fn console(&self) -> Vec<String> {
        let lines = self.js("return window.__console", &[]).await;
        let lines = lines
            .ok()
            .and_then(|lines| serde_json::from_value(lines).ok());
        lines.expect("the page includes /e2e/console.js")
    }

    /// The viewport's size in CSS pixels.
    pub async fn resize(&self, width: u32, height: u32) {
        match self.engine {
            Engine::Chromium => {
                let screen = json!({
                    "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
                });
                self.cdp("Emulation.setDeviceMetricsOverride", screen).await;
            }
            // A window cannot be as narrow as a telephone; what it shows can.
            Engine::Firefox => {
                self.chrome(
                    "const { style } = window.gBrowser.selectedBrowser;
                     for (const side of ['width', 'minWidth', 'maxWidth']) style[side] = arguments[0] + 'px';
                     for (const side of ['height', 'minHeight', 'maxHeight']) style[side] = arguments[1] + 'px';",
                    json!([width, height]),
                )
                .await;
            }
            Engine::WebKit => expect("resize", self.client.set_window_size(width, height).await),
        }
        self.wait_until(&format!("innerWidth === {width}")).await;
    }

    /// Makes `prefers-color-scheme` dark or light. WebKit cannot.
    pub async fn color_scheme(&self, dark: bool) {
        match self.engine {
            Engine::Chromium => {
                let value = if dark { "dark" } else { "light" };
                let scheme = json!({ "name": "prefers-color-scheme", "value": value });
                self.cdp(
                    "Emulation.setEmulatedMedia",
                    json!({ "features": [scheme] }),
                )
                .await;
            }
            Engine::Firefox => {
                let preference = "layout.css.prefers-color-scheme.content-override";
                let script = "Services.prefs.setIntPref(...arguments)";
                self.chrome(script, json!([preference, i32::from(!dark)]))
                    .await;
            }
            Engine::WebKit => panic!("WebKit's driver cannot change the colour scheme"),
        }
        let query = json!(format!(
            "(prefers-color-scheme: {})",
            if dark { "dark" } else { "light" }
        ));
        self.wait_until(&format!("matchMedia({query}).matches"))
            .await;
    }

    /// Takes the network away, or gives it back, as the device would. WebKit cannot.
    pub async fn offline(&self, offline: bool) {
        match self.engine {
            Engine::Chromium => {
                let rate = if offline { 0 } else { -1 };
                let network = json!({
                    "offline": offline, "latency": 0, "downloadThroughput": rate, "uploadThroughput": rate,
                });
                self.cdp("Network.enable", json!({})).await;
                self.cdp("Network.emulateNetworkConditions", network).await;
            }
            Engine::Firefox => {
                self.chrome("Services.io.offline = arguments[0]", json!([offline]))
                    .await;
            }
            Engine::WebKit => panic!("WebKit's driver cannot take the network away"),
        }
        let online = if offline { "!" } else { "" };
        self.wait_until(&format!("{online}navigator.onLine")).await;
    }

    /// A command of the Chrome DevTools Protocol.
    pub async fn cdp(&self, cmd: &str, params: Value) -> Value {
        let path = "goog/cdp/execute";
        let body = json!({ "cmd": cmd, "params": params });
        expect(cmd, self.client.issue_cmd(Post { path, body }).await)
    }

    /// A script in Firefox's own window, around the page.
    async fn chrome(&self, script: &str, args: Value) {
        let issue =
            async |path, body| expect(path, self.client.issue_cmd(Post { path, body }).await);
        issue("moz/context", json!({ "context": "chrome" })).await;
        issue("execute/sync", json!({ "script": script, "args": args })).await;
        issue("moz/context", json!({ "context": "content" })).await;
    }

    /// Where a test stood when it gave up.
    async fn describe(&self) -> String {
        let seen = "return document.title + '\\n' + document.body?.innerText.slice(0, 2000)
            + '\\nconsole: ' + (window.__console ?? []).join('\\n')";
        let url = self.client.current_url().await.map(String::from);
        let seen = self.js(seen, &[]).await;
        let seen = seen
            .as_ref()
            .ok()
            .and_then(Value::as_str)
            .unwrap_or("(nothing readable)");
        format!("at {}\n{seen}", url.unwrap_or_default())
    }
}

fn expect<T, E: fmt::Display>(what: &str, result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("{what}: {error}"))
}
