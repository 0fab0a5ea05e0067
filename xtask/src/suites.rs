//! `cargo xtask test`: every suite in its order, counted.

use crate::report::{Row, Tally};
use crate::tools::{self, Tool};
use crate::workspace::{cargo, output, root};
use crate::{
    capabilities, consumer, examples, licences, live, matrix, package, report, reproducible,
    simulate, yew,
};
use anyhow::{Context as _, Result, bail, ensure};
use std::process::Command;
use std::time::{Duration, Instant};

struct Suite {
    name: &'static str,
    tools: Tools,
    needs_package: bool,
    run: fn(&mut Tally) -> Result<()>,
}

const WASM: &[Tool] = &[Tool::WasmTarget];
const NODE: &[Tool] = &[Tool::WasmTarget, Tool::Node, Tool::NpmPackages];
const SITE: &[Tool] = &[Tool::Node, Tool::Docs];
const BUNDLERS: &[Tool] = &[Tool::Node, Tool::NpmPackages, Tool::Bundlers];
const CHROMIUM: &[Tool] = &[Tool::WasmTarget, Tool::Chromium];
const FIREFOX: &[Tool] = &[Tool::WasmTarget, Tool::Firefox, Tool::Geckodriver];
const WEBKIT: &[Tool] = &[Tool::WasmTarget, Tool::WebKit];
/// For the package in a browser, whichever it is.
const PACKAGE: &[Tool] = &[
    Tool::WasmTarget,
    Tool::Node,
    Tool::NpmPackages,
    Tool::OidcProvider,
];
/// Servers that nobody here wrote.
const SERVERS: &[Tool] = &[Tool::Django];

const SUITES: &[Suite] = &[
    suite("fmt", &[], fmt),
    suite("clippy-native", &[], clippy_native),
    suite("clippy-wasm", &[WASM], clippy_wasm),
    suite("deny", &[], deny),
    suite("native", &[], native),
    suite("simulation", &[], simulate::suite),
    suite("docs", &[WASM], docs),
    suite("site", &[SITE], crate::docs::check),
    suite("build", &[NODE], build),
    of_package("types", &[NODE], consumer::types),
    of_package("publint", &[NODE], consumer::publint),
    of_package("package", &[NODE], consumer::import),
    of_package("testing", &[NODE], consumer::testing),
    of_package("playwright", &[NODE, CHROMIUM], consumer::playwright),
    of_package("bundlers", &[BUNDLERS, CHROMIUM], crate::bundlers::suite),
    of_package("reproducible", &[NODE], reproducible::check),
    suite("browser-chromium", &[CHROMIUM], browser_chromium),
    suite("browser-firefox", &[FIREFOX], browser_firefox),
    suite("browser-webkit", &[WEBKIT], browser_webkit),
    of_package("attacks-chromium", &[PACKAGE, CHROMIUM], |tally| {
        in_engine("attacks", "chromium", &[], tally)
    }),
    of_package("attacks-firefox", &[PACKAGE, FIREFOX], |tally| {
        in_engine("attacks", "firefox", &[], tally)
    }),
    // The other attacks are about pages and servers; this one is about the engine.
    of_package("stack-webkit", &[PACKAGE, WEBKIT], |tally| {
        let filter = Filter::Module("stack");
        run_again("attacks", "webkit", &[], filter, tally)
    }),
    of_package("e2e-chromium", &[PACKAGE, CHROMIUM], |tally| {
        e2e("chromium", tally)
    }),
    of_package("e2e-firefox", &[PACKAGE, FIREFOX], |tally| {
        e2e("firefox", tally)
    }),
    of_package("e2e-webkit", &[PACKAGE, WEBKIT], |tally| {
        e2e("webkit", tally)
    }),
    of_package("servers-chromium", &[PACKAGE, CHROMIUM, SERVERS], |tally| {
        servers("chromium", tally)
    }),
    of_package("servers-firefox", &[PACKAGE, FIREFOX, SERVERS], |tally| {
        servers("firefox", tally)
    }),
    of_package("servers-webkit", &[PACKAGE, WEBKIT, SERVERS], |tally| {
        servers("webkit", tally)
    }),
];

type Tools = &'static [&'static [Tool]];
type Work = fn(&mut Tally) -> Result<()>;

const fn suite(name: &'static str, tools: Tools, run: Work) -> Suite {
    Suite {
        name,
        tools,
        needs_package: false,
        run,
    }
}

const fn of_package(name: &'static str, tools: Tools, run: Work) -> Suite {
    Suite {
        needs_package: true,
        ..suite(name, tools, run)
    }
}

