//! A provider's file (`providers/*.json`): a configuration said in advance, with a site for each country where it has
//! them, and its texts in several languages.

use alloc::string::String;
use alloc::vec::Vec;

use super::error::{Error, ErrorCode, unknown, wrong};
use super::json::{Json, Object};
use super::text;

/// The file that the configuration means: its own, or `found` under its name. `found` is a list of the names that
/// there are where there is none. Afterwards `provider` is the name.
pub fn choose(config: &mut Json, found: Json) -> Result<Option<Json>, Error> {
    let own = match config.get("provider") {
        None => {
            return match config.get("site") {
                None => Ok(None),
                Some(_) => Err(wrong("site", "means nothing without a provider")),
            };
        }
        Some(provider) => provider.as_str().is_none(),
    };
    if own {
        let mut file = config.take("provider").unwrap_or(Json::Null);
        if let Some(name) = file.take("name") {
            add(config, "provider", name);
        }
        return Ok(Some(file));
    }
    let name = config.str("provider").unwrap_or("");
    match found {
        Json::Object(_) => Ok(Some(found)),
        names => {
            let names = names.texts();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            Err(unknown(ErrorCode::UnknownProvider, name, &names))
        }
    }
}

/// What the file says of the configuration's site; `null` where none is said.
pub fn site(config: &mut Json, file: &mut Json) -> Result<Json, Error> {
    let Some(mut sites) = file.take("sites") else {
        return match config.get("site") {
            None => Ok(Json::Null),
            Some(_) => Err(wrong("site", "the provider has none")),
        };
    };
    match config.str("site") {
        Some(site) => match sites.take(site) {
            Some(chosen) => Ok(chosen),
            None => {
                let names = sites.names();
                let mut detail = listed(&[text::shown(site), " is none of"], &names);
                text::suggest(&mut detail, site, &names);
                Err(ErrorCode::UnknownSite.at(&detail))
            }
        },
        None => {
            // For whoever needs an endpoint that only a site has.
            let all = listed(&["site is missing, one of"], &sites.names());
            add(config, NO_SITE, Json::String(all));
            Ok(Json::Null)
        }
    }
}

/// A sentence that ends in a list of names.
fn listed(start: &[&str], names: &[&str]) -> String {
    let mut sentence = text::concat(start);
    for name in names {
        sentence.push(' ');
        sentence.push_str(name);
    }
    sentence
}

/// The member of a configuration that says which sites there are, where none was chosen.
pub const NO_SITE: &str = "noSite";

fn add(config: &mut Json, name: &str, value: Json) {
    let mut member = Object::new();
    member.value(name, value);
    config.fill(member.done());
}

/// Leaves out what is for people only, and of several languages all but the one that is asked for.
pub fn distil(config: &mut Json) {
    config.take("about");
    config.take("name");
    let language = config.take("language");
    let language = language.as_ref().and_then(Json::as_str).unwrap_or("");
    let language = text::cut(language, "-").map_or(language, |(language, _)| language);
    if let Some(Json::Object(scopes)) = config.get_mut("scopes") {
        for (_, scope) in scopes {
            scope.take("about");
        }
    }
    if let Some(Json::Array(rows)) = config.get_mut("errors") {
        for row in rows {
            for name in ["message", "remedy"] {
                if let Some(said) = row.get_mut(name)
                    && let Some(one) = said.take(language).or_else(|| said.take("en"))
                {
                    *said = one;
                }
            }
        }
    }
}

/// The file of a provider of this name, or the names that there are. The npm package does without: there `entry.js`
/// loads the one that is needed.
pub fn find(name: Option<&str>) -> Json {
    const FILES: &str = include_str!(concat!(env!("OUT_DIR"), "/providers.json"));
    let mut files = Json::parse(FILES.as_bytes()).unwrap_or(Json::Null);
    if let Some(file) = name.and_then(|name| files.take(name)) {
        return file;
    }
    super::json::list(
        &files
            .names()
            .into_iter()
            .map(String::from)
            .collect::<Vec<_>>(),
    )
}
