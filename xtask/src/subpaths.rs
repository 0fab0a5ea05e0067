//! What the package has beside the library: for frameworks, and for the tests of applications. Files of
//! pkg-template/subpaths/, bundled; what they import by name (`oauth-wasm`, the framework) stays an import.

use crate::workspace::{npm_bin, root, stage, with_warnings};
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::path::Path;

struct Subpath {
    name: &'static str,
    /// The first line of the module.
    banner: &'static str,
    /// Whether there is a CommonJS form too, which Jest needs.
    common_js: bool,
}

const SUBPATHS: &[Subpath] = &[
    Subpath {
        name: "angular",
        banner: "",
        common_js: false,
    },
    Subpath {
        name: "react",
        banner: "\"use client\";",
        common_js: true,
    },
    Subpath {
        name: "solid",
        banner: "",
        common_js: true,
    },
    Subpath {
        name: "svelte",
        banner: "",
        common_js: false,
    },
    Subpath {
        name: "testing",
        banner: "",
        common_js: true,
    },
    Subpath {
        name: "vue",
        banner: "",
        common_js: true,
    },
    Subpath {
        name: "words",
        banner: "",
        common_js: true,
    },
];

/// `{name}.js`, `{name}.d.ts`, and for CommonJS `{name}.cjs`, `{name}.d.cts`.
pub fn add(fresh: &Path) -> Result<()> {
    let sources = root().join("pkg-template/subpaths");
    fs::write(stage().join("errors.js"), errors()?)?;
    types(&sources, fresh, "store", true)?;
    for subpath in SUBPATHS {
        let name = subpath.name;
        bundle(&sources, fresh, subpath, "esm", "js")?;
        if subpath.common_js {
            bundle(&sources, fresh, subpath, "cjs", "cjs")?;
        }
        types(&sources, fresh, name, subpath.common_js)?;
    }
    Ok(())
}

fn bundle(
    sources: &Path,
    fresh: &Path,
    subpath: &Subpath,
    format: &str,
    ending: &str,
) -> Result<()> {
    let name = subpath.name;
    let errors = stage().join("errors.js");
    with_warnings(
        npm_bin("esbuild")
            .arg(sources.join(format!("{name}.js")))
            .args(["--bundle", "--minify", "--target=es2022", "--charset=ascii"])
            .args(["--packages=external", "--log-level=warning"])
            .arg(format!("--format={format}"))
            .arg(format!("--banner:js={}", subpath.banner))
            .arg(format!("--alias:#errors={}", errors.display()))
            .arg(format!(
                "--outfile={}",
                fresh.join(format!("{name}.{ending}")).display()
            )),
    )
}

/// For CommonJS the same declarations; those that they stand on are of a module.
fn types(sources: &Path, fresh: &Path, name: &str, common_js: bool) -> Result<()> {
    let file = sources.join(format!("{name}.d.ts"));
    let text = fs::read_to_string(&file).context(file.display().to_string())?;
    fs::write(fresh.join(format!("{name}.d.ts")), &text)?;
    if common_js {
        let mode = "{ 'resolution-mode': 'import' }";
        let text = text
            .replace("'./store.js'", "'./store.cjs'")
            .replace(
                "from './oauth-wasm.js'",
                &format!("from './oauth-wasm.js' with {mode}"),
            )
            .replace(
                "import('./oauth-wasm.js')",
                &format!("import('./oauth-wasm.js', {{ with: {mode} }})"),
            );
        fs::write(fresh.join(format!("{name}.d.cts")), text)?;
    }
    Ok(())
}

/// Code, message, remedy and whether it is retryable, from the table in docs/errors.md, which tests/floors.rs compares
/// with the library.
fn errors() -> Result<String> {
    let text = fs::read_to_string(root().join("docs/errors.md")).context("docs/errors.md")?;
    let mut rows = serde_json::Map::new();
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
        if let [code, message, remedy, again] = cells.as_slice() {
            let row = serde_json::json!([message, remedy, *again == "yes"]);
            rows.insert(code.trim_matches('`').to_owned(), row);
        }
    }
    ensure!(
        rows.contains_key("login_required"),
        "docs/errors.md has no table of errors"
    );
    Ok(format!(
        "export default {}\n",
        serde_json::Value::Object(rows)
    ))
}