pub fn names() -> Vec<&'static str> {
    SUITES.iter().map(|suite| suite.name).collect()
}

/// Runs the named suites, or all; `e2e` stands for `e2e-chromium`, `e2e-firefox` and `e2e-webkit`. Prints the attack
/// matrix where one of its suites was among them. True when nothing failed.
pub fn run(wanted: &[String]) -> Result<bool> {
    let matches = |name: &str, want: &String| {
        name.strip_prefix(want.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    for want in wanted {
        if !names().iter().any(|name| matches(name, want)) {
            bail!("no suite {want}; there are: {}", names().join(" "));
        }
    }
    let chosen = SUITES
        .iter()
        .filter(|suite| wanted.is_empty() || wanted.iter().any(|want| matches(suite.name, want)));

    let mut package = None;
    let mut rows = Vec::new();
    for suite in chosen {
        println!("\n=== {} ===", suite.name);
        let start = Instant::now();
        let mut tally = Tally::default();
        if let Err(error) = one(suite, &mut package, &mut tally) {
            let error = format!("{error:#}");
            println!("{error}");
            tally.fail(error.lines().next().unwrap_or_default());
        }
        let verdict = match (tally.passed, tally.failed) {
            (0, 0) => "skipped",
            (_, 0) => "passed",
            _ => "FAILED",
        };
        println!("--- {} {verdict}", suite.name);
        rows.push(Row {
            suite: suite.name,
            tally,
            took: start.elapsed(),
        });
    }
    matrix::print(&rows)?;
    if wanted.is_empty() {
        let mut tally = Tally::default();
        matrix::check(&rows, &mut tally)?;
        rows.push(Row {
            suite: "matrix",
            tally,
            took: Duration::ZERO,
        });
    }
    Ok(report::print(&rows))
}

/// `package`: whether the package was built in this run, and if so whether it could be.
fn one(suite: &Suite, package: &mut Option<bool>, tally: &mut Tally) -> Result<()> {
    for tool in suite.tools.iter().copied().flatten() {
        let Err(sentence) = tool.ensure() else {
            continue;
        };
        // A build server that lost its browser must not look green.
        if tool.is_optional() && std::env::var_os("CI").is_none_or(|ci| ci != "true") {
            tally.skip(&format!("{sentence:#}"));
            return Ok(());
        }
        return Err(sentence);
    }
    if suite.needs_package && package.is_none() {
        *package = Some(package::make().is_ok());
    }
    if suite.needs_package && *package == Some(false) {
        bail!("there is no package to test: its build failed");
    }
    let result = (suite.run)(tally);
    if suite.name == "build" {
        *package = Some(result.is_ok());
    }
    result
}

fn fmt(tally: &mut Tally) -> Result<()> {
    live::check(cargo().args(["fmt", "--all", "--check"]), tally)?;
    let mut example = cargo();
    example
        .current_dir(root().join("examples/yew"))
        .args(["fmt", "--check"]);
    live::check(&mut example, tally)
}

fn clippy(args: &[&str], tally: &mut Tally) -> Result<()> {
    println!("cargo clippy {}", args.join(" "));
    let deny = ["--", "-D", "warnings"];
    live::check(cargo().arg("clippy").args(args).args(deny), tally)
}

fn clippy_native(tally: &mut Tally) -> Result<()> {
    clippy(&["--workspace", "--all-targets"], tally)
}

/// The library for the browser: as a Rust crate, as the npm package, with every optional feature.
fn clippy_wasm(tally: &mut Tally) -> Result<()> {
    let lib = ["-p", "oauth-wasm", "--target", "wasm32-unknown-unknown"];
    clippy(&[&lib[..], &["--lib", "--test", "browser"]].concat(), tally)?;
    for build in crate::package::features() {
        let npm = ["--lib", "--no-default-features", "--features", build];
        clippy(&[&lib[..], &npm].concat(), tally)?;
    }
    let rest = other_features()?.join(",");
    clippy(&[&lib[..], &["--lib", "--features", &rest]].concat(), tally)
}

/// The library's features but `npm`, which turns things off.
fn other_features() -> Result<Vec<String>> {
    let args = ["metadata", "--format-version", "1", "--no-deps"];
    let metadata: serde_json::Value = serde_json::from_str(&output(cargo().args(args))?)?;
    let packages = metadata["packages"].as_array().context("packages")?;
    let features = packages
        .iter()
        .find(|package| package["name"] == "oauth-wasm")
        .and_then(|package| package["features"].as_object())
        .context("the library's features")?;
    Ok(features
        .keys()
        .filter(|name| *name != "npm")
        .cloned()
        .collect())
}

fn deny(tally: &mut Tally) -> Result<()> {
    let (looked_at, wrong) = licences::check()?;
    println!("{looked_at} dependencies: licences and sources");
    for line in &wrong {
        println!("{line}");
        tally.failures.push(line.clone());
    }
    tally.one(wrong.is_empty());
    if output(cargo().args(["deny", "--version"])).is_ok() {
        return live::check(cargo().args(["deny", "check"]), tally);
    }
    tally.skip("advisories: their database needs cargo-deny and the open internet");
    Ok(())
}

fn native(tally: &mut Tally) -> Result<()> {
    let args = ["test", "--no-fail-fast", "--workspace", "--all-targets"];
    let without = ["--exclude", "e2e", "--exclude", "attacks"];
    live::tests(cargo().args(args).args(without), tally)?;
    // The flavour without what only some applications need.
    let small = ["test", "--no-fail-fast", "-p", "oauth-wasm", "--lib"];
    let features = ["--no-default-features", "--features", "std"];
    live::tests(cargo().args(small).args(features), tally)
}

/// The documentation of everything natively and of the library for the browser, and the examples
/// in it.
fn docs(tally: &mut Tally) -> Result<()> {
    let doc = |args: &[&str], tally: &mut Tally| {
        let mut doc = cargo();
        doc.args(["doc", "--no-deps"]).args(args);
        live::check(doc.env("RUSTDOCFLAGS", "-D warnings"), tally)
    };
    doc(&["--workspace"], tally)?;
    doc(
        &["-p", "oauth-wasm", "--target", "wasm32-unknown-unknown"],
        tally,
    )?;
    let args = ["test", "--no-fail-fast", "--workspace", "--doc"];
    live::tests_if_any(cargo().args(args), tally)?;
    // Those of Rust's own functions are compiled, not run: they would leave the page.
    let args = ["test", "--package", "oauth-wasm", "--doc"];
    let wasm = ["--target", "wasm32-unknown-unknown"];
    live::check(cargo().args(args).args(wasm), tally)
}

fn build(tally: &mut Tally) -> Result<()> {
    let report = package::make()?;
    tally.one(true);
    if let Err(error) = report.within_budget() {
        println!("{error}");
        tally.fail(&error.to_string());
    }
    Ok(())
}

fn browser_chromium(tally: &mut Tally) -> Result<()> {
    let driver = tools::chromedriver().context("chromedriver")?;
    in_driver("chromium", in_browser().env("CHROMEDRIVER", driver), tally)
}

fn browser_firefox(tally: &mut Tally) -> Result<()> {
    let driver = tools::geckodriver().context("geckodriver")?;
    in_driver("firefox", in_browser().env("GECKODRIVER", driver), tally)
}

fn browser_webkit(tally: &mut Tally) -> Result<()> {
    let driver = tools::webkit_driver().context("WebKitWebDriver")?;
    let mut tests = in_browser();
    tests.env("SAFARIDRIVER", driver);
    in_driver("webkit", &mut on_a_screen(&tests), tally)
}

/// Tests of wasm-bindgen, whose runner starts a browser once. The first one of a fresh machine hangs now and then, which
/// says nothing about us.
fn in_driver(browser: &str, command: &mut Command, tally: &mut Tally) -> Result<()> {
    // Compiling is silent for as long as it takes.
    output(in_browser().arg("--no-run"))?;
    live::tests_of_a_browser(browser, command, PATIENCE, tally)
}

/// How long a browser may say nothing: every test of it takes seconds.
const PATIENCE: Duration = Duration::from_secs(90);

/// WebKitGTK has no headless mode: the same command with a screen that nobody sees.
fn on_a_screen(command: &Command) -> Command {
    let mut screen = Command::new("xvfb-run");
    screen.arg("-a").arg(command.get_program());
    screen.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => screen.env(name, value),
            None => screen.env_remove(name),
        };
    }
    screen.current_dir(command.get_current_dir().unwrap_or(&root()));
    screen
}

