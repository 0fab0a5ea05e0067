//! `cargo xtask build`: from the crate to the npm package in pkg/.

use crate::size::{Size, integrity};
use crate::tools::Tool;
use crate::workspace::{Steps, cargo, npm_bin, recreate, root, stage, with_warnings};
use anyhow::{Context as _, Result, ensure};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// Brotli bytes of `oauth-wasm.wasm` and `oauth-wasm.js` together.
const BUDGET: usize = 46 * 1024;

/// What every entry of the package exports, sorted; nothing else.
pub const EXPORTS: &[&str] = &[
    "adoptToken",
    "explain",
    "fetchPrivate",
    "handleRedirect",
    "logout",
    "onSessionChange",
    "scopesFor",
    "session",
    "startLogin",
];

/// Every feature that rustc lets LLVM use; wasm-opt would refuse the module without them.
const WASM_OPT: &[&str] = &[
    "-Oz",
    "--converge",
    // Inlining saves bytes, but repeated calls compress better.
    "--always-inline-max-function-size=0",
    "--one-caller-inline-max-function-size=20",
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-call-indirect-overlong",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
    "--strip-debug",
    "--strip-producers",
    "--strip-target-features",
];

const ESBUILD: &[&str] = &[
    "--bundle",
    "--minify",
    "--target=es2022",
    "--charset=ascii",
    "--legal-comments=none",
    "--log-level=warning",
];

/// The bundles: a file of pkg-template/ each, with what esbuild makes of it.
const ENTRIES: &[(&str, &[&str])] = &[
    ("oauth-wasm.js", &["--format=esm"]),
    ("inline.js", &["--format=esm"]),
    (
        "classic.js",
        &[
            "--format=iife",
            "--global-name=OAuthWasm",
            "--banner:js=\"use strict\";",
        ],
    ),
];

const PROVIDER_TYPES: &str = "\
import type { Provider } from '../oauth-wasm.js'
declare const provider: Provider
export default provider
";

/// How a bundler finds the `.wasm`; it must be in the module as esbuild writes it.
const WASM_URL: &str = "new URL(\"./oauth-wasm.wasm\",import.meta.url)";

/// `cargo xtask build`.
pub fn build() -> Result<()> {
    make()?.within_budget()
}

/// Builds the package, swaps it in and prints its sizes.
pub fn make() -> Result<Report> {
    for tool in [Tool::WasmTarget, Tool::Node, Tool::NpmPackages] {
        tool.ensure()?;
    }
    let fresh = stage().with_file_name("fresh");
    recreate(&fresh)?;
    recreate(&stage())?;

    let mut steps = Steps::new(6);
    let wasm = steps.step("compile for the browser", || {
        let compiled = fs::read(compile()?)?;
        let wasm = stage().join("oauth_wasm.wasm");
        fs::write(&wasm, crate::snip::snip(&compiled)?)?;
        Ok(wasm)
    })?;
    steps.step("wasm-bindgen", || bind(&wasm))?;
    steps.step("seal", || {
        let wasm = stage().join("oauth_wasm_bg.wasm");
        let glue = fs::read_to_string(stage().join("oauth_wasm.js"))?;
        let memory = fs::read_to_string(root().join("pkg-template/memory.js"))?;
        let sealed = crate::seal::seal(&glue, &memory, &fs::read(&wasm)?)?;
        fs::write(stage().join("glue.js"), sealed.glue)?;
        fs::write(stage().join("memory.js"), sealed.memory)?;
        Ok(fs::write(wasm, sealed.wasm)?)
    })?;
    steps.step("wasm-opt", || optimise(&fresh.join("oauth-wasm.wasm")))?;
    steps.step("esbuild", || {
        add_providers(&fresh)?;
        bundle(&fresh)
    })?;
    let report = steps.step("measure and swap in", || {
        add_papers(&fresh)?;
        let report = Report::of(&fresh)?;
        swap(&fresh, &root().join("pkg"))?;
        Ok(report)
    })?;
    report.print();
    Ok(report)
}

