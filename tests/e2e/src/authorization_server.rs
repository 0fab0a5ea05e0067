//! Authorization servers that nobody here wrote, each a process of its own on this machine.
//!
//! A small script of ours (tests/e2e/servers) configures one, starts it on a free port, and takes commands.

use crate::World;
use crate::controlled::Controlled;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// oidc-provider's user: any name, any password.
const ANYBODY: (&str, &str) = ("ana", "a password");
/// The one user that django/server.py makes.
const ANA: (&str, &str) = ("ana", "ana's own password");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Product {
    OidcProvider,
    Django,
}

impl Product {
    fn name(self) -> &'static str {
        match self {
            Product::OidcProvider => "oidc-provider",
            Product::Django => "django-oauth-toolkit",
        }
    }
}

/// A running server. Its clients are public and know the app's pages; server.mjs and server.py list them.
pub struct AuthorizationServer {
    pub issuer: String,
    product: Product,
    server: Controlled,
}

/// A request as the server saw it, and what it answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    pub method: String,
    pub path: String,
    pub query: String,
    /// Names in lower case.
    pub headers: Value,
    /// The form's fields, or what the server made of another body.
    pub form: Value,
    pub status: u64,
    /// `{headers, body}`; a JSON body as a value.
    pub answer: Value,
}

impl AuthorizationServer {
    /// oidc-provider, `settings` laid over the configuration in servers/oidc-provider/server.mjs.
    pub fn oidc_provider(world: &World, settings: Value) -> AuthorizationServer {
        let mut node = Command::new("node");
        node.arg(servers().join("oidc-provider/server.mjs"));
        AuthorizationServer::start(Product::OidcProvider, node, world, settings)
    }

    /// django-oauth-toolkit, `settings` laid over `OAUTH2_PROVIDER` in servers/django/server.py.
    pub fn django(world: &World, settings: Value) -> AuthorizationServer {
        let mut python = Command::new(crate::workspace().join("target/tools/django/bin/python"));
        python.arg(servers().join("django/server.py"));
        python.env("PYTHONDONTWRITEBYTECODE", "1");
        AuthorizationServer::start(Product::Django, python, world, settings)
    }

    fn start(
        product: Product,
        mut command: Command,
        world: &World,
        mut settings: Value,
    ) -> AuthorizationServer {
        let server = Controlled::start(product.name(), command.stderr(Stdio::null()));
        settings["app"] = json!(world.app.origin);
        let started = server.command("start", settings);
        let issuer = started["issuer"].as_str().expect("an issuer").to_owned();
        AuthorizationServer {
            issuer,
            product,
            server,
        }
    }

