//! A WebDriver and its browser, started for one test and gone after it.

use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tempfile::TempDir;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Chromium,
    Firefox,
    WebKit,
}

impl Engine {
    /// `E2E_BROWSER`.
    pub fn from_env() -> Engine {
        match std::env::var("E2E_BROWSER").as_deref() {
            Err(_) | Ok("" | "chromium") => Engine::Chromium,
            Ok("firefox") => Engine::Firefox,
            Ok("webkit") => Engine::WebKit,
            Ok(other) => panic!("E2E_BROWSER={other}: chromium, firefox or webkit"),
        }
    }

    /// As `E2E_BROWSER` has it.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Chromium => "chromium",
            Engine::Firefox => "firefox",
            Engine::WebKit => "webkit",
        }
    }

    /// The driver's command line. The first two choose a free port and say which.
    fn driver(self) -> (Command, Option<u16>) {
        match self {
            Engine::Chromium => {
                let mut driver = program("CHROMEDRIVER", "chromedriver");
                driver.arg("--port=0");
                (driver, None)
            }
            Engine::Firefox => {
                let mut driver = program("GECKODRIVER", "geckodriver");
                // Preferences change while it runs (Page::color_scheme).
                driver.args(["--port", "0", "--allow-system-access"]);
                (driver, None)
            }
            Engine::WebKit => {
                let port = free_port();
                // It needs a screen; a test run brings its own.
                let mut driver = match std::env::var_os("DISPLAY") {
                    Some(_) => Command::new("WebKitWebDriver"),
                    None => Command::new("xvfb-run"),
                };
                if driver.get_program() == "xvfb-run" {
                    driver.args(["-a", "WebKitWebDriver"]);
                }
                driver.arg(format!("--port={port}"));
                (driver, Some(port))
            }
        }
    }

    fn capabilities(self, profile: &Path, app: &str) -> Value {
        match self {
            Engine::Chromium => json!({
                "browserName": "chrome",
                "goog:chromeOptions": { "args": chromium_arguments(profile) },
            }),
            Engine::Firefox => json!({
                "browserName": "firefox",
                "moz:firefoxOptions": firefox_options(),
            }),
            Engine::WebKit => json!({ "proxy": webkit_proxy(app) }),
        }
    }
}

