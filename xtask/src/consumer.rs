//! The package as somebody gets it: packed by npm, installed beside a program that uses it.

use crate::package::EXPORTS;
use crate::report::Tally;
use crate::workspace::{npm_bin, output, recreate, root, stage};
use crate::{examples, live, tools};
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// tests/types/*.ts import `oauth-wasm` by its name and must pass the compiler in both of the
/// ways in which it looks for a package's types.
pub fn types(tally: &mut Tally) -> Result<()> {
    let dir = install()?;
    let from = root().join("tests/types");
    let mut files = Vec::new();
    for entry in fs::read_dir(&from).context("tests/types")? {
        let name = entry?.file_name();
        if Path::new(&name).extension().is_some_and(|ext| ext == "ts") {
            fs::copy(from.join(&name), dir.join(&name))?;
            files.push(name);
        }
    }
    ensure!(!files.is_empty(), "tests/types holds no .ts file");
    for (module, resolution) in [("esnext", "bundler"), ("nodenext", "nodenext")] {
        println!("tsc --strict --moduleResolution {resolution} {files:?}");
        let mut tsc = npm_bin("tsc");
        tsc.args(["--noEmit", "--strict", "--target", "es2022"])
            .args(["--lib", "es2022,dom,dom.iterable"])
            .args(["--module", module, "--moduleResolution", resolution])
            .args(&files)
            .current_dir(&dir);
        live::check(&mut tsc, tally)?;
    }
    are_right(&dir, tally)
}

/// Whatever way a compiler looks for the package's types it finds those of the file that would run
/// (arethetypeswrong).
fn are_right(dir: &Path, tally: &mut Tally) -> Result<()> {
    // No modules: nothing imports them by these names but to copy or serve them.
    let files = [
        "vault.headers",
        "start.wasm",
        "session.wasm",
        "full.wasm",
        "classic.js",
    ];
    let mut attw = npm_bin("attw");
    attw.arg(tarball(dir)?)
        .arg("--no-emoji")
        // CommonJS gets the library by `import()`, or from Node 20.19 by `require`; the rest has a form of its own for it.
        .args(["--ignore-rules", "cjs-resolves-to-esm"])
        .arg("--exclude-entrypoints")
        .args(files);
    live::check(&mut attw, tally)
}

/// What npm would publish is well formed, and brings nothing else along.
pub fn publint(tally: &mut Tally) -> Result<()> {
    let manifest = fs::read(root().join("pkg/package.json"))?;
    let manifest: serde_json::Value = serde_json::from_slice(&manifest)?;
    let members = manifest.as_object().context("package.json")?.keys();
    let wants: Vec<_> = members.filter(|name| brings(&manifest, name)).collect();
    tally.one(wants.is_empty());
    if !wants.is_empty() {
        tally.failures.push(format!("package.json has {wants:?}"));
    }
    live::check(npm_bin("publint").args(["--strict", "pkg"]), tally)
}

/// The lists of other packages, and the scripts that npm would run. A framework is named, and installed by nobody.
fn brings(manifest: &serde_json::Value, member: &str) -> bool {
    if member == "peerDependencies" {
        let names = manifest[member].as_object().into_iter().flatten();
        let optional = |name: &String| manifest["peerDependenciesMeta"][name]["optional"] == true;
        return !names.map(|(name, _)| name).all(optional);
    }
    member.to_lowercase().ends_with("dependencies") || member == "scripts"
}

/// Node imports every entry (nobody may run anything there, but bundlers and servers import) and
/// sees exactly the names of `EXPORTS`; then it runs the sandbox out of the package.
pub fn import(tally: &mut Tally) -> Result<()> {
    let dir = install()?;
    fs::copy(root().join("xtask/npm/import.mjs"), dir.join("import.mjs"))?;
    let mut node = Command::new("node");
    node.arg("import.mjs").args(EXPORTS).current_dir(&dir);
    live::check(&mut node, tally)?;
    fs::copy(
        root().join("xtask/npm/sandbox.mjs"),
        dir.join("sandbox.mjs"),
    )?;
    let mut node = Command::new("node");
    live::check(node.arg("sandbox.mjs").current_dir(&dir), tally)
}

