//! The providers' files, `src/protocol/providers/*.json`.

use crate::workspace::root;
use anyhow::{Context as _, Result};
use std::fs;

/// Each provider's name and file, by name; members in the order of the file.
pub fn all() -> Result<Vec<(String, serde_json::Value)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(root().join("src/protocol/providers"))? {
        let path = entry?.path();
        let name = path.file_stem().context("a name")?.to_string_lossy();
        let json = serde_json::from_slice(&fs::read(&path)?);
        files.push((name.into_owned(), json.context(path.display().to_string())?));
    }
    files.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(files)
}

/// What the library needs of a file: what is for people is left out.
pub fn without_about(mut json: serde_json::Value) -> serde_json::Value {
    if let Some(members) = json.as_object_mut() {
        members.remove("about");
        for value in members.values_mut() {
            *value = without_about(value.take());
        }
    }
    json
}
