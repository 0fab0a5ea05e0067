//! A vault of the package on an origin of its own, and the application that uses it.

use crate::login::lay_over;
use crate::{Engine, World};
use serde_json::{Value, json};

/// The page of pages/vault.html: the application on `oauth-wasm/vault`.
pub const VAULT_APP: &str = "/e2e/vault.html";

/// What the build prints for those who run a vault.
const HEADERS: &str = include_str!("../../../pkg-template/vault.headers");

impl World {
    /// What the vault serves: everything of the API that the tests call, to this world's application; `more` is laid over it.
    pub fn vault_config(&self, more: Value) -> Value {
        let mut login = self.config(json!({}));
        let fields = login.as_object_mut().expect("an object");
        fields.remove("redirectUri");
        let api = &self.sandbox_origin;
        let mut config = json!({
            "applications": [self.app.origin],
            "login": login,
            "allow": [format!("GET {api}/users/me"), format!("GET {api}/sites"), format!("GET,POST,PUT {api}/items/*")],
        });
        lay_over(&mut config, more);
        config
    }

    /// Makes `World::vault` a vault with this configuration, under the headers that the build prints.
    pub fn set_up_vault(&self, config: &Value) {
        self.serve_vault(config);
        let applications = config["applications"].as_array().into_iter().flatten();
        let applications: Vec<_> = applications.filter_map(Value::as_str).collect();
        let headers = HEADERS
            .replace("{applications}", &applications.join(" "))
            .replace("{servers}", &self.sandbox_origin);
        for line in headers.lines() {
            let (name, value) = line.split_once(": ").expect("a header");
            // Its driver loses the page that changes its process.
            if self.engine == Engine::WebKit && name == "Cross-Origin-Opener-Policy" {
                continue;
            }
            self.vault.header("/", name, value);
        }
    }

    /// The same without any header, which is to be no wall of its own.
    pub fn serve_vault(&self, config: &Value) {
        self.vault.serve(
            "/",
            "text/html",
            "<!doctype html><meta charset=utf-8><title>vault</title><link rel=icon href='data:,'>
            <script type=module src=/serve.js></script><body>",
        );
        let script =
            format!("import {{ serveVault }} from '/pkg/vault-page.js'\nserveVault({config})\n");
        self.vault.serve("/serve.js", "text/javascript", script);
    }

    /// The address of the vault's page.
    pub fn vault_address(&self) -> String {
        format!("{}/", self.vault.origin)
    }

    /// The application's address, with the vault's in it.
    pub fn vault_app(&self) -> String {
        format!(
            "{}{VAULT_APP}?vault={}",
            self.app.origin,
            self.vault_address()
        )
    }

    /// Opens the application and logs in by way of the vault, without the provider's pages: the session.
    pub async fn log_in_by_vault(&self) -> Value {
        self.sandbox.change(|settings| settings.auto_consent = true);
        self.open_app(&self.vault_app()).await;
        self.leave_for_vault(json!({})).await;
        let outcome = self.redirected().await;
        assert!(outcome["session"].is_object(), "a session: {outcome}");
        outcome["session"].clone()
    }

    /// Starts a login on the application's page, which leaves.
    pub async fn leave_for_vault(&self, login: Value) {
        let script = "window.leaving = true; await window.oauth.startLogin(arguments[0])";
        self.page.start(script, &[login]).await;
    }
}