/// `oauth-wasm/testing` in the tests of an application: Vitest in Node, jsdom and happy-dom, and Jest, which is CommonJS.
pub fn testing(tally: &mut Tally) -> Result<()> {
    examples::install()?;
    for (module, resolution) in [("esnext", "bundler"), ("nodenext", "nodenext")] {
        let mut tsc = examples::bin("tsc");
        tsc.args(["--noEmit", "--strict", "--target", "es2022"])
            .args(["--lib", "es2022,dom,dom.iterable"])
            .args(["--types", "", "--jsx", "react-jsx"])
            .args(["--module", module, "--moduleResolution", resolution])
            .args(["tests/types/react.tsx", "tests/types/others.ts"]);
        if module == "nodenext" {
            tsc.arg("tests/types/common.cts");
        }
        live::check(&mut tsc, tally)?;
    }
    shells(tally)?;
    let mut vitest = examples::bin("vitest");
    vitest.args(["run", "--root", "tests", "--reporter", "verbose"]);
    live::check(&mut vitest, tally)?;
    let mut jest = examples::bin("jest");
    jest.args(["--rootDir", "tests", "--config", "tests/jest.config.cjs"]);
    live::check(&mut jest, tally)
}

/// docs/testing.md's way by Playwright, in the Chromium that is here.
pub fn playwright(tally: &mut Tally) -> Result<()> {
    examples::install()?;
    let mut starts = Command::new("node");
    starts
        .arg("--test")
        .arg(root().join("xtask/starts.test.mjs"));
    live::check(&mut starts, tally)?;
    let mut vitest = examples::bin("vitest");
    vitest
        .args(["run", "--root", "tests", "--reporter", "verbose"])
        .args(["--project", "playwright"])
        .env("CHROMIUM", tools::chromium().context("Chromium")?);
    live::check(&mut vitest, tally)
}

/// The recipes for Capacitor, Tauri and Electron against the types of the real packages: none of these runs here.
fn shells(tally: &mut Tally) -> Result<()> {
    let mut tsc = examples::bin("tsc");
    tsc.args(["--noEmit", "--allowJs", "--checkJs", "--strict"])
        .args(["--noImplicitAny", "false", "--skipLibCheck"])
        .args(["--target", "es2022", "--lib", "es2022,dom,dom.iterable"])
        .args(["--types", "node", "--module", "esnext"])
        .args(["--moduleResolution", "bundler"])
        .args(SHELLS.map(|file| format!("recipes/{file}")))
        .arg("tests/types/native.d.ts");
    live::check(&mut tsc, tally)
}

const SHELLS: [&str; 6] = [
    "native.js",
    "capacitor.js",
    "tauri.js",
    "electron.js",
    "electron-preload.cjs",
    "electron-main.js",
];

/// A directory where npm has installed what it would publish.
pub fn install() -> Result<PathBuf> {
    let dir = stage().with_file_name("consumer");
    recreate(&dir)?;
    let manifest = "{ \"private\": true, \"type\": \"module\" }\n";
    fs::write(dir.join("package.json"), manifest)?;
    npm(&dir, &["pack", "--silent"], &root().join("pkg"))?;
    let packed = tarball(&dir)?;
    let install = ["install", "--no-save", "--offline", "--ignore-scripts"];
    npm(&dir, &install, &packed)?;
    Ok(dir)
}

fn tarball(dir: &Path) -> Result<PathBuf> {
    fs::read_dir(dir)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|path| path.extension().is_some_and(|ext| ext == "tgz"))
        .context("npm pack left no tarball")
}

fn npm(dir: &Path, args: &[&str], operand: &Path) -> Result<()> {
    let mut npm = Command::new("npm");
    npm.args(args)
        .args(["--no-audit", "--no-fund", "--loglevel=error"])
        .arg(operand)
        .current_dir(dir);
    output(&mut npm).map(drop)
}
