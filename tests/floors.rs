//! The rules of the house (see `src/lib.rs`), as tests.
#![cfg(not(target_family = "wasm"))]

use oauth_wasm::ErrorCode;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).expect(path)
}

/// The files below a directory, with their text.
fn files(directory: &str, ending: &str) -> Vec<(String, String)> {
    fn walk(directory: &Path, ending: &str, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, ending, found);
            } else if path.to_string_lossy().ends_with(ending) {
                let text = fs::read_to_string(&path).expect("text");
                found.push((path.display().to_string(), text));
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(directory), ending, &mut found);
    assert!(!found.is_empty(), "{directory} has files");
    found
}

/// The code before the tests, without comments.
fn code(text: &str) -> String {
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    text.lines()
        .map(|line| match line.find("//") {
            Some(at) if !line[..at].ends_with(':') => &line[..at],
            _ => line,
        })
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn the_browser_floor_contains_no_word_of_rfc_6749() {
    let words = [
        "token",
        "oauth",
        "grant",
        "scope",
        "bearer",
        "redirect_uri",
        "redirecturi",
        "client_id",
        "clientid",
        "pkce",
        "verifier",
        "challenge",
        "refresh",
        "login",
        "session_state",
    ];
    let files = [files("src/browser", ".rs"), files("src/browser", ".js")].concat();
    for (path, text) in files {
        // The package's name, by which its database and its channel go.
        let code = code(&text).to_lowercase().replace("'oauth-wasm'", "");
        for word in words {
            assert!(!code.contains(word), "{path} says {word:?}");
        }
    }
}

#[test]
fn imports_go_down_only() {
    let forbidden = [
        (
            "src/protocol",
            &[
                "crate::browser",
                "crate::client",
                "crate::js",
                "wasm_bindgen",
                "js_sys",
                "web_sys",
                "getrandom",
                "std::time",
            ][..],
        ),
        (
            "src/browser",
            &["crate::protocol", "crate::client", "crate::js"][..],
        ),
        (
            "src/client",
            &[
                "crate::door",
                "crate::js",
                "crate::npm",
                "crate::rust",
                "crate::browser::web",
                "wasm_bindgen",
                "JsValue",
            ][..],
        ),
    ];
    for (floor, words) in forbidden {
        let mut files = files(floor, ".rs");
        let own = format!("{floor}.rs");
        if std::path::Path::new(&own).exists() {
            files.push((own.clone(), read(&own)));
        }
        for (path, text) in files {
            for word in words {
                assert!(!code(&text).contains(word), "{path} reaches up to {word}");
            }
        }
    }
}

/// The modules of the protocol, each of which imports only from before itself.
const PROTOCOL: &[&str] = &[
    "text",
    "secret",
    "json",
    "shown",
    "record",
    "parameters",
    "error",
    "url",
    "form",
    "pkce",
    "refusal",
    "scope",
    "resource",
    "jose",
    "dpop",
    "client",
    "openid",
    "provider",
    "metadata",
    "shape",
    "config",
    "pushed",
    "token",
    "authorization",
    "session",
];

#[test]
fn the_protocol_has_an_order_and_no_circle() {
    let place = |name: &str| PROTOCOL.iter().position(|known| *known == name);
    let mut checked = 0;
    for (path, text) in files("src/protocol", ".rs") {
        let inside = path.split("src/protocol/").nth(1).expect("a module");
        let module = inside.split(['/', '.']).next().expect("a name");
        if module == "mod" {
            continue;
        }
        let own = place(module).unwrap_or_else(|| panic!("{module} has no place in the order"));
        // `super` is the protocol in its own files, and the module itself one directory down; not so in what stands in a
        // module's place.
        let up = match inside.contains('/') && !inside.ends_with("/without.rs") {
            true => "super::super::",
            false => "super::",
        };
        let code = code(&text);
        for start in [up, "crate::protocol::"] {
            for rest in code.split(start).skip(1) {
                let names = match rest.strip_prefix('{') {
                    Some(list) => list.split('}').next().unwrap_or_default(),
                    None => rest,
                };
                let one = rest.starts_with('{');
                for name in names.split(',').take(if one { usize::MAX } else { 1 }) {
                    let name: String = name
                        .trim_start()
                        .chars()
                        .take_while(|c| c.is_ascii_lowercase() || *c == '_')
                        .collect();
                    let Some(other) = place(&name) else {
                        continue;
                    };
                    checked += 1;
                    assert!(other <= own, "{path}: {module} imports {name}");
                }
            }
        }
    }
    assert!(checked > 80, "the imports are found: {checked}");
}

/// What only some builds have is chosen at the rim, a file at a time: which, this list says.
#[test]
fn a_feature_chooses_files_and_cuts_through_no_function() {
    let mut lines = Vec::new();
    for (path, text) in files("src", ".rs") {
        let text = text.replace("target_feature = ", "");
        for line in text.lines().filter(|line| line.contains("feature = \"")) {
            let at_the_rim = !line.starts_with(' ') || path.ends_with("src/lib.rs");
            let is_number = path.ends_with("browser/task/part.rs");
            assert!(at_the_rim || is_number, "{path}: {line}");
            lines.push(format!("{path}: {line}"));
        }
    }
    assert!(lines.len() <= 20, "{}:\n{}", lines.len(), lines.join("\n"));
}

#[test]
fn no_providers_name_occurs_in_rust() {
    for (path, text) in files("src", ".rs") {
        let code = code(&text).to_lowercase();
        for name in ["mercado", "appfigures", "google", "auth0"] {
            assert!(!code.contains(name), "{path} says {name:?}");
        }
    }
}

#[test]
fn input_from_outside_cannot_panic() {
    for (path, text) in files("src", ".rs") {
        let code = code(&text);
        for word in [
            ".unwrap()",
            ".expect(",
            "panic!(",
            "unreachable!(",
            "todo!(",
            "unimplemented!(",
        ] {
            assert!(!code.contains(word), "{path} says {word:?}");
        }
    }
}

#[test]
fn a_secret_has_no_display() {
    let secret = code(&read("src/protocol/secret.rs"));
    assert!(!secret.contains("Display") && !secret.contains("Serialize"));
}

#[test]
fn error_codes_are_one_list_in_code_types_and_documentation() {
    let types = read("src/types.d.ts");
    let union = types.split("export type OAuthErrorCode =").nth(1);
    let union = union
        .and_then(|rest| rest.split("/**").next())
        .expect("the union");
    let in_types: Vec<_> = union.split('\'').skip(1).step_by(2).collect();
    let in_code: Vec<_> = ErrorCode::ALL.iter().map(|code| code.code()).collect();
    assert_eq!(in_types, in_code);

    let mut table = String::new();
    for code in ErrorCode::ALL {
        let again = if code.retryable() { "yes" } else { "" };
        let (name, message, remedy) = (code.code(), code.message(), code.remedy());
        table.push_str(&format!("| `{name}` | {message} | {remedy} | {again} |\n"));
    }
    let documentation = read("docs/errors.md");
    assert!(
        documentation.contains(&table),
        "docs/errors.md needs this table:\n{table}"
    );
}

#[test]
fn every_error_has_a_sentence_for_the_user_in_three_languages() {
    let words = read("pkg-template/subpaths/words.js");
    let (sentences, codes) = words.split_once("const CODES").expect("both tables");
    for code in ErrorCode::ALL {
        let named = format!("'{}'", code.code());
        assert_eq!(codes.matches(&named).count(), 1, "{named}");
    }
    let kinds = sentences.matches(": {").count();
    for language in ["en", "es", "pt"] {
        let count = sentences.matches(&format!("\n    {language}: '")).count();
        assert_eq!(count, kinds, "{language}");
    }
}

#[test]
fn the_entry_and_the_protocol_agree() {
    use oauth_wasm::protocol::authorization::STATE_PREFIX;
    use oauth_wasm::protocol::parameters;
    let address = read("src/address.js");
    assert!(address.contains(&format!("'state={STATE_PREFIX}'")));
    assert!(address.contains("'oauth-wasm.pending.'"));
    let names = [parameters::OF_RESPONSES, parameters::ADDED].concat();
    let list = address.split("for (const name of [").nth(1);
    let list = list
        .and_then(|rest| rest.split(']').next())
        .expect("a list");
    let known: Vec<_> = list.split('\'').skip(1).step_by(2).collect();
    assert_eq!(
        known, names,
        "a parameter that is read leaves the address bar"
    );
    let load_failed = ErrorCode::LoadFailed;
    let entry = read("pkg-template/entry.js");
    assert!(entry.contains(&format!("'{}'", oauth_wasm::protocol::resource::OPTIONS)));
    for (name, path) in [
        ("'oauth-wasm.pending.'", "src/client/pending.rs"),
        ("'oauth-wasm.kept.'", "src/client/optional/shared/record.rs"),
        ("'session.'", "src/client/optional/shared.rs"),
    ] {
        assert!(entry.contains(name), "{name}");
        let stored = name.replace('\'', "\"");
        assert!(read(path).contains(&stored), "{path} has no {stored}");
    }
    let crashed = ErrorCode::InternalError;
    let memory = read("pkg-template/memory.js");
    for text in [crashed.code(), crashed.message(), crashed.remedy()] {
        assert!(memory.contains(text), "memory.js lacks {text:?}");
    }
    for text in [
        load_failed.code(),
        load_failed.message(),
        load_failed.remedy(),
    ] {
        assert!(entry.contains(text), "entry.js lacks {text:?}");
    }
}

#[test]
fn the_documented_functions_are_the_exported_ones() {
    let types = read("src/types.d.ts");
    let mut names: Vec<_> = types
        .lines()
        .filter_map(|line| line.strip_prefix("export function ")?.split('(').next())
        .collect();
    // One that gives two kinds of answers is declared twice.
    names.dedup();
    let js = read("src/js.rs");
    for name in &names {
        let exported =
            js.contains(&format!("js_name = {name}")) || js.contains(&format!("pub fn {name}("));
        assert!(exported, "{name} is not exported");
    }
    assert_eq!(js.matches("\npub fn ").count(), names.len());
    let npm: String = files("src/npm", ".rs")
        .into_iter()
        .map(|(_, text)| text)
        .collect();
    let entry = read("pkg-template/entry.js");
    for name in &names {
        // What JavaScript knows by itself.
        if ["debug", "onSessionChange"].contains(name) {
            continue;
        }
        assert!(npm.contains(&format!("//! | {name} |")), "src/npm: {name}");
        assert!(entry.contains(&format!("'{name}'")), "entry.js: {name}");
    }
}

/// Whatever the npm package can be told, a Rust application can say.
#[test]
fn every_field_of_a_configuration_is_one_of_the_rust_structure() {
    let shape = code(&read("src/protocol/shape.rs"));
    let fields = shape.split("const REQUEST:").next().unwrap_or_default();
    let names: Vec<_> = fields
        .lines()
        .filter(|line| line.contains("Kind::"))
        .filter_map(|line| line.trim().trim_start_matches('(').strip_prefix('"'))
        .filter_map(|line| line.split('"').next())
        .collect();
    assert!(names.contains(&"clientId") && names.contains(&"keepOptional"));
    let elsewhere = [
        // The tables, in one text.
        ("scopes", "pub tables:"),
        ("routes", "pub tables:"),
        ("errors", "pub tables:"),
        ("navigate", "pub async fn start_login_with("),
        // To give a login up is to drop its future.
        ("signal", ""),
        ("clientSecret", ""),
        ("client_secret", ""),
    ];
    let rust = code(&read("src/rust.rs"));
    let types = read("src/types.d.ts");
    for name in names {
        let said =
            types.contains(&format!("  {name}?: ")) || types.contains(&format!("  {name}: "));
        let secret = name.to_lowercase().contains("secret");
        assert!(said || secret, "LoginConfig of types.d.ts lacks {name}");
        let place = elsewhere.iter().find(|(field, _)| *field == name);
        let place = match place {
            Some((_, place)) => (*place).to_owned(),
            None => format!("    pub {}: ", snake_case(name)),
        };
        assert!(rust.contains(&place), "LoginConfig of Rust lacks {name}");
    }
}

fn snake_case(name: &str) -> String {
    let mut out = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            out.push('_');
        }
        out.push(letter.to_ascii_lowercase());
    }
    out
}

