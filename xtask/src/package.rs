//! `cargo xtask build`: from the crate to the npm package in pkg/.

use crate::size::{Size, integrity};
use crate::tools::Tool;
use crate::workspace::{Steps, cargo, npm_bin, recreate, root, stage, with_warnings};
use anyhow::{Context as _, Result, ensure};
use sha2::{Digest as _, Sha256};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

/// A part of the library: a wasm module, loaded when something wants it (`pkg-template/entry.js`).
struct Part {
    /// `parts/{name}.js` is a text, `{name}.wasm` the same for who wants that.
    name: &'static str,
    features: &'static str,
}

const PARTS: &[Part] = &[
    Part {
        name: "start",
        features: "npm,start",
    },
    Part {
        name: "session",
        features: "npm,session",
    },
    Part {
        name: FULL,
        features: "npm,start,session,full",
    },
];

/// The features of each part.
pub fn features() -> impl Iterator<Item = &'static str> {
    PARTS.iter().map(|part| part.features)
}

/// The part that has everything.
const FULL: &str = "full";

/// What a page has downloaded by then, in brotli bytes: the entry, and these parts.
struct Stage {
    what: &'static str,
    parts: &'static [&'static str],
    budget: usize,
}

const STAGES: &[Stage] = &[
    Stage {
        what: "a visit",
        parts: &[],
        budget: 12 * 1024,
    },
    Stage {
        what: "until the provider",
        parts: &["start"],
        budget: 38 * 1024 + 256,
    },
    Stage {
        what: "callback and calls",
        parts: &["session"],
        budget: 51 * 1024 + 128,
    },
    Stage {
        what: "everything",
        parts: &[FULL],
        budget: 95 * 1024 + 256,
    },
];

impl Part {
    fn stage(&self) -> PathBuf {
        stage().join(self.name)
    }
}

/// What every entry of the package exports, sorted; nothing else.
pub const EXPORTS: &[&str] = &[
    "OAuthError",
    "adoptToken",
    "debug",
    "explain",
    "fetchPrivate",
    "handleRedirect",
    "isOAuthError",
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
    "--low-memory-unused",
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

/// What esbuild leaves: 0.8 KB of brotli in the entry.
const TERSER: &[&str] = &[
    "--compress=passes=3,ecma=2020",
    "--mangle",
    "--format=ascii_only,ecma=2020",
];

/// The forms of the package, each a file that esbuild and terser make: the entry whose parts and providers stand in files
/// of their own, or one that carries them within.
struct Form {
    file: &'static str,
    carries: bool,
    esbuild: &'static [&'static str],
    terser: &'static [&'static str],
}

const FORMS: &[Form] = &[
    Form {
        file: "oauth-wasm.js",
        carries: false,
        esbuild: &[
            "--format=esm",
            "--external:./parts/*",
            "--external:./providers/*",
        ],
        terser: &["--module"],
    },
    Form {
        file: "inline.js",
        carries: true,
        esbuild: &["--format=esm"],
        terser: &["--module"],
    },
    Form {
        file: "classic.js",
        carries: true,
        esbuild: &[
            "--format=iife",
            "--global-name=OAuthWasm",
            "--banner:js=\"use strict\";",
        ],
        terser: &[],
    },
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

/// What the package is made of.
const SOURCES: &[&str] = &[
    ".cargo",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "build.rs",
    "docs",
    "pkg-template",
    "relay",
    "sandbox",
    "src",
    "www",
    "xtask/Cargo.toml",
    "xtask/npm/package-lock.json",
    "xtask/src",
];

/// As `make`; where nothing has changed since, what is there stays.
pub fn make_if_changed() -> Result<()> {
    let state = |sources: &[&str]| -> Result<_> {
        let mut state = Sha256::new();
        for source in sources {
            add_to(&mut state, &root().join(source))?;
        }
        Ok(state.finalize().to_vec())
    };
    let (sources, built) = (state(SOURCES)?, stage().with_file_name("built"));
    let are_built =
        |pkg: Vec<u8>| fs::read(&built).is_ok_and(|was| was == [&sources[..], &pkg].concat());
    if state(&["pkg"]).is_ok_and(are_built) {
        println!("pkg/ is as its sources are.");
        return Ok(());
    }
    make()?;
    Ok(fs::write(built, [sources, state(&["pkg"])?].concat())?)
}

/// Every name and every byte of a file, or of a directory in order.
fn add_to(state: &mut Sha256, path: &Path) -> Result<()> {
    let context = || path.display().to_string();
    state.update(path.to_string_lossy().as_bytes());
    if path.is_dir() {
        let entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path()));
        let mut entries = entries.collect::<Result<Vec<_>>>()?;
        entries.sort();
        return entries.iter().try_for_each(|entry| add_to(state, entry));
    }
    let bytes = fs::read(path).with_context(context)?;
    state.update(bytes.len().to_le_bytes());
    state.update(bytes);
    Ok(())
}

