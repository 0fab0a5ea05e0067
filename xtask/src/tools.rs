//! What must be on the machine, how to see whether it is, and how to get it.

use crate::workspace::{cargo, output, root, timed};
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;

/// Newer ones are not tried; 0.36 is the first with the switch that the e2e harness needs.
const GECKODRIVER: &str = "0.37.1";

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tool {
    WasmTarget,
    Node,
    NpmPackages,
    Chromium,
    Firefox,
    Geckodriver,
    WebKit,
    OidcProvider,
    Examples,
    Docs,
    Bundlers,
    Bench,
    Angular,
    Django,
}

impl Tool {
    /// Installs the tool if it is missing; the error is a sentence saying what to install.
    pub fn ensure(self) -> Result<()> {
        if self.present() {
            return Ok(());
        }
        let installed = self.install();
        if self.present() {
            return Ok(());
        }
        match installed {
            Ok(()) => bail!("{}", self.sentence()),
            Err(error) => bail!("{} ({error:#})", self.sentence()),
        }
    }

    /// Whether a machine may do without: its suites are then skipped, but not where CI=true.
    pub fn is_optional(self) -> bool {
        matches!(
            self,
            Tool::Chromium | Tool::Firefox | Tool::Geckodriver | Tool::WebKit | Tool::Django
        )
    }

    /// Where npm installs what the examples need.
    fn examples(self) -> PathBuf {
        let dir = crate::examples::directory();
        match self {
            Tool::Angular => dir.join("angular"),
            _ => dir,
        }
    }

    fn present(self) -> bool {
        match self {
            Tool::WasmTarget => wasm_target_present(),
            Tool::Node => node_major() >= Some(18) && on_path("npm").is_some(),
            Tool::NpmPackages => is_installed(&npm_dir().join(LOCK), &npm_stamp(&npm_dir())),
            Tool::OidcProvider => {
                let dir = servers().join("oidc-provider");
                is_installed(&dir.join(LOCK), &npm_stamp(&dir))
            }
            Tool::Examples | Tool::Angular => {
                let dir = self.examples();
                is_installed(&dir.join(LOCK), &npm_stamp(&dir))
            }
            Tool::Docs => is_installed(&docs_dir().join(LOCK), &npm_stamp(&docs_dir())),
            Tool::Bundlers => is_installed(&bundlers().join(LOCK), &npm_stamp(&bundlers())),
            Tool::Bench => is_installed(&bench().join(LOCK), &npm_stamp(&bench())),
            Tool::Django => is_installed(&requirements(), &venv().join("installed")),
            Tool::WebKit => webkit_driver().is_some() && on_path("xvfb-run").is_some(),
            Tool::Chromium => chromedriver().is_some() && chromium().is_some(),
            Tool::Firefox => firefox().is_some(),
            Tool::Geckodriver => geckodriver().is_some(),
        }
    }

    fn install(self) -> Result<()> {
        match self {
            Tool::WasmTarget => timed("rustup target add wasm32-unknown-unknown", || {
                output(Command::new("rustup").args(["target", "add", "wasm32-unknown-unknown"]))
                    .map(drop)
            }),
            Tool::Node => apt(&["nodejs", "npm"]),
            Tool::NpmPackages => npm_ci(&npm_dir()),
            Tool::OidcProvider => npm_ci(&servers().join("oidc-provider")),
            Tool::Docs => npm_ci(&docs_dir()),
            Tool::Bundlers => npm_ci(&bundlers()),
            Tool::Bench => npm_ci(&bench()),
            Tool::Examples | Tool::Angular => npm_ci(&self.examples()),
            Tool::Django => django(),
            Tool::WebKit => apt(&["webkit2gtk-driver", "xvfb", "xauth"]),
            Tool::Chromium => apt(&["chromium", "chromium-driver"]),
            Tool::Firefox => apt(&["firefox-esr"]),
            Tool::Geckodriver => timed("cargo install geckodriver (minutes, once)", || {
                output(
                    cargo()
                        .args(["install", "geckodriver", "--version", GECKODRIVER])
                        .args(["--locked", "--debug", "--quiet", "--root"])
                        .arg(root().join("target/tools")),
                )
                .map(drop)
            }),
        }
    }

    fn sentence(self) -> &'static str {
        match self {
            Tool::WasmTarget => {
                "install Rust by rustup, then: rustup target add wasm32-unknown-unknown"
            }
            Tool::Node => "install Node.js 18 or newer, with npm",
            Tool::NpmPackages => "run `npm ci` in xtask/npm and see why it fails",
            Tool::Chromium => "install Chromium (or Chrome) and its chromedriver",
            Tool::Firefox => "install Firefox",
            Tool::Geckodriver => "install geckodriver: cargo install geckodriver --locked",
            Tool::WebKit => "install WebKitGTK's WebKitWebDriver, and xvfb-run",
            Tool::OidcProvider => {
                "run `npm ci` in tests/e2e/servers/oidc-provider and see why it fails"
            }
            Tool::Examples => "run `npm ci` in examples and see why it fails",
            Tool::Docs => "run `npm ci` in xtask/docs and see why it fails",
            Tool::Bundlers => "run `npm ci` in xtask/bundlers and see why it fails",
            Tool::Bench => "run `npm ci` in xtask/bench and see why it fails",
            Tool::Angular => "run `npm ci` in examples/angular and see why it fails",
            Tool::Django => "install Python 3.10 or newer with venv and pip",
        }
    }
}