#[test]
fn the_readmes_example_is_the_one_that_the_tests_run() {
    let example = read("examples/plain/main.js");
    assert!(read("README.md").contains(example.trim()));
}

#[test]
fn the_documented_applications_are_those_that_the_tests_run() {
    for (page, files) in [
        ("react", &["main.jsx"][..]),
        ("vue", &["main.js", "App.vue", "User.vue"]),
        ("svelte", &["App.svelte", "Me.svelte"]),
        ("solid", &["main.jsx"]),
        ("angular", &["main.ts"]),
    ] {
        let shown = read(&format!("docs/{page}.md"));
        let mut lines = 0;
        for file in files {
            let written = read(&format!("examples/{page}/src/{file}"));
            assert!(
                shown.contains(written.trim()),
                "docs/{page}.md lacks {file}"
            );
            lines += written
                .lines()
                .filter(|line| !line.trim().is_empty())
                .count();
        }
        assert!(lines <= 30, "examples/{page} has {lines} lines");
    }
}

#[test]
fn the_documented_projects_are_those_that_the_bundlers_build() {
    for (page, files) in [
        (
            "next",
            &["app/oauth.js", "app/layout.js", "app/account.js"][..],
        ),
        (
            "nuxt",
            &["app/plugins/oauth.js", "app/components/Account.vue"],
        ),
        (
            "sveltekit",
            &["src/oauth.js", "src/Account.svelte", "vite.config.js"],
        ),
        ("astro", &["src/account.js", "astro.config.mjs"]),
    ] {
        let shown = read(&format!("docs/{page}.md"));
        for file in files {
            let written = read(&format!("xtask/bundlers/{page}/{file}"));
            assert!(
                shown.contains(written.trim()),
                "docs/{page}.md lacks {file}"
            );
        }
    }
}

