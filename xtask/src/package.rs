//! `cargo xtask build`: from the crate to the npm package in pkg/.

use crate::size::{Size, integrity};
use crate::tools::Tool;
use crate::workspace::{Steps, cargo, npm_bin, recreate, root, stage, with_warnings};
use anyhow::{Context as _, Result, ensure};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// The library in two sizes: what every application needs, and that with everything else.
struct Build {
    /// The name of the entry and of the module: `{name}.js`, `{name}.wasm`.
    name: &'static str,
    features: &'static str,
    /// Brotli bytes of the two together.
    budget: usize,
}

const BUILDS: &[Build] = &[
    Build {
        name: "oauth-wasm",
        features: "npm",
        budget: 47 * 1024 + 768,
    },
    Build {
        name: "full",
        features: "npm,full",
        budget: 86 * 1024,
    },
];

impl Build {
    fn stage(&self) -> PathBuf {
        stage().join(self.name)
    }
}

/// What every entry of the package exports, sorted; nothing else.
pub const EXPORTS: &[&str] = &[
    "adoptToken",
    "explain",
    "fetchPrivate",
    "handleRedirect",
    "logout",
    "onSessionChange",
    "restore",
    "scopesFor",
    "session",
    "startLogin",
    "userinfo",
];

/// Every feature that rustc lets LLVM use; wasm-opt would refuse the module without them.
pub const WASM_OPT: &[&str] = &[
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

/// The bundles: a file of pkg-template/ each, with the build it stands on and what esbuild makes of it.
const ENTRIES: &[(&str, &str, &[&str])] = &[
    ("oauth-wasm.js", "oauth-wasm", &["--format=esm"]),
    ("full.js", "full", &["--format=esm"]),
    ("inline.js", "oauth-wasm", &["--format=esm"]),
    (
        "classic.js",
        "oauth-wasm",
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

    let mut steps = Steps::new(4 * BUILDS.len() + 3);
    for build in BUILDS {
        let name = build.name;
        fs::create_dir(build.stage())?;
        let wasm = steps.step(&format!("compile {name} for the browser"), || {
            let compiled = fs::read(compile(build)?)?;
            let wasm = build.stage().join("oauth_wasm.wasm");
            fs::write(&wasm, crate::snip::snip(&compiled)?)?;
            Ok(wasm)
        })?;
        steps.step("wasm-bindgen", || bind(&wasm, &build.stage()))?;
        steps.step("seal", || {
            let wasm = build.stage().join("oauth_wasm_bg.wasm");
            let glue = fs::read_to_string(build.stage().join("oauth_wasm.js"))?;
            let memory = fs::read_to_string(root().join("pkg-template/memory.js"))?;
            let sealed = crate::seal::seal(&glue, &memory, &fs::read(&wasm)?)?;
            fs::write(build.stage().join("glue.js"), sealed.glue)?;
            fs::write(build.stage().join("memory.js"), sealed.memory)?;
            Ok(fs::write(wasm, sealed.wasm)?)
        })?;
        steps.step("wasm-opt", || {
            optimise(build, &fresh.join(format!("{name}.wasm")))
        })?;
    }
    steps.step("esbuild", || {
        add_providers(&fresh)?;
        crate::vault::add(&fresh)?;
        bundle(&fresh)
    })?;
    steps.step("sandbox for npx", || crate::sandbox::add(&fresh))?;
    let report = steps.step("measure and swap in", || {
        crate::subpaths::add(&fresh)?;
        add_papers(&fresh)?;
        let report = Report::of(&fresh)?;
        swap(&fresh, &root().join("pkg"))?;
        Ok(report)
    })?;
    report.print();
    Ok(report)
}

fn compile(build: &Build) -> Result<PathBuf> {
    with_warnings(
        cargo()
            .args(["build", "--quiet", "--release", "--lib"])
            .args(["--package", "oauth-wasm"])
            .args(["--target", "wasm32-unknown-unknown"])
            .args(["--no-default-features", "--features", build.features]),
    )?;
    Ok(crate::workspace::target_dir().join("wasm32-unknown-unknown/release/oauth_wasm.wasm"))
}

pub fn bind(wasm: &Path, out_dir: &Path) -> Result<()> {
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
fn optimise(build: &Build, to: &Path) -> Result<()> {
    let input = build.stage().join("oauth_wasm_bg.wasm");
    let cache = stage().with_file_name(format!("wasm-opt-{}", build.name));
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
    for build in BUILDS {
        let wasm = fs::read(fresh.join(format!("{}.wasm", build.name)))?;
        let encoded = crate::text::encode(&wasm);
        let text = build.stage().join("wasm.js");
        fs::write(text, format!("export default \"{encoded}\"\n"))?;
    }
    for (name, build, format) in ENTRIES {
        let built = stage().join(build);
        with_warnings(
            npm_bin("esbuild")
                .arg(root().join("pkg-template").join(name))
                .args(ESBUILD)
                .args(*format)
                .arg(alias("glue", built.join("glue.js")))
                .arg(alias("wasm", built.join("wasm.js")))
                .arg(alias("src", root().join("src")))
                .arg(alias("windows", windows(build)))
                .arg(alias("memory", built.join("memory.js")))
                .arg(alias("providers-apart", stage().join("apart.js")))
                .arg(alias("providers-inside", stage().join("inside.js")))
                .arg(format!("--outfile={}", fresh.join(name).display())),
        )?;
    }
    for Build { name, .. } in BUILDS {
        // How a bundler finds the `.wasm`; it must be in the module as esbuild writes it.
        let url = format!("new URL(\"./{name}.wasm\",import.meta.url)");
        let main = fs::read_to_string(fresh.join(format!("{name}.js")))?;
        ensure!(main.contains(&url), "{name}.js has lost {url}");
    }
    let classic = fs::read_to_string(fresh.join("classic.js"))?;
    ensure!(
        !classic.contains("import.meta"),
        "classic.js has import.meta"
    );
    Ok(())
}

/// What the entry has of windows.
fn windows(build: &str) -> PathBuf {
    match build {
        "full" => root().join("src/browser/windows.js"),
        _ => root().join("pkg-template/without.js"),
    }
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
    rows: Vec<(String, Size)>,
    /// The build, what it weighs, what it may weigh.
    totals: Vec<(&'static str, Size, usize)>,
    integrity: Vec<(&'static str, String)>,
}

impl Report {
    fn of(dir: &Path) -> Result<Report> {
        let size = |name: &str| Size::of(&fs::read(dir.join(name))?);
        let mut rows = Vec::new();
        let mut totals = Vec::new();
        for Build { name, budget, .. } in BUILDS {
            let (wasm, js) = (format!("{name}.wasm"), format!("{name}.js"));
            let total = size(&wasm)? + size(&js)?;
            rows.push((wasm.clone(), size(&wasm)?));
            rows.push((js.clone(), size(&js)?));
            rows.push((format!("  {name} in all"), total));
            totals.push((*name, total, *budget));
        }
        for name in ["inline.js", "classic.js", "vault.js", "vault-page.js"] {
            rows.push((name.to_owned(), size(name)?));
        }
        let sri = |name| Ok((name, integrity(&fs::read(dir.join(name))?)));
        Ok(Report {
            rows,
            totals,
            integrity: ["inline.js", "classic.js"]
                .into_iter()
                .map(sri)
                .collect::<Result<_>>()?,
        })
    }

    pub fn within_budget(&self) -> Result<()> {
        for (name, total, budget) in &self.totals {
            ensure!(
                total.brotli <= *budget,
                "{name} is {} bytes over its budget",
                total.brotli - budget
            );
        }
        Ok(())
    }

    fn print(&self) {
        println!(
            "\n{:<19} {:>9} {:>9} {:>9}",
            "pkg/", "raw", "gzip -9", "brotli 11"
        );
        for (name, size) in &self.rows {
            println!("{name:<19} {size}");
        }
        for (name, _, budget) in &self.totals {
            println!("{:<19} {budget:>29}", format!("  {name} may be"));
        }
        println!();
        for (name, value) in &self.integrity {
            println!("{name:<19} {value}");
        }
        crate::vault::print();
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
