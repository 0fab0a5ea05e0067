//! Logins of the small application in pages/app.html against the sandbox.

use crate::World;
use serde_json::{Value, json};

/// The page of pages/app.html.
pub const APP: &str = "/e2e/app.html";

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
        let fields = config.as_object_mut().expect("an object");
        for (name, value) in more.as_object().expect("an object") {
            fields.insert(name.clone(), value.clone());
        }
        config
    }

    /// Opens the application and starts a login; the page leaves.
    pub async fn start_login(&self, more: Value) {
        self.page.open(APP).await;
        self.page.wait_until("window.oauth").await;
        let config = self.config(more);
        self.page
            .start(
                "window.leaving = true; await window.oauth.startLogin(arguments[0])",
                &[config],
            )
            .await;
    }

    /// What `handleRedirect` gave on this page: `{session}` or `{error}`.
    pub async fn redirected(&self) -> Value {
        self.page
            .wait_until("window.redirected && !window.leaving")
            .await;
        let redirected = self.page.js("return await window.redirected", &[]).await;
        redirected.expect("the outcome is a value")
    }

    /// A whole login without the provider's pages.
    pub async fn log_in(&self, more: Value) -> Value {
        self.sandbox.change(|settings| settings.auto_consent = true);
        self.start_login(more).await;
        let outcome = self.redirected().await;
        assert!(outcome["session"].is_object(), "a session: {outcome}");
        outcome["session"].clone()
    }

    /// The outcome of one of the library's promises: `{value}` or `{error}`.
    pub async fn outcome(&self, expression: &str, args: &[Value]) -> Value {
        let script = format!("return await window.outcome({expression})");
        let outcome = self.page.js(&script, args).await;
        outcome.expect("the outcome is a value")
    }

    /// Requests for tokens that the sandbox has seen, by grant type.
    pub fn token_requests(&self, grant_type: &str) -> usize {
        let requests = self.sandbox.requests();
        let asked = requests.iter().filter(|request| {
            request.method == "POST" && request.form("grant_type").as_deref() == Some(grant_type)
        });
        asked.count()
    }
}
