//! The providers' files, `src/protocol/providers/*.json`.

use crate::workspace::root;
use anyhow::{Context as _, Result};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;

/// Each provider's name and file, by name; members in the order of the file.
pub fn all() -> Result<Vec<(String, Value)>> {
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
pub fn without_about(mut json: Value) -> Value {
    if let Some(members) = json.as_object_mut() {
        members.remove("about");
        for value in members.values_mut() {
            *value = without_about(value.take());
        }
    }
    json
}

/// What a user gets whose language a provider's file does not have.
pub const DEFAULT: &str = "en";

/// The texts of a row of a provider's table, each an object by language.
const TEXTS: [&str; 2] = ["message", "remedy"];

/// The languages of a file, in order; the default is one of them.
fn languages(file: &Value) -> BTreeSet<String> {
    let mut languages = BTreeSet::from([DEFAULT.to_owned()]);
    let rows = file["errors"].as_array().into_iter().flatten();
    for texts in rows.flat_map(|row| TEXTS.map(|text| &row[text])) {
        languages.extend(
            texts
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, _)| name.clone()),
        );
    }
    languages
}

/// A file that is shorter than this is not cut: each language costs the entry 40 bytes on the wire, of every visit.
const LONG: usize = 16 * 1024;

/// The languages of which the package has a file; where it is the default alone, that has them all.
pub fn files(file: &Value) -> BTreeSet<String> {
    match file.to_string().len() < LONG {
        true => BTreeSet::from([DEFAULT.to_owned()]),
        false => languages(file),
    }
}

/// What the file of a language has.
pub fn in_file(file: Value, language: &str) -> Value {
    match files(&file).len() {
        1 => file,
        _ => in_language(file, language),
    }
}

/// The file with its texts in one language only, as `distil` of `provider.rs` would leave them.
fn in_language(mut file: Value, language: &str) -> Value {
    let rows = file["errors"].as_array_mut();
    for row in rows.into_iter().flatten() {
        for name in TEXTS {
            let Some(text) = row.get_mut(name) else {
                continue;
            };
            if let Some(one) = text.get(language).or_else(|| text.get(DEFAULT)) {
                *text = one.clone();
            }
        }
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_file_is_not_cut() {
        for (name, file) in all().expect("the providers") {
            let file = without_about(file);
            let count = if name == "mercadolibre" { 3 } else { 1 };
            assert_eq!(files(&file).len(), count, "{name}");
            assert_eq!(in_file(file.clone(), DEFAULT) == file, count == 1, "{name}");
        }
    }

    #[test]
    fn a_file_in_one_language_has_the_texts_of_the_whole_one_in_it_or_else_in_english() {
        for (name, file) in all().expect("the providers") {
            let languages: Vec<_> = languages(&file).into_iter().collect();
            assert_eq!(languages, ["en", "es", "pt"], "{name}");
            for language in languages {
                let one = in_language(file.clone(), &language);
                let rows = |file: &Value| file["errors"].as_array().expect("rows").clone();
                for (row, whole) in rows(&one).iter().zip(rows(&file)) {
                    for text in TEXTS {
                        assert!(!row[text].is_object(), "{name} {language}: {row}");
                        assert_eq!(row[text], whole[text][&language], "{name} {language}");
                    }
                }
            }
        }
        let row =
            |text: Value| serde_json::json!({ "errors": [{ "error": "e", "message": text }] });
        let file = row(serde_json::json!({ "en": "no", "pt": "nao" }));
        assert_eq!(in_language(file.clone(), "pt"), row("nao".into()));
        assert_eq!(in_language(file, "es"), row("no".into()));
        assert_eq!(in_language(row("plain".into()), "es"), row("plain".into()));
    }
}