    /// The name by which the table of capabilities knows it.
    pub fn name(&self) -> &'static str {
        self.product.name()
    }

    pub fn origin(&self) -> String {
        let issuer = url::Url::parse(&self.issuer).expect("a URL");
        issuer.origin().ascii_serialization()
    }

    /// Where it answers with the user's claims.
    pub fn userinfo(&self) -> String {
        match self.product {
            Product::OidcProvider => format!("{}/me", self.issuer),
            Product::Django => format!("{}/userinfo/", self.issuer),
        }
    }

    pub fn authorization_endpoint(&self) -> String {
        match self.product {
            Product::OidcProvider => format!("{}/auth", self.issuer),
            Product::Django => format!("{}/authorize/", self.issuer),
        }
    }

    pub fn token_endpoint(&self) -> String {
        match self.product {
            Product::OidcProvider => format!("{}/token", self.issuer),
            Product::Django => format!("{}/token/", self.issuer),
        }
    }

    /// Where RFC 7009 is spoken. Django's toolkit says it in one of its two documents only, and we read the other.
    pub fn revocation_endpoint(&self) -> String {
        match self.product {
            Product::OidcProvider => format!("{}/token/revocation", self.issuer),
            Product::Django => format!("{}/revoke_token/", self.issuer),
        }
    }

    /// Says in the output of the tests that the engine of this test has just shown this to work with this server. The
    /// table of capabilities is made of these lines.
    pub fn proved(&self, world: &World, capability: &str) {
        let line = format!(
            "capability: {} | {} | {capability}\n",
            self.name(),
            world.engine.name()
        );
        // Not by println!, which libtest keeps to itself.
        let _ = std::io::stderr().write_all(line.as_bytes());
    }

    /// The configuration of an application that knows the issuer, its client and where tokens may go.
    pub fn config(&self, world: &World, more: Value) -> Value {
        let mut config = json!({
            "issuer": self.issuer,
            "clientId": "page",
            "redirectUri": format!("{}{}", world.app.origin, crate::APP),
            "resourceServers": [self.origin()],
            "scope": "openid profile email",
        });
        crate::login::lay_over(&mut config, more);
        config
    }

    /// Logs in and allows on the server's own pages.
    pub async fn consent(&self, world: &World) {
        self.log_in(world).await;
        self.allow(world).await;
    }

    /// Types a name and a password on the server's page.
    pub async fn log_in(&self, world: &World) {
        let page = &world.page;
        let ((name, password), field) = match self.product {
            Product::OidcProvider => (ANYBODY, "login"),
            Product::Django => (ANA, "username"),
        };
        page.wait_for("input[name=password]").await;
        page.fill(&format!("input[name={field}]"), name).await;
        page.fill("input[name=password]", password).await;
        page.click("button[type=submit]").await;
    }

    /// Allows on the server's page, where the user is logged in.
    pub async fn allow(&self, world: &World) {
        let (there, button) = match self.product {
            Product::OidcProvider => ("input[value=consent]", "button[type=submit]"),
            Product::Django => ("#authorizationForm", "input[name=allow]"),
        };
        world.page.wait_for(there).await;
        world.page.click(button).await;
    }

    /// Says no on the server's page, where the user is logged in.
    pub async fn deny(&self, world: &World) {
        let (there, button) = match self.product {
            Product::OidcProvider => ("input[value=consent]", "a[href$='/abort']"),
            Product::Django => ("#authorizationForm", "input[type=submit]:not([name])"),
        };
        world.page.wait_for(there).await;
        world.page.click(button).await;
    }

    /// Confirms on the server's page that the user is to be logged out.
    pub async fn confirm_logout(&self, world: &World) {
        let button = match self.product {
            Product::OidcProvider => "button[name=logout]",
            Product::Django => "input[name=allow]",
        };
        world.page.wait_for(button).await;
        world.page.click(button).await;
    }

    /// What the server was asked, preflights aside, oldest first.
    pub fn requests(&self) -> Vec<Exchange> {
        let requests = self.server.command("requests", Value::Null);
        let requests = requests.as_array().expect("a list").iter();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        requests
            .filter(|request| request["method"] != "OPTIONS")
            .map(|request| Exchange {
                method: text(&request["method"]),
                path: text(&request["path"]),
                query: text(&request["query"]),
                headers: request["headers"].clone(),
                form: request["form"].clone(),
                status: request["status"].as_u64().unwrap_or(0),
                answer: readable(&request["answer"]),
            })
            .collect()
    }

    /// Requests to the token endpoint by grant type: their statuses, oldest first.
    pub fn token_requests(&self, grant_type: &str) -> Vec<u64> {
        let requests = self.requests().into_iter();
        requests
            .filter(|request| request.form["grant_type"] == grant_type)
            .map(|request| request.status)
            .collect()
    }

    /// Forgets what it was asked.
    pub fn forget_requests(&self) {
        self.server.command("forget", Value::Null);
    }

    /// Changes what the server lets a test change while it runs: `state` in server.mjs, `OAUTH2_PROVIDER` in server.py.
    pub fn change(&self, changes: Value) {
        self.server.command("change", changes);
    }

    /// Access tokens that it issues from now on live this long.
    pub fn access_tokens_live(&self, seconds: u32) {
        self.change(match self.product {
            Product::OidcProvider => json!({ "accessTokenTtl": seconds }),
            Product::Django => json!({ "ACCESS_TOKEN_EXPIRE_SECONDS": seconds }),
        });
    }

    /// All that it has stored of one kind ends now: `AccessToken`, `RefreshToken`, `Session`.
    pub fn expire(&self, kind: &str) {
        let ended = self.server.command("expire", json!(kind));
        assert_ne!(ended, 0, "there is a {kind} to end");
    }
}

fn readable(answer: &Value) -> Value {
    let mut answer = answer.clone();
    let body = answer["body"].as_str();
    if let Some(Ok(value)) = body.map(serde_json::from_str) {
        answer["body"] = value;
    }
    answer
}

fn servers() -> PathBuf {
    crate::workspace().join("tests/e2e/servers")
}