/// wasm-bindgen-test takes the first driver it is told of, so the caller names exactly one.
fn in_browser() -> Command {
    let mut command = cargo();
    command
        .args(["test", "-p", "oauth-wasm", "--test", "browser"])
        .args(["--target", "wasm32-unknown-unknown"])
        // Origin isolation would forbid the requests to the sandbox.
        .env("WASM_BINDGEN_TEST_NO_ORIGIN_ISOLATION", "1");
    for driver in [
        "GECKODRIVER",
        "SAFARIDRIVER",
        "CHROMEDRIVER",
        "MSEDGEDRIVER",
    ] {
        command
            .env_remove(driver)
            .env_remove(format!("{driver}_REMOTE"));
    }
    command
}

/// The tests of servers that nobody here wrote, a suite of their own.
const OF_SERVERS: &[&str] = &["django", "dpop", "oidc_provider", "openid"];

/// What is about the engine, where Chromium has shown it all: half an hour is what everything may take.
const IN_FIREFOX: &[&str] = &[
    "clock",
    "discovery",
    "errors",
    "events",
    "fetch_private",
    "keep",
    "loading",
    "login",
    "popup",
    "redirect",
    "stacks",
    "tabs",
    "vault",
    "webview",
];

/// The suites of the servers go through whole lives in WebKit as well.
const IN_WEBKIT: &[&str] = &["errors", "events", "login", "redirect", "vault"];