fn compile() -> Result<PathBuf> {
    with_warnings(
        cargo()
            .args(["build", "--quiet", "--release", "--lib"])
            .args(["--package", "oauth-wasm"])
            .args(["--target", "wasm32-unknown-unknown"])
            .args(["--no-default-features", "--features", "npm"]),
    )?;
    Ok(crate::workspace::target_dir().join("wasm32-unknown-unknown/release/oauth_wasm.wasm"))
}

fn bind(wasm: &Path) -> Result<()> {
    let out_dir = stage();
    let args: [&OsStr; 8] = [
        "wasm-bindgen".as_ref(),
        wasm.as_ref(),
        "--target=web".as_ref(),
        "--no-typescript".as_ref(),
        "--remove-name-section".as_ref(),
        "--remove-producers-section".as_ref(),
        "--out-dir".as_ref(),
        out_dir.as_ref(),
    ];
    wasm_bindgen_cli::wasm_bindgen::run_cli_with_args(args)
}

/// -Oz takes seconds, so the last result is kept with the very bytes and arguments it came from.
fn optimise(to: &Path) -> Result<()> {
    let input = stage().join("oauth_wasm_bg.wasm");
    let cache = stage().with_file_name("wasm-opt");
    let mut key = WASM_OPT.join(" ").into_bytes();
    key.extend(fs::read(root().join("xtask/npm/package-lock.json"))?);
    key.extend(fs::read(&input)?);
    let cached = cache.join("out.wasm");
    if fs::read(cache.join("key")).ok() != Some(key.clone()) || !cached.exists() {
        recreate(&cache)?;
        with_warnings(
            npm_bin("wasm-opt")
                .args(WASM_OPT)
                .arg(&input)
                .arg("-o")
                .arg(&cached),
        )?;
        fs::write(cache.join("key"), key)?;
    }
    fs::copy(&cached, to)?;
    Ok(())
}

/// The providers' files: as modules for pages, as JSON for the library, and a table of these for each kind of entry: one
/// that fetches a file when it is named, and one that carries all.
fn add_providers(fresh: &Path) -> Result<()> {
    fs::create_dir(fresh.join("providers"))?;
    let (mut apart, mut inside, mut table) = (String::new(), String::new(), String::new());
    for (name, file) in crate::providers::all()? {
        let module = |ending| fresh.join(format!("providers/{name}{ending}"));
        fs::write(module(".js"), format!("export default {file}\n"))?;
        fs::write(module(".d.ts"), PROVIDER_TYPES)?;
        let json = crate::providers::without_about(file).to_string();
        fs::write(module(".min.json"), &json)?;
        let path = format!("providers/{name}.min.json");
        apart += &format!("{name}: file(new URL('./{path}', import.meta.url).href, '{path}'),\n");
        // As a string it is parsed once only, and read by nobody on its way.
        inside += &format!("const {name} = {}\n", serde_json::to_string(&json)?);
        table += &format!("{name}: done => done({name}),\n");
    }
    let apart = format!("export default file => ({{ __proto__: null,\n{apart}}})\n");
    fs::write(stage().join("apart.js"), apart)?;
    let inside = format!("{inside}export default {{ __proto__: null,\n{table}}}\n");
    Ok(fs::write(stage().join("inside.js"), inside)?)
}

