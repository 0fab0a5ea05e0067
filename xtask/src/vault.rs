//! The vault's two modules, and the headers of its page.

use crate::workspace::{npm_bin, root, with_warnings};
use anyhow::{Context as _, Result};
use std::fs;
use std::path::Path;

/// The header lines of a vault's page; `{servers}` and `{applications}` are for who runs it.
pub const HEADERS: &str = include_str!("../../pkg-template/vault.headers");

/// `vault.js` for applications, `vault-page.js` for the vault's own page, their types, and the headers.
const MODULES: [&str; 2] = ["vault", "vault-page"];

pub fn add(fresh: &Path) -> Result<()> {
    let template = root().join("pkg-template");
    for name in MODULES {
        let script = format!("{name}.js");
        with_warnings(
            npm_bin("esbuild")
                .arg(template.join(&script))
                .args(["--minify", "--format=esm", "--target=es2022"])
                .args(["--charset=ascii", "--legal-comments=none"])
                .args(["--log-level=warning"])
                .arg(format!("--outfile={}", fresh.join(script).display())),
        )?;
        let types = format!("{name}.d.ts");
        fs::copy(template.join(&types), fresh.join(&types)).context(types)?;
    }
    fs::write(fresh.join("vault.headers"), HEADERS)?;
    Ok(())
}

/// The headers as they stand in documentation and at the end of a build.
pub fn print() {
    println!("\nheaders of a vault's page (docs/vault.md):");
    for line in HEADERS.lines() {
        println!("  {line}");
    }
}
