//! The part of cargo-deny that needs no network: every dependency's licence is in deny.toml's
//! list, every source is the public registry.

use crate::workspace::{cargo, output, root};
use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// As Cargo.lock spells it.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// What is wrong, a line each; the number of dependencies looked at.
pub fn check() -> Result<(usize, Vec<String>)> {
    let metadata = output(cargo().args(["metadata", "--format-version", "1", "--locked"]))?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    let packages = metadata["packages"].as_array().context("packages")?;
    let allowed = allowed()?;

    let mut wrong = Vec::new();
    let mut looked_at = 0;
    for package in packages {
        let Some(source) = package["source"].as_str() else {
            continue; // ours
        };
        looked_at += 1;
        let name = format!("{} {}", package["name"], package["version"]).replace('"', "");
        if source != REGISTRY {
            wrong.push(format!("{name} comes from {source}"));
        }
        let licence = package["license"].as_str().unwrap_or("no licence");
        if !permits(licence, &allowed) {
            wrong.push(format!("{name}: {licence} is not in deny.toml"));
        }
    }
    Ok((looked_at, wrong))
}

/// The quoted words of `allow = [...]` in deny.toml.
fn allowed() -> Result<Vec<String>> {
    let text = std::fs::read_to_string(root().join("deny.toml"))?;
    let Some((_, list)) = text.split_once("\nallow = [") else {
        bail!("deny.toml has no list `allow`");
    };
    let list = list.split(']').next().unwrap_or_default();
    let words = list.split('"').skip(1).step_by(2);
    Ok(words.map(str::to_owned).collect())
}

/// An SPDX expression holds: one side of OR is enough, AND needs both. The old `MIT/Apache-2.0`
/// means OR.
fn permits(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('/', " OR ");
    let mut words = spaced.split_whitespace().peekable();
    let holds = either(&mut words, allowed);
    holds && words.next().is_none()
}

type Words<'a> = std::iter::Peekable<std::str::SplitWhitespace<'a>>;

fn either(words: &mut Words, allowed: &[String]) -> bool {
    let mut holds = both(words, allowed);
    while words.next_if_eq(&"OR").is_some() {
        holds |= both(words, allowed);
    }
    holds
}

fn both(words: &mut Words, allowed: &[String]) -> bool {
    let mut holds = one(words, allowed);
    while words.next_if_eq(&"AND").is_some() {
        holds &= one(words, allowed);
    }
    holds
}

fn one(words: &mut Words, allowed: &[String]) -> bool {
    if words.next_if_eq(&"(").is_some() {
        let holds = either(words, allowed);
        return words.next_if_eq(&")").is_some() && holds;
    }
    let licence = words.next().unwrap_or_default();
    if words.next_if_eq(&"WITH").is_some() {
        // An exception only permits more.
        words.next();
    }
    allowed.iter().any(|name| name == licence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_read_as_spdx_does() {
        let allowed = ["MIT".to_owned(), "Zlib".to_owned()];
        let check = |text| permits(text, &allowed);
        assert!(check("MIT"));
        assert!(check("MIT OR GPL-3.0"));
        assert!(check("GPL-3.0/MIT"));
        assert!(check("(GPL-3.0 OR MIT) AND Zlib"));
        assert!(check("MIT WITH LLVM-exception"));
        assert!(!check("MIT AND GPL-3.0"));
        assert!(!check("GPL-3.0"));
        assert!(!check("no licence"));
        assert!(!check(""));
    }
}