/// Builds the package, swaps it in and prints its sizes.
pub fn make() -> Result<Report> {
    for tool in [Tool::WasmTarget, Tool::Node, Tool::NpmPackages] {
        tool.ensure()?;
    }
    let fresh = stage().with_file_name("fresh");
    recreate(&fresh)?;
    recreate(&stage())?;

    let mut steps = Steps::new(3 * PARTS.len() + 4);
    let mut bound = Vec::new();
    for part in PARTS {
        let name = part.name;
        fs::create_dir(part.stage())?;
        let wasm = steps.step(&format!("compile {name}"), || {
            let compiled = fs::read(compile(part)?)?;
            let wasm = part.stage().join("oauth_wasm.wasm");
            fs::write(&wasm, crate::snip::snip(&compiled)?)?;
            Ok(wasm)
        })?;
        bound.push(steps.step("wasm-bindgen", || {
            bind(&wasm, &part.stage())?;
            Ok(crate::seal::Bound {
                glue: fs::read_to_string(part.stage().join("oauth_wasm.js"))?,
                wasm: fs::read(part.stage().join("oauth_wasm_bg.wasm"))?,
            })
        })?);
    }
    steps.step("seal", || {
        let memory = fs::read_to_string(root().join("pkg-template/memory.js"))?;
        let sealed = crate::seal::seal(&bound, &memory)?;
        fs::write(stage().join("glue.js"), sealed.glue)?;
        fs::write(stage().join("memory.js"), sealed.memory)?;
        for (part, wasm) in PARTS.iter().zip(sealed.wasm) {
            fs::write(part.stage().join("oauth_wasm_bg.wasm"), wasm)?;
        }
        Ok(())
    })?;
    for part in PARTS {
        let name = part.name;
        steps.step(&format!("wasm-opt {name}"), || {
            optimise(part, &fresh.join(format!("{name}.wasm")))
        })?;
    }
    steps.step("esbuild", || {
        add_parts(&fresh)?;
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

/// A part as wasm-opt leaves it, with the names of its functions.
pub fn named(name: &str) -> Result<Vec<u8>> {
    let part = PARTS
        .iter()
        .find(|part| part.name == name)
        .with_context(|| format!("{name} is no part"))?;
    let dir = stage().with_file_name("weigh");
    recreate(&dir)?;
    let (input, out) = (dir.join("in.wasm"), dir.join("out.wasm"));
    fs::write(&input, crate::snip::snip(&fs::read(compile(part)?)?)?)?;
    let kept = WASM_OPT.iter().filter(|arg| **arg != "--strip-debug");
    with_warnings(
        npm_bin("wasm-opt")
            .args(kept)
            .arg("-g")
            .arg(&input)
            .arg("-o")
            .arg(&out),
    )?;
    Ok(fs::read(out)?)
}

fn compile(part: &Part) -> Result<PathBuf> {
    with_warnings(
        cargo()
            .args(["build", "--quiet", "--release", "--lib"])
            .args(["--package", "oauth-wasm"])
            .args(["--target", "wasm32-unknown-unknown"])
            .args(["--no-default-features", "--features", part.features]),
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
fn optimise(part: &Part, to: &Path) -> Result<()> {
    let input = part.stage().join("oauth_wasm_bg.wasm");
    let cache = stage().with_file_name(format!("wasm-opt-{}", part.name));
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

/// A text in a module of its own, for the entry to load; and what the entry says of it and of the same text within.
struct Text {
    name: String,
    apart: String,
    inside: String,
}

impl Text {
    fn write(fresh: &Path, name: &str, path: &str, text: &str) -> Result<Text> {
        ensure!(text.is_ascii(), "{path} is not ASCII");
        let literal = serde_json::to_string(text)?;
        fs::write(fresh.join(path), format!("export default {literal}\n"))?;
        let digest = Sha256::digest(text.as_bytes());
        // Half of it: another text with these 128 bits is as far to seek as a key of AES-128, and each of the words costs
        // the entry 5 bytes that nothing compresses.
        let words: Vec<_> = digest
            .chunks_exact(4)
            .take(4)
            .map(|word| word.iter().fold(0, |all, byte| all << 8 | u32::from(*byte)))
            .map(|word| word.to_string())
            .collect();
        let words = words.join(", ");
        Ok(Text {
            name: name.to_owned(),
            apart: format!("apart('{path}', () => import('./{path}'), [{words}])"),
            inside: format!("inside({literal})"),
        })
    }
}

/// A module of the stage that exports a table of texts.
fn table(module: &str, texts: &[Text], expression: fn(&Text) -> &str) -> Result<()> {
    let rows: String = texts
        .iter()
        .map(|text| format!("{}: {},\n", text.name, expression(text)))
        .collect();
    let from = "#template/text.js";
    let script = format!(
        "import {{ apart, inside }} from '{from}'\nexport default {{ __proto__: null,\n{rows}}}\n"
    );
    Ok(fs::write(stage().join(module), script)?)
}

/// The parts as texts.
fn add_parts(fresh: &Path) -> Result<()> {
    fs::create_dir(fresh.join("parts"))?;
    let mut texts = Vec::new();
    for Part { name, .. } in PARTS {
        let encoded = crate::text::of_module(&fs::read(fresh.join(format!("{name}.wasm")))?)?;
        let path = format!("parts/{name}.js");
        texts.push(Text::write(fresh, name, &path, &encoded)?);
    }
    table("parts-apart.js", &texts, |text| &text.apart)?;
    // One is enough where there is nothing to save.
    texts.retain(|text| text.name == FULL);
    table("parts-inside.js", &texts, |text| &text.inside)
}

/// The providers' files: as modules for pages, and as texts for the library.
fn add_providers(fresh: &Path) -> Result<()> {
    fs::create_dir(fresh.join("providers"))?;
    let mut texts = Vec::new();
    for (name, file) in crate::providers::all()? {
        let module = |ending| fresh.join(format!("providers/{name}{ending}"));
        fs::write(module(".js"), format!("export default {file}\n"))?;
        fs::write(module(".d.ts"), PROVIDER_TYPES)?;
        let all = crate::providers::without_about(file);
        let mut languages = String::new();
        for language in crate::providers::files(&all) {
            let one = crate::providers::in_file(all.clone(), &language);
            let json = ascii(&one.to_string());
            let path = provider_path(&name, &language);
            let text = Text::write(fresh, &language, &path, &json)?;
            languages.push_str(&format!("{language}: {},\n", text.apart));
        }
        // Where all is within, nothing is saved by saying the rest of it for each language.
        let inside = format!(
            "inside({})",
            serde_json::to_string(&ascii(&all.to_string()))?
        );
        texts.push(Text {
            name,
            apart: format!("{{ __proto__: null,\n{languages}}}"),
            inside: format!("{{ __proto__: null, en: {inside} }}"),
        });
    }
    table("providers-apart.js", &texts, |text| &text.apart)?;
    table("providers-inside.js", &texts, |text| &text.inside)
}

/// The file that the library loads for a provider in this language; English is what other languages get.
fn provider_path(name: &str, language: &str) -> String {
    match language {
        crate::providers::DEFAULT => format!("providers/{name}.min.js"),
        other => format!("providers/{name}.{other}.min.js"),
    }
}

/// The same JSON in ASCII.
fn ascii(json: &str) -> String {
    let mut out = String::new();
    for character in json.chars() {
        if character.is_ascii() {
            out.push(character);
            continue;
        }
        let mut units = [0; 2];
        for unit in character.encode_utf16(&mut units) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    }
    out
}

/// In an entry `#glue` is the sealed glue, `#parts` and `#providers` what is loaded or within.
fn bundle(fresh: &Path) -> Result<()> {
    let alias = |name: &str, file: PathBuf| format!("--alias:#{name}={}", file.display());
    let exports = EXPORTS.join(", ");
    let entry = stage().join("entry.js");
    fs::write(
        &entry,
        format!(
            "import {{ library }} from '#template/entry.js'\n\
             import parts from '#parts'\n\
             import providers from '#providers'\n\
             export const {{ {exports} }} = library(parts, providers)\n"
        ),
    )?;
    for form in FORMS {
        let what = if form.carries { "inside" } else { "apart" };
        let table = |name: &str| stage().join(format!("{name}-{what}.js"));
        with_warnings(
            npm_bin("esbuild")
                .arg(&entry)
                .args(ESBUILD)
                .args(form.esbuild)
                .arg(alias("glue", stage().join("glue.js")))
                .arg(alias("memory", stage().join("memory.js")))
                .arg(alias("parts", table("parts")))
                .arg(alias("providers", table("providers")))
                .arg(alias("src", root().join("src")))
                .arg(alias("template", root().join("pkg-template")))
                .arg(format!("--outfile={}", fresh.join(form.file).display())),
        )?;
        with_warnings(
            npm_bin("terser")
                .arg(fresh.join(form.file))
                .args(TERSER)
                .args(form.terser)
                .arg("--output")
                .arg(fresh.join(form.file)),
        )?;
        let script = fs::read_to_string(fresh.join(form.file))?;
        let name = form.file;
        ensure!(!script.contains("import.meta"), "{name} has import.meta");
        // How a bundler finds the parts; it must be in the module as terser writes it.
        for Part { name: part, .. } in PARTS {
            let import = format!("import(\"./parts/{part}.js\")");
            let there = script.contains(&import);
            ensure!(there != form.carries, "{name} and {import}: {there}");
        }
    }
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
    // What wasm-pack's package has not.
    let types = ["src/types.d.ts", "pkg-template/oauth-error.d.ts"];
    let types: Result<Vec<_>, _> = types
        .map(|file| fs::read_to_string(root().join(file)))
        .into_iter()
        .collect();
    fs::write(fresh.join("oauth-wasm.d.ts"), types?.concat())?;
    // For compilers that know no `exports`.
    fs::write(
        fresh.join("inline.d.ts"),
        "export * from './oauth-wasm.js'\n",
    )?;
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
    /// Each stage with what is downloaded by then.
    stages: Vec<(&'static Stage, Size)>,
    integrity: Vec<(&'static str, String)>,
}

impl Report {
    fn of(dir: &Path) -> Result<Report> {
        let size = |name: &str| Size::of(&fs::read(dir.join(name))?);
        let mut rows = Vec::new();
        for form in FORMS {
            rows.push((form.file.to_owned(), size(form.file)?));
        }
        for Part { name, .. } in PARTS {
            for name in [format!("parts/{name}.js"), format!("{name}.wasm")] {
                let size = size(&name)?;
                rows.push((name, size));
            }
        }
        for name in ["vault.js", "vault-page.js"] {
            rows.push((name.to_owned(), size(name)?));
        }
        for (name, file) in crate::providers::all()? {
            for language in crate::providers::files(&crate::providers::without_about(file)) {
                let name = provider_path(&name, &language);
                let size = size(&name)?;
                rows.push((name, size));
            }
        }
        let mut stages = Vec::new();
        for stage in STAGES {
            let mut total = size(FORMS[0].file)?;
            for part in stage.parts {
                total = total + size(&format!("parts/{part}.js"))?;
            }
            stages.push((stage, total));
        }
        let whole = FORMS.iter().filter(|form| form.carries);
        let sri = |form: &Form| Ok((form.file, integrity(&fs::read(dir.join(form.file))?)));
        Ok(Report {
            rows,
            stages,
            integrity: whole.map(sri).collect::<Result<_>>()?,
        })
    }

    pub fn within_budget(&self) -> Result<()> {
        for (Stage { what, budget, .. }, total) in &self.stages {
            ensure!(
                total.brotli <= *budget,
                "{what} is {} bytes over its budget",
                total.brotli - budget
            );
        }
        Ok(())
    }

    fn print(&self) {
        println!(
            "\n{:<26} {:>9} {:>9} {:>9}",
            "pkg/", "raw", "gzip -9", "brotli 11"
        );
        for (name, size) in &self.rows {
            println!("{name:<26} {size}");
        }
        println!("\n{:<56} {:>9}", "downloaded by then", "may be");
        for (Stage { what, budget, .. }, total) in &self.stages {
            println!("{what:<26} {total} {budget:>9}");
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
    crate::workspace::copy(fresh, old)
}