/// In an entry `#glue` is the sealed glue and `#wasm` the optimised module, as text.
fn bundle(fresh: &Path) -> Result<()> {
    let alias = |name: &str, file: PathBuf| format!("--alias:#{name}={}", file.display());
    let wasm = fs::read(fresh.join("oauth-wasm.wasm"))?;
    let text = stage().join("wasm.js");
    let encoded = crate::text::encode(&wasm);
    fs::write(&text, format!("export default \"{encoded}\"\n"))?;
    for (name, format) in ENTRIES {
        with_warnings(
            npm_bin("esbuild")
                .arg(root().join("pkg-template").join(name))
                .args(ESBUILD)
                .args(*format)
                .arg(alias("glue", stage().join("glue.js")))
                .arg(alias("wasm", text.clone()))
                .arg(alias("src", root().join("src")))
                .arg(alias("memory", stage().join("memory.js")))
                .arg(alias("providers-apart", stage().join("apart.js")))
                .arg(alias("providers-inside", stage().join("inside.js")))
                .arg(format!("--outfile={}", fresh.join(name).display())),
        )?;
    }
    let main = fs::read_to_string(fresh.join("oauth-wasm.js"))?;
    ensure!(main.contains(WASM_URL), "oauth-wasm.js has lost {WASM_URL}");
    let classic = fs::read_to_string(fresh.join("classic.js"))?;
    ensure!(
        !classic.contains("import.meta"),
        "classic.js has import.meta"
    );
    Ok(())
}

/// package.json with the workspace's version, the types and what people read.
fn add_papers(fresh: &Path) -> Result<()> {
    let template = root().join("pkg-template");
    let text = fs::read(template.join("package.json")).context("pkg-template/package.json")?;
    let mut json: serde_json::Value = serde_json::from_slice(&text)?;
    json["version"] = env!("CARGO_PKG_VERSION").into();
    let text = serde_json::to_string_pretty(&json)? + "\n";
    fs::write(fresh.join("package.json"), text)?;

    let copy = |from: PathBuf, name: &str| {
        let context = from.display().to_string();
        fs::copy(from, fresh.join(name)).context(context).map(drop)
    };
    copy(template.join("README.md"), "README.md")?;
    copy(root().join("src/types.d.ts"), "oauth-wasm.d.ts")?;
    for entry in fs::read_dir(root())? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.starts_with("LICENSE-") || name == "CHANGELOG.md" {
            copy(root().join(&name), &name)?;
        }
    }
    Ok(())
}

pub struct Report {
    rows: Vec<(&'static str, Size)>,
    total: Size,
    integrity: Vec<(&'static str, String)>,
}

impl Report {
    fn of(dir: &Path) -> Result<Report> {
        let size = |name| Size::of(&fs::read(dir.join(name))?);
        let (wasm, js) = (size("oauth-wasm.wasm")?, size("oauth-wasm.js")?);
        let sri = |name| Ok((name, integrity(&fs::read(dir.join(name))?)));
        Ok(Report {
            rows: vec![
                ("oauth-wasm.wasm", wasm),
                ("oauth-wasm.js", js),
                ("together", wasm + js),
                ("inline.js", size("inline.js")?),
                ("classic.js", size("classic.js")?),
            ],
            total: wasm + js,
            integrity: ["inline.js", "classic.js"]
                .into_iter()
                .map(sri)
                .collect::<Result<_>>()?,
        })
    }

    pub fn within_budget(&self) -> Result<()> {
        ensure!(
            self.total.brotli <= BUDGET,
            "the package is {} bytes over its budget",
            self.total.brotli - BUDGET
        );
        Ok(())
    }

    fn print(&self) {
        println!(
            "\n{:<16} {:>9} {:>9} {:>9}",
            "pkg/", "raw", "gzip -9", "brotli 11"
        );
        for (name, size) in &self.rows {
            println!("{name:<16} {size}");
        }
        println!("{:<16} {:>29}  (together)\n", "budget", BUDGET);
        for (name, value) in &self.integrity {
            println!("{name:<16} {value}");
        }
    }
}

/// Puts `fresh` in the place of `old`. The target directory may be on another disk.
fn swap(fresh: &Path, old: &Path) -> Result<()> {
    if old.exists() {
        fs::remove_dir_all(old)?;
    }
    if fs::rename(fresh, old).is_ok() {
        return Ok(());
    }
    fs::create_dir(old)?;
    for entry in fs::read_dir(fresh)? {
        let entry = entry?;
        fs::copy(entry.path(), old.join(entry.file_name()))?;
    }
    Ok(())
}