/// No traffic but ours; `app.test` is this machine under a name that is no secure context.
fn chromium_arguments(profile: &Path) -> Vec<String> {
    let mut arguments: Vec<String> = [
        "headless=new",
        "no-sandbox",
        "disable-dev-shm-usage",
        "disable-quic",
        "disable-background-networking",
        "disable-component-update",
        "disable-sync",
        "no-first-run",
        "host-resolver-rules=MAP app.test 127.0.0.1, MAP *.localhost 127.0.0.1, \
         MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    ]
    .map(str::to_owned)
    .into();
    arguments.push(format!("user-data-dir={}", profile.display()));
    arguments
}

/// As Chromium's: every other name goes to a proxy that is not there.
fn firefox_options() -> Value {
    let mut options = json!({
        "args": ["-headless"],
        "prefs": {
            "network.dns.localDomains": "app.test",
            "network.proxy.type": 1,
            "network.proxy.http": "127.0.0.1",
            "network.proxy.http_port": 9,
            "network.proxy.ssl": "127.0.0.1",
            "network.proxy.ssl_port": 9,
            "network.proxy.no_proxies_on": "127.0.0.1, localhost, .localhost, app.test",
            "app.update.disabledForTesting": true,
            "browser.safebrowsing.malware.enabled": false,
            "browser.safebrowsing.phishing.enabled": false,
            "datareporting.healthreport.uploadEnabled": false,
            "datareporting.policy.dataSubmissionEnabled": false,
            "network.captive-portal-service.enabled": false,
            "network.connectivity-service.enabled": false,
            "toolkit.telemetry.enabled": false,
        },
    });
    let esr = "/usr/bin/firefox-esr";
    if Path::new(esr).exists() {
        options["binary"] = esr.into();
    }
    options
}

/// Every name that is not this machine's goes to the application, which is `app.test` and nobody else.
fn webkit_proxy(app: &str) -> Value {
    let app = app.trim_start_matches("http://");
    json!({
        "proxyType": "manual",
        "httpProxy": app,
        "sslProxy": app,
        "noProxy": ["127.0.0.1", "localhost"],
    })
}

/// How often a browser is started before it counts as one that does not come up (as in xtask/src/live.rs).
const STARTS: u32 = 5;

pub struct Driver {
    process: Child,
    port: u16,
    client: Client,
    session: String,
    /// Home, profile and temporary files of the browser; every process of it knows the name.
    home: TempDir,
    ended: Arc<AtomicBool>,
}

impl Driver {
    /// `any_certificate`: https is taken from whoever speaks it.
    pub async fn start(engine: Engine, app: &str, any_certificate: bool) -> Driver {
        let home = tempfile::Builder::new()
            .prefix("e2e-")
            .tempdir()
            .expect("a temporary directory");
        let (mut process, mut port, mut client) = (None, 0, None);
        // Now and then chromedriver finds the port that it chose taken, and ends; WebKit's never sees its browser; or the
        // first browser of a fresh machine hangs.
        for start in 1..=STARTS {
            let again = |why: &str| {
                if start < STARTS {
                    tell_again(engine, why);
                }
            };
            let Some(started) = launch(engine, home.path()) else {
                again("its driver said no port");
                continue;
            };
            port = started.1;
            let started = process.insert(started.0);
            let coming = async {
                answers(port).await;
                connect(engine, port, home.path(), app, any_certificate).await
            };
            match tokio::time::timeout(Duration::from_secs(30), coming).await {
                Ok(Ok(connected)) => {
                    client = Some(connected);
                    break;
                }
                failed => {
                    let _ = started.kill();
                    let _ = started.wait();
                    kill_marked(home.path());
                    let why = match failed {
                        Ok(Err(error)) => error,
                        _ => "it hung".to_owned(),
                    };
                    again(&why);
                }
            }
        }
        let process = process.expect("the driver says its port");
        let client: Client = client.unwrap_or_else(|| panic!("{engine:?} does not start"));
        let session = client.session_id().await.ok().flatten();
        let ended = Arc::new(AtomicBool::new(false));
        if engine == Engine::WebKit {
            watch(process.id(), Arc::clone(&ended));
        }
        Driver {
            process,
            port,
            client,
            session: session.expect("a session has an id"),
            home,
            ended,
        }
    }

    pub fn client(&self) -> Client {
        self.client.clone()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // The browser outlives a driver that is killed, so it is told to go first.
        let _ = delete_session(self.port, &self.session);
        let _ = self.process.kill();
        let _ = self.process.wait();
        kill_marked(self.home.path());
    }
}

/// The environment variable by which the processes of one browser are known.
const MARK: &str = "E2E_HOME";

/// From the variable, else from PATH, else where `cargo xtask` installs it.
fn program(variable: &str, name: &str) -> Command {
    let installed = crate::workspace().join("target/tools/bin").join(name);
    let path = std::env::var_os(variable).map(PathBuf::from);
    let fallback = if installed.exists() {
        installed
    } else {
        name.into()
    };
    Command::new(path.unwrap_or(fallback))
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

/// The driver and its port; `None` where it ends without saying one.
fn launch(engine: Engine, home: &Path) -> Option<(Child, u16)> {
    let (mut command, port) = engine.driver();
    let mut process = command
        .env("HOME", home)
        .env("TMPDIR", home)
        .env(MARK, home)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{:?} does not start: {error}", command.get_program()));
    match port.or_else(|| said_port(&mut process)) {
        Some(port) => Some((process, port)),
        None => {
            let _ = process.kill();
            let _ = process.wait();
            None
        }
    }
}

/// `... started successfully on port 43093.` or `... Listening on 127.0.0.1:41711`.
fn said_port(process: &mut Child) -> Option<u16> {
    let stdout = process.stdout.take()?;
    let mut lines = BufReader::new(stdout).lines();
    let port = lines.by_ref().find_map(|line| {
        let line = line.ok()?;
        if !line.contains("successfully") && !line.contains("Listening") {
            return None;
        }
        let end = line.trim_end_matches('.').rsplit([' ', ':']).next()?;
        end.parse().ok()
    });
    // Somebody has to read what it says later, or it would block.
    std::thread::spawn(move || lines.for_each(drop));
    port
}

/// A line that the report of the suites repeats.
fn tell_again(engine: Engine, why: &str) {
    let test = std::thread::current();
    let test = test.name().unwrap_or_default();
    let why = why.lines().next().unwrap_or_default();
    let line = format!(
        "lacks: {test}: {} was started again ({why})\n",
        engine.name()
    );
    // Not by println!, which libtest keeps to itself.
    let _ = std::io::stderr().write_all(line.as_bytes());
}

/// A browser that shows a page; a driver may have a session whose browser never comes up.
async fn connect(
    engine: Engine,
    port: u16,
    home: &Path,
    app: &str,
    any_certificate: bool,
) -> Result<Client, String> {
    let Value::Object(mut capabilities) = engine.capabilities(&home.join("profile"), app) else {
        unreachable!("capabilities are an object");
    };
    if any_certificate {
        capabilities.insert("acceptInsecureCerts".into(), true.into());
    }
    let client = ClientBuilder::new(HttpConnector::new())
        .capabilities(capabilities)
        .connect(&format!("http://127.0.0.1:{port}"))
        .await
        .map_err(|error| error.to_string())?;
    let shown = client.goto("about:blank").await;
    shown.map_err(|error| error.to_string())?;
    Ok(client)
}

/// MiniBrowser crashes now and then, and WebKitWebDriver then never answers: it is ended too, so that the test fails
/// at once, and says why (Linux).
fn watch(driver: u32, ended: Arc<AtomicBool>) {
    let test = std::thread::current();
    let test = test.name().unwrap_or_default().to_owned();
    let children = format!("/proc/{driver}/task/{driver}/children");
    std::thread::spawn(move || {
        let mut alone = 0;
        let mut had_browser = false;
        while alone < 4 {
            std::thread::sleep(Duration::from_millis(500));
            let Ok(children) = std::fs::read_to_string(&children) else {
                return;
            };
            had_browser |= !children.trim().is_empty();
            alone = match had_browser && children.trim().is_empty() {
                true => alone + 1,
                false => 0,
            };
            if ended.load(Ordering::Relaxed) {
                return;
            }
        }
        let line = format!("crashed: {test}\n");
        let _ = std::io::stderr().write_all(line.as_bytes());
        let _ = Command::new("kill")
            .args(["-KILL", &driver.to_string()])
            .status();
    });
}

/// Until the driver listens.
async fn answers(port: u16) {
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Plain bytes, because a destructor cannot await.
fn delete_session(port: u16, session: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(
        stream,
        "DELETE /session/{session} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\
         Connection: close\r\nContent-Length: 0\r\n\r\n"
    )?;
    stream.read(&mut [0; 64]).map(drop)
}

/// What is left of the browser (Linux; elsewhere the driver has ended it already).
fn kill_marked(home: &Path) {
    let mark = format!("{MARK}={}", home.display());
    let Ok(processes) = std::fs::read_dir("/proc") else {
        return;
    };
    for process in processes.flatten() {
        let id = process.file_name().to_string_lossy().into_owned();
        let environment = std::fs::read(process.path().join("environ")).unwrap_or_default();
        let marked = environment
            .split(|byte| *byte == 0)
            .any(|entry| entry == mark.as_bytes());
        if marked {
            let _ = Command::new("kill").args(["-KILL", &id]).status();
        }
    }
}