#[test]
fn the_lines_of_the_compared_applications_are_as_the_page_says() {
    let lines = |example: &str| {
        let written = read(&format!("examples/{example}/src/main.jsx"));
        let own = |line: &&str| !line.trim().is_empty() && !line.starts_with("//");
        written.lines().filter(own).count()
    };
    let (ours, theirs) = (lines("react"), lines("react-oidc-context"));
    let row = format!("| {ours} | {theirs} |");
    assert!(read("docs/compare.md").contains(&row), "it lacks {row}");
}

#[test]
fn the_documented_recipes_are_those_that_the_tests_run() {
    let shown = read("docs/recipes.md");
    let recipes = files("examples/recipes", "js");
    assert!(!recipes.is_empty());
    for (name, written) in recipes {
        assert!(
            shown.contains(written.trim()),
            "docs/recipes.md lacks {name}"
        );
    }
}

#[test]
fn what_the_pages_link_to_is_there() {
    let mut broken = Vec::new();
    let pages = std::fs::read_dir(root().join("docs")).expect("docs/");
    let pages = pages.map(|page| page.expect("a page").path());
    let pages = pages.filter(|page| page.extension().is_some_and(|ending| ending == "md"));
    let more = [
        "README.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "CHANGELOG.md",
    ]
    .map(|name| root().join(name));
    for page in pages.chain(more) {
        let text = std::fs::read_to_string(&page).expect("a readable page");
        for link in text.split("](").skip(1) {
            let link = link.split(')').next().unwrap_or_default();
            let path = link.split('#').next().unwrap_or_default();
            let is_ours = !path.is_empty() && !path.contains(':') && !path.contains(' ');
            let target = page.parent().expect("a directory").join(path);
            if is_ours && !target.exists() {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn the_types_name_every_provider_and_every_site_of_mercado_libre() {
    let types = read("src/types.d.ts");
    let members = |name: &str| {
        let (_, rest) = types
            .split_once(&format!("export type {name} ="))
            .expect(name);
        let (union, _) = rest.split_once("\n\n").expect("the end of the type");
        let quoted = union.split('\'').skip(1).step_by(2);
        quoted.map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let mut names = BTreeSet::new();
    for file in fs::read_dir(root().join("src/protocol/providers")).expect("the providers") {
        let path = file.expect("a file").path();
        if path.extension().is_some_and(|ending| ending == "json") {
            let name = path.file_stem().expect("a name").to_string_lossy();
            names.insert(name.into_owned());
        }
    }
    assert_eq!(members("ProviderName"), names);
    let file = read("src/protocol/providers/mercadolibre.json");
    let file: serde_json::Value = serde_json::from_str(&file).expect("JSON");
    let sites = file["sites"].as_object().expect("sites");
    let sites: BTreeSet<_> = sites.keys().cloned().collect();
    assert_eq!(members("MercadoLibreSite"), sites);
}
