//! The package built a second time, in another directory and from nothing: it must be the same, byte for byte.

use crate::report::Tally;
use crate::workspace::{copy_without, output, recreate, root, timed};
use anyhow::{Context as _, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What is made here and not written.
const MADE: &[&str] = &[".git", "corpus", "node_modules", "pkg", "target"];

pub fn check(tally: &mut Tally) -> Result<()> {
    // Outside the workspace, or cargo would read its configuration twice.
    let there = std::env::temp_dir().join(format!("oauth-wasm-again-{}", std::process::id()));
    recreate(&there)?;
    let outcome = build(&there);
    let compared = outcome.and_then(|()| compare(&root().join("pkg"), &there.join("pkg"), tally));
    fs::remove_dir_all(&there)?;
    compared
}

fn build(there: &Path) -> Result<()> {
    copy_without(&root(), there, MADE)?;
    let installed = Path::new("xtask/npm/node_modules");
    std::os::unix::fs::symlink(root().join(installed), there.join(installed))?;
    timed("build in another directory", || {
        // This program asks the environment where it is.
        let mut again = Command::new(std::env::current_exe()?);
        again
            .arg("build")
            .current_dir(there)
            .env("CARGO_MANIFEST_DIR", there.join("xtask"))
            .env("CARGO_TARGET_DIR", there.join("target"));
        output(&mut again).map(drop)
    })
}

/// Each file of either package is one check.
fn compare(here: &Path, there: &Path, tally: &mut Tally) -> Result<()> {
    let (first, second) = (files(here)?, files(there)?);
    let names: std::collections::BTreeSet<_> = first.keys().chain(second.keys()).collect();
    for name in names {
        let same = first.get(name) == second.get(name);
        tally.one(same);
        if !same {
            let line = format!("{} comes out differently", name.display());
            println!("{line}");
            tally.failures.push(line);
        }
    }
    println!("{} files, {} differ", tally.passed, tally.failed);
    Ok(())
}

fn files(dir: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut left = vec![PathBuf::new()];
    while let Some(part) = left.pop() {
        let path = dir.join(&part);
        let context = || path.display().to_string();
        for entry in fs::read_dir(&path).with_context(context)? {
            let entry = entry?;
            let name = part.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                left.push(name);
            } else {
                found.insert(name, fs::read(entry.path())?);
            }
        }
    }
    Ok(found)
}