pub fn chromedriver() -> Option<PathBuf> {
    on_path("chromedriver")
}

/// From PATH, else where `install` puts it.
pub fn geckodriver() -> Option<PathBuf> {
    let ours = root().join("target/tools/bin/geckodriver");
    on_path("geckodriver").or_else(|| ours.exists().then_some(ours))
}

pub fn webkit_driver() -> Option<PathBuf> {
    on_path("WebKitWebDriver")
}

pub fn chromium() -> Option<PathBuf> {
    let names = ["chromium", "google-chrome", "chromium-browser", "chrome"];
    let mac = PathBuf::from("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome");
    names
        .iter()
        .find_map(|name| on_path(name))
        .or_else(|| mac.exists().then_some(mac))
}

fn firefox() -> Option<PathBuf> {
    let mac = PathBuf::from("/Applications/Firefox.app");
    on_path("firefox-esr")
        .or_else(|| on_path("firefox"))
        .or_else(|| mac.exists().then_some(mac))
}

fn wasm_target_present() -> bool {
    let mut rustc = Command::new("rustc");
    rustc
        .args(["--print", "target-libdir", "--target"])
        .arg("wasm32-unknown-unknown");
    output(&mut rustc).is_ok_and(|dir| Path::new(dir.trim()).exists())
}

fn node_major() -> Option<u32> {
    let version = output(Command::new("node").arg("--version")).ok()?;
    version
        .trim()
        .strip_prefix('v')?
        .split('.')
        .next()?
        .parse()
        .ok()
}

fn npm_dir() -> PathBuf {
    root().join("xtask/npm")
}

fn docs_dir() -> PathBuf {
    root().join("xtask/docs")
}

fn bundlers() -> PathBuf {
    root().join("xtask/bundlers")
}

fn bench() -> PathBuf {
    root().join("xtask/bench")
}

fn servers() -> PathBuf {
    root().join("tests/e2e/servers")
}

const LOCK: &str = "package-lock.json";

/// A copy of the lock file that was installed last.
fn npm_stamp(dir: &Path) -> PathBuf {
    dir.join("node_modules/.installed")
}

/// Whether what this file lists is what was installed last.
fn is_installed(list: &Path, stamp: &Path) -> bool {
    let list = std::fs::read(list).ok();
    list.is_some() && list == std::fs::read(stamp).ok()
}

fn npm_ci(dir: &Path) -> Result<()> {
    let name = dir.strip_prefix(root()).unwrap_or(dir).display();
    timed(&format!("npm ci in {name}"), || {
        // No package here needs its install script, so none is run.
        output(
            Command::new("npm")
                .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
                .args(["--loglevel=error", "--no-update-notifier"])
                .current_dir(dir),
        )?;
        std::fs::copy(dir.join(LOCK), npm_stamp(dir))?;
        Ok(())
    })
}

/// Where the harness looks for its Python.
fn venv() -> PathBuf {
    root().join("target/tools/django")
}

fn requirements() -> PathBuf {
    servers().join("django/requirements.txt")
}

/// django-oauth-toolkit in an environment of its own, every file by its hash.
fn django() -> Result<()> {
    let make = || {
        output(
            Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(venv()),
        )
    };
    if make().is_err() {
        apt(&["python3", "python3-venv"])?;
        make()?;
    }
    timed("pip install django-oauth-toolkit", || {
        output(
            Command::new(venv().join("bin/python"))
                .args(["-m", "pip", "install", "--quiet", "--require-hashes"])
                .args(["--only-binary=:all:", "--disable-pip-version-check", "-r"])
                .arg(requirements()),
        )?;
        std::fs::copy(requirements(), venv().join("installed"))?;
        Ok(())
    })
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|dir| dir.join(name))
        .find(|file| file.is_file())
}

fn apt(packages: &[&str]) -> Result<()> {
    let root = output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if on_path("apt-get").is_none() || !root {
        bail!("apt-get installs it by itself only as root on Debian");
    }
    static UPDATED: Once = Once::new();
    let quiet = |args: &[&str]| {
        output(
            Command::new("apt-get")
                .args(["-qq", "-o", "Dpkg::Use-Pty=0"])
                .args(args)
                .env("DEBIAN_FRONTEND", "noninteractive")
                .stdin(std::process::Stdio::null()),
        )
    };
    timed(&format!("apt-get install {}", packages.join(" ")), || {
        UPDATED.call_once(|| drop(quiet(&["update"])));
        let install = ["install", "-y", "--no-install-recommends"];
        quiet(&[&install, packages].concat()).map(drop)
    })
}