fn e2e(browser: &str, tally: &mut Tally) -> Result<()> {
    let mut tests = Vec::new();
    for entry in std::fs::read_dir(root().join("tests/e2e/tests"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.file_stem().context("a name")?.to_string_lossy();
            tests.push(name.into_owned());
        }
    }
    if browser == "chromium" {
        yew::make()?;
    }
    if browser != "webkit" {
        examples::make()?;
    }
    tests.sort();
    tests.retain(|name| !OF_SERVERS.contains(&name.as_str()));
    let chosen = match browser {
        "firefox" => Some(IN_FIREFOX),
        "webkit" => Some(IN_WEBKIT),
        _ => None,
    };
    if let Some(chosen) = chosen {
        let is_chosen = |name: &String| chosen.contains(&name.as_str());
        let (run, left): (Vec<_>, Vec<_>) = tests.into_iter().partition(is_chosen);
        ensure!(run.len() == chosen.len(), "not all of {chosen:?} are there");
        tally.skip(&format!("{}: in Chromium", left.join(", ")));
        tests = run;
    }
    let tests: Vec<_> = tests.iter().map(String::as_str).collect();
    in_engine("e2e", browser, &tests, tally)
}

fn servers(browser: &str, tally: &mut Tally) -> Result<()> {
    in_engine("e2e", browser, OF_SERVERS, tally)?;
    for difference in capabilities::Table::open()?.differences(browser, &tally.shown) {
        tally.fail(&difference);
    }
    Ok(())
}

/// Tests of a package that open the built one in a browser; all of them where none is named.
fn in_engine(package: &str, browser: &str, tests: &[&str], tally: &mut Tally) -> Result<()> {
    run_again(package, browser, tests, Filter::None, tally)
}

/// Which tests of a program are run.
#[derive(Clone, Copy)]
enum Filter<'a> {
    None,
    Module(&'a str),
    Only(&'a [String]),
}

fn run_again(
    package: &str,
    browser: &str,
    tests: &[&str],
    filter: Filter<'_>,
    tally: &mut Tally,
) -> Result<()> {
    let mut first = Tally::default();
    run_in(package, browser, tests, filter, &mut first)?;
    // A test whose browser died says nothing about us. It gets another.
    let crashed = std::mem::take(&mut first.crashed);
    let again = |name: &String| crashed.contains(name);
    let (again, failures): (Vec<_>, Vec<_>) = first.failures.into_iter().partition(again);
    first.failures = failures;
    if !again.is_empty() {
        first.failed -= again.len() as u64;
        first.verdicts.retain(|(name, _)| !again.contains(name));
        run_in(package, browser, tests, Filter::Only(&again), &mut first)?;
        let names = again.join(", ");
        first.skip(&format!(
            "{browser} crashed, and was started again: {names}"
        ));
    }
    tally.add(first);
    Ok(())
}

/// Four browsers at a time: each waits more than it works.
fn run_in(
    package: &str,
    browser: &str,
    tests: &[&str],
    filter: Filter<'_>,
    tally: &mut Tally,
) -> Result<()> {
    let mut command = cargo();
    command.args(["test", "-p", package, "--no-fail-fast"]);
    if tests.is_empty() {
        command.arg("--tests");
    }
    for test in tests {
        command.args(["--test", test]);
    }
    command
        .args(["--", "--test-threads=4"])
        .env("E2E_BROWSER", browser);
    match filter {
        Filter::None => {}
        Filter::Module(name) => drop(command.arg(format!("{name}::"))),
        Filter::Only(names) => drop(command.arg("--exact").args(names)),
    }
    if let Some(driver) = tools::geckodriver() {
        command.env("GECKODRIVER", driver);
    }
    match browser {
        "webkit" => live::tests(&mut on_a_screen(&command), tally),
        _ => live::tests(&mut command, tally),
    }
}
