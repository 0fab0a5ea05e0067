//! The harness of the end-to-end tests: a browser of its own for every test, the built package
//! behind a server of its own, a sandbox of its own, and an origin that must never see a token.
//!
//! ```no_run
//! # async fn test() {
//! let world = e2e::World::start().await;
//! world.page.open("/").await;
//! world.page.click("#login").await;
//! world.page.wait_until("location.search === ''").await;
//! assert_eq!(world.foreign.requests(), []);
//! # }
//! ```
//!
//! `E2E_BROWSER` picks the engine: `chromium` (the default), `firefox` or `webkit`. What goes wrong
//! between the test and the browser panics with a sentence; only [`Page::js`] gives an error back,
//! because what a page throws is what tests look at.

mod authorization_server;
mod command;
mod controlled;
mod driver;
mod hostile;
mod https;
mod lacks;
mod login;
mod page;
mod server;
mod vault;

pub use authorization_server::{AuthorizationServer, Exchange};
pub use driver::Engine;
pub use fantoccini;
pub use hostile::Hostile;
pub use https::Https;
pub use lacks::Lack;
pub use login::{APP, Call, FORGED, PENDING, USER, parameter, provider_file, said};
pub use page::{JsError, Page, Tab};
pub use server::{App, Foreign, Received};
pub use vault::VAULT_APP;

use driver::Driver;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::Runtime;

/// Everything one test needs. All of it ends when the value is dropped.
pub struct World {
    pub engine: Engine,
    pub sandbox: Arc<sandbox::Sandbox>,
    pub sandbox_origin: String,
    pub app: App,
    /// Another origin of the same site; `set_up_vault` makes it one.
    pub vault: App,
    pub foreign: Foreign,
    pub page: Page,
    _driver: Driver,
    // Apart from the test's own runtime: a test that blocks does not stop the servers.
    servers: Option<Runtime>,
}

impl World {
    pub async fn start() -> World {
        World::start_in(Engine::from_env()).await
    }

    pub async fn start_in(engine: Engine) -> World {
        World::start_as(engine, false).await
    }

    /// Its browser takes a certificate that nobody has signed: for [`Https`].
    pub async fn start_for_https() -> World {
        World::start_as(Engine::from_env(), true).await
    }

    async fn start_as(engine: Engine, any_certificate: bool) -> World {
        let package = workspace().join("pkg/package.json");
        assert!(package.exists(), "no pkg/: run `cargo xtask build` first");

        let servers = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime for the servers");
        let sandbox = Arc::new(sandbox::Sandbox::new());
        let (listener, sandbox_origin) = server::listen(&servers);
        servers.spawn(sandbox::serve(listener, Arc::clone(&sandbox)));

        let app = App::start(&servers, &sandbox_origin);
        let vault = App::start(&servers, &sandbox_origin);
        let foreign = Foreign::start(&servers);
        let driver = Driver::start(engine, &app.origin, any_certificate).await;
        let page = Page::new(engine, driver.client(), &app.origin).await;
        World {
            engine,
            sandbox,
            sandbox_origin,
            app,
            vault,
            foreign,
            page,
            _driver: driver,
            servers: Some(servers),
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(servers) = self.servers.take() {
            servers.shutdown_background();
        }
    }
}

/// The workspace's directory.
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("tests/e2e").to_owned()
}

/// Where cargo builds.
pub fn target() -> PathBuf {
    let named = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    workspace().join(named)
}
