//! The providers' files (`src/protocol/providers/*.json`): each one resolves, says what the documents say, and agrees
//! with the sandbox, which was written from the same documents by somebody else.
#![cfg(not(target_family = "wasm"))]

use oauth_wasm::protocol::authorization::{Accepted, AuthorizationResponse, Entropy, PendingLogin};
use oauth_wasm::protocol::client::Client;
use oauth_wasm::protocol::config::Config;
use oauth_wasm::protocol::error::{ErrorCode, ServerError};
use oauth_wasm::protocol::json::Json;
use oauth_wasm::protocol::provider;
use oauth_wasm::protocol::resource::{Call, PrivateRequest};
use oauth_wasm::protocol::scope;
use oauth_wasm::protocol::session::{Session, explain};
use oauth_wasm::protocol::token::Tokens;
use sandbox::Sandbox;
use sandbox::http::Request;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;
use std::rc::Rc;

const HERE: &str = "https://app.example";
const LANGUAGES: [&str; 3] = ["en", "es", "pt"];

fn names() -> Vec<String> {
    provider::find(None).texts()
}

fn file(name: &str) -> Json {
    let file = provider::find(Some(name));
    assert!(matches!(file, Json::Object(_)), "{name}");
    file
}

fn members(json: Option<&Json>) -> Vec<(String, Json)> {
    match json {
        Some(Json::Object(members)) => members.clone(),
        _ => Vec::new(),
    }
}

fn rows(json: Option<&Json>) -> Vec<Json> {
    match json {
        Some(Json::Array(rows)) => rows.clone(),
        _ => Vec::new(),
    }
}

fn complete(fields: &str) -> Config {
    let config = Config::parse(&format!("{{{fields}}}")).expect("a configuration");
    let found = provider::find(config.provider());
    config.complete(found).expect("a known provider")
}

fn login(fields: &str) -> Rc<Client> {
    let app = format!(r#""clientId":"app 1","redirectUri":"{HERE}/callback",{fields}"#);
    complete(&app).resolve(HERE).expect("a login")
}

/// `"provider":"..","site":".."` for each provider and site.
fn presets() -> Vec<String> {
    let mut presets = Vec::new();
    for name in names() {
        let sites = members(file(&name).get("sites"));
        if sites.is_empty() {
            presets.push(format!(r#""provider":"{name}""#));
        }
        for (site, _) in sites {
            presets.push(format!(r#""provider":"{name}","site":"{site}""#));
        }
    }
    presets
}

/// Compares with a file that is kept; `UPDATE=1 cargo test` writes it anew.
fn kept(path: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, text).expect("a writable file");
    }
    let known = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(known, text, "{} (UPDATE=1 writes it anew)", path.display());
}

#[test]
fn every_file_is_json_and_has_the_name_of_its_provider() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/protocol/providers");
    let mut known = Vec::new();
    for entry in std::fs::read_dir(directory).expect("the providers' directory") {
        let path = entry.expect("an entry").path();
        let said = path.display();
        let text = std::fs::read(&path).expect("a readable file");
        let file = Json::parse(&text)
            .unwrap_or_else(|| panic!("{said}: no JSON, or a member stands twice"));
        let name = path.file_stem().and_then(|name| name.to_str());
        let name = name.expect("a name in plain letters").to_owned();
        assert_eq!(file.str("name"), Some(&*name), "{said}");
        // It is a part of an address, and of a program.
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        assert!(name.bytes().all(plain), "{said}: a-z, 0-9 and hyphens");
        for route in rows(file.get("routes")) {
            let path = route.str("path").expect("a path");
            let fixed = path.strip_suffix("/*").unwrap_or(path);
            assert!(!fixed.contains('*'), "{said}: {path}: * stands at the end");
        }
        for row in rows(file.get("errors")) {
            let fits_all = ["error", "status", "says"]
                .iter()
                .all(|field| row.get(field).is_none());
            assert!(!fits_all, "{said}: fits every error: {}", row.text());
        }
        known.push(name);
    }
    known.sort();
    assert_eq!(names(), known);
}

#[test]
fn every_preset_asks_and_exchanges_as_the_snapshot_says() {
    let entropy: Entropy = core::array::from_fn(|i| i as u8);
    let mut text = String::new();
    for preset in presets() {
        let client = complete(&preset).adopt().expect("a provider");
        let scopes = client.scopes();
        let scope: Vec<_> = scopes
            .iter()
            .filter(|(name, _)| !name.starts_with("urn:"))
            .map(|(name, _)| format!("{name:?}"))
            .collect();
        let login = login(&format!(r#"{preset},"scope":[{}]"#, scope.join(",")));
        let pending = PendingLogin::new(login, &entropy, 0).expect("entropy");
        writeln!(text, "{preset}\nGET {}", pending.authorization_url()).expect("text");
        let state = pending.state().expose();
        let url = format!("{HERE}/callback?code=CODE&state={state}");
        let response = AuthorizationResponse::read(&url).expect("a response");
        let Ok((_, Accepted::Exchange(request))) = pending.accept(response, 0, 0) else {
            panic!("an exchange: {preset}");
        };
        writeln!(text, "POST {}\n{}\n", request.endpoint(), *request.body()).expect("text");
    }
    kept("tests/providers.snapshot", &text);
}

#[test]
fn every_address_is_https_and_no_two_sites_share_one() {
    let mut known = HashSet::new();
    for preset in presets() {
        let login = login(&preset);
        for endpoint in [login.authorization_endpoint(), login.token_endpoint()] {
            assert!(endpoint.starts_with("https://"), "{endpoint}");
        }
        assert!(
            known.insert(login.authorization_endpoint().to_owned()),
            "{preset}"
        );
        assert!(!login.resource_servers().is_empty(), "{preset}");
    }
}

#[test]
fn the_sites_are_the_sandboxes() {
    let sites = members(file("mercadolibre").get("sites"));
    let told: Vec<_> = sites
        .iter()
        .map(|(name, site)| {
            (
                name.clone(),
                site.str("authorizationEndpoint").map(String::from),
            )
        })
        .collect();
    let known: Vec<_> = sandbox::sites()
        .iter()
        .map(|site| {
            let endpoint = format!("https://{}/authorization", site.authorization_host);
            (site.id.to_owned(), Some(endpoint))
        })
        .collect();
    assert_eq!(told, known);
}

#[test]
fn a_doubtful_host_is_marked_and_can_be_said_otherwise() {
    let sites = members(file("mercadolibre").get("sites"));
    let doubtful: Vec<_> = sites
        .iter()
        .filter(|(_, site)| {
            site.get("about")
                .is_some_and(|about| about.str("doubt").is_some())
        })
        .map(|(name, _)| name.as_str())
        .collect();
    for name in ["MCR", "MGT", "MHN", "MNI", "MSV"] {
        assert!(doubtful.contains(&name), "{name}");
    }
    assert!(!doubtful.contains(&"MLB"));
    let own = "https://auth.mercadolibre.com.cr/authorization";
    let login = login(&format!(
        r#""provider":"mercadolibre","site":"MCR","authorizationEndpoint":"{own}""#
    ));
    assert_eq!(login.authorization_endpoint(), own);
}

#[test]
fn every_text_is_there_in_three_languages_without_a_full_stop() {
    for name in names() {
        let file = file(&name);
        let mut texts = Vec::new();
        for (scope, about) in members(file.get("scopes")) {
            texts.push((scope, about.get("about").cloned()));
        }
        for row in rows(file.get("errors")) {
            texts.push((row.text(), row.get("message").cloned()));
            texts.push((row.text(), row.get("remedy").cloned()));
        }
        for (of, text) in texts {
            let text = text.unwrap_or_else(|| panic!("{name}: {of} has a text"));
            let said: HashSet<_> = LANGUAGES
                .iter()
                .filter_map(|language| text.str(language))
                .collect();
            assert_eq!(
                said.len(),
                3,
                "{name}: three different texts: {}",
                text.text()
            );
            for text in said {
                assert!(!text.is_empty() && !text.ends_with('.'), "{name}: {text}");
            }
        }
    }
}

/// What the library makes of each documented error, by the sandbox's own answers.
#[test]
fn every_documented_error_is_explained_in_three_languages() {
    let mut explained = 0;
    for language in LANGUAGES {
        for error in sandbox::documented_errors() {
            let provider = match error.shape {
                sandbox::Shape::Page => continue,
                sandbox::Shape::Appfigures => r#""provider":"appfigures""#,
                _ => r#""provider":"mercadolibre","site":"MLA""#,
            };
            let sandbox = Sandbox::new();
            sandbox.change(|settings| settings.force_api_error = Some(error.id.into()));
            let url = match error.shape {
                sandbox::Shape::Appfigures => "https://api.appfigures.com/v2/reviews",
                _ => "https://api.mercadolibre.com/users/me",
            };
            let request = Request::get(url).header("authorization", "Bearer x");
            let answer = sandbox.handle(request.body(Vec::new()).expect("a request"));
            assert_eq!(answer.status(), error.status, "{}", error.id);

            let login = login(&format!(r#"{provider},"language":"{language}""#));
            let tokens = Tokens::adopt("x".into(), &[]).expect("a token");
            let session = Session::new(login.clone(), tokens, 0, 0);
            let said = format!(
                r#"{{"status":{},"method":"POST","url":"https://x.example/"}}"#,
                error.status
            );
            let said = Json::parse(said.as_bytes()).expect("JSON");
            let told = explain(Some(&session), &said, answer.body(), 0).expect("a refusal");
            let code = if error.status == 429 || error.status == 420 {
                "rate_limited"
            } else {
                "request_refused"
            };
            assert_eq!(told.code.code(), code, "{}", error.id);
            assert!(told.explained.is_some(), "{} has a row", error.id);
            let mut rows = login.errors().iter();
            let row = rows.find(|row| row.remedy.as_deref() == Some(told.remedy()));
            let message = row.expect("the row's remedy").message.as_deref();
            assert_eq!(message, Some(&*told.message()), "{}", error.id);
            explained += 1;
        }
    }
    assert!(explained > 3 * 12, "{explained}");
}

/// Some errors the provider tells the user only. Whoever looks one up finds what to do all the same.
#[test]
fn what_the_provider_says_on_its_own_page_is_in_the_table_too() {
    let mut found = 0;
    for error in sandbox::documented_errors() {
        if error.shape != sandbox::Shape::Page {
            continue;
        }
        let login = login(r#""provider":"mercadolibre","site":"MLA","language":"es""#);
        let said = ServerError {
            error: Some(error.error.into()),
            error_description: Some(error.description.into()),
            error_uri: None,
            status: Some(error.status),
        };
        let told = login.explained(ErrorCode::RequestRefused.error().with(said));
        let remedy = match error.id {
            "callback_mismatch" => "partes variables: para eso están appState y returnTo",
            "cannot_connect" => "no la de un colaborador",
            _ => "se abre en este navegador",
        };
        assert!(
            told.remedy().contains(remedy),
            "{}: {}",
            error.id,
            told.remedy()
        );
        found += 1;
    }
    assert_eq!(found, 3);
}

/// The daily 403 of Mercado Libre, seen before it is sent.
#[test]
fn what_the_gateway_would_refuse_for_a_functional_permission_is_known_before_it_is_sent() {
    let login = login(r#""provider":"mercadolibre","site":"MLA""#);
    let mut refused = 0;
    for permission in sandbox::functional_permissions() {
        for (method, access) in [("GET", "read-only"), ("POST", "read-write")] {
            for (names, level) in [
                (vec![], ""),
                (vec![permission.name], "read-only"),
                (vec![permission.name], "read-write"),
                (vec!["other"], "read-write"),
            ] {
                let urns = names.iter().map(|name| match *name {
                    "other" if permission.name == "ads" => "urn:ml:mktp:metrics:/read-only".into(),
                    "other" => "urn:ml:mktp:ads:/read-write".into(),
                    name => format!("urn:ml:mktp:{name}:/{level}"),
                });
                let held: Vec<String> = ["read", "write"]
                    .map(String::from)
                    .into_iter()
                    .chain(urns)
                    .collect();
                let path = format!("{}/7", permission.path);
                let sandbox = Sandbox::new();
                sandbox.change(|settings| settings.applications[0].scope = held.clone());
                let code = sandbox.grant_code("1620218256833906", HERE, &held.join(" "), None);
                let form = format!(
                    "grant_type=authorization_code&client_id=1620218256833906&code={code}&redirect_uri={HERE}"
                );
                let request = Request::post("https://api.mercadolibre.com/oauth/token")
                    .header("content-type", "application/x-www-form-urlencoded");
                let answer = sandbox.handle(request.body(form.into_bytes()).expect("a request"));
                let answer = Json::parse(answer.body()).expect("JSON");
                let token = answer.str("access_token").expect("a token");
                let url = format!("https://api.mercadolibre.com{path}");
                let request = Request::builder()
                    .method(method)
                    .uri(&url)
                    .header("authorization", format!("Bearer {token}"));
                let answer = sandbox.handle(request.body(Vec::new()).expect("a request"));
                let gateway = Json::parse(answer.body()).is_some_and(|body| {
                    body.str("code") == Some("PA_UNAUTHORIZED_RESULT_FROM_POLICIES")
                });

                let tokens = Tokens::adopt(token.into(), &held).expect("a token");
                let session = Session::new(login.clone(), tokens, 0, 0);
                let description = format!("\n{method}\n{url}");
                let request = PrivateRequest::read(&description).expect("a request");
                let admitted = session.admit(&request, 0);
                let case = format!("{method} {path} with {held:?}");
                match admitted {
                    Ok(_) => assert!(!gateway, "{case}"),
                    Err(error) => {
                        assert!(gateway, "{case}: {}", error.message());
                        assert_eq!(error.code, ErrorCode::InsufficientScope, "{case}");
                        let needed = format!("urn:ml:mktp:{}:/{access}", permission.name);
                        assert!(error.message().contains(&needed), "{}", error.message());
                        assert!(error.message().contains(permission.path), "{case}");
                        assert!(error.remedy().contains("DevCenter"), "{}", error.remedy());
                        refused += 1;
                    }
                }
            }
        }
    }
    assert!(refused > 30, "{refused}");
}

/// Whoever holds a permission that nobody here knows may be allowed anything: the call is sent.
#[test]
fn a_functional_permission_that_the_file_does_not_name_stops_no_call() {
    let login = login(r#""provider":"mercadolibre","site":"MLA""#);
    let held = ["read", "write", "urn:ml:mktp:new:/read-only"].map(String::from);
    let tokens = Tokens::adopt("x".into(), &held).expect("a token");
    let session = Session::new(login, tokens, 0, 0);
    let call = "\nGET\nhttps://api.mercadolibre.com/orders/1";
    let request = PrivateRequest::read(call).expect("a request");
    assert!(session.admit(&request, 0).is_ok());
}

#[test]
fn the_route_table_of_seed_000_is_the_sandboxes_row_by_row() {
    let login = login(r#""provider":"appfigures""#);
    let server = &login.resource_servers()[0];
    for route in sandbox::routes() {
        for last in ["", "/7", "/7/8"] {
            let path = route
                .path
                .replace("{id}", "1")
                .replace("{email}", "a@b.example");
            let path = path.replace("{product_id}", "9");
            let path = match path.strip_suffix("/*") {
                Some(base) => format!("{base}{last}"),
                None if last.is_empty() => path,
                None => continue,
            };
            // A row above this one may have a part of it.
            let first = sandbox::routes()
                .iter()
                .find(|other| other.method == route.method && fits(other.path, &path));
            let url = format!("{server}{path}");
            let need = login.need(route.method, &url, &[]).map(|need| need.scope());
            let want = first
                .and_then(|row| row.scope)
                .map_or(vec![], |scope| vec![scope.to_owned()]);
            assert_eq!(need, Some(want), "{} {path}", route.method);
        }
    }
    assert_eq!(login.need("GET", &format!("{server}/reports/x"), &[]), None);
    assert_eq!(login.need("POST", &format!("{server}/sales"), &[]), None);
}

fn fits(pattern: &str, path: &str) -> bool {
    let (want, have): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
    let open = want.last() == Some(&"*");
    let fixed = if open {
        &want[..want.len() - 1]
    } else {
        &want[..]
    };
    let same = fixed
        .iter()
        .zip(&have)
        .all(|(want, have)| want.starts_with('{') || want == have);
    same && if open {
        have.len() >= fixed.len()
    } else {
        have.len() == want.len()
    }
}

#[test]
fn write_implies_read_and_the_least_scope_of_some_calls_is_found() {
    let login = login(r#""provider":"appfigures""#);
    let least = |calls: &[(&str, &str)]| {
        let calls: Vec<_> = calls
            .iter()
            .map(|(method, path)| {
                format!(r#"{{"method":"{method}","url":"https://api.appfigures.com/v2{path}"}}"#)
            })
            .collect();
        let calls = Call::list(&format!("[{}]", calls.join(","))).expect("calls");
        login
            .scope_for(&calls)
            .map(|scope| scope::join(&scope, " "))
            .map_err(|error| error.code.code())
    };
    assert_eq!(
        least(&[("GET", "/"), ("GET", "/data/countries"), ("GET", "/help")]),
        Ok(String::new())
    );
    assert_eq!(
        least(&[("GET", "/products/mine"), ("PUT", "/products/7")]),
        Ok("products:write".into())
    );
    assert_eq!(
        least(&[
            ("GET", "/reviews"),
            ("GET", "/sales/dates"),
            ("GET", "/account"),
            ("POST", "/events/1")
        ]),
        Ok("public:read private:read account:write".into())
    );
    let foreign = Call::list(r#"[{"url":"https://evil.example/"}]"#).expect("calls");
    assert_eq!(
        login.scope_for(&foreign).map_err(|error| error.code.code()),
        Err("undeclared_resource_server")
    );
}

#[test]
fn the_file_in_the_documentation_is_a_good_one() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/add-a-provider.md");
    let text = std::fs::read_to_string(path).expect("the documentation");
    let file = text
        .split("```json")
        .nth(1)
        .and_then(|rest| rest.split("```").next());
    let provider = file.expect("a file");
    let login = login(&format!(
        r#""provider":{provider},"scope":["orders:read","orders:write"],"language":"es""#
    ));
    assert_eq!(login.provider(), Some("example"));
    assert_eq!(login.scope(), ["orders:write"]);
    let need = |url| login.need("GET", url, &[]).map(|need| need.scope());
    assert_eq!(
        need("https://api.example.com/v1/orders"),
        Some(vec!["orders:read".into()])
    );
    assert_eq!(need("https://api.example.com/v1/status"), Some(vec![]));
    let message = login.errors()[0].message.as_deref();
    assert_eq!(message, Some("la sesión terminó"));
}

#[test]
fn the_table_of_providers_in_the_documentation_is_the_data() {
    let mut text = String::from(
        "# Providers\n\nGenerated from `src/protocol/providers/*.json` by `UPDATE=1 cargo test --test providers`. \
         [Adding one](add-a-provider.md) takes a screen.\n\n\
         | provider | `provider` | sites | scopes | routes | errors explained | limits | given back |\n\
         | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for name in names() {
        let file = file(&name);
        let title = file.get("about").and_then(|about| about.str("title"));
        let title = title.unwrap_or(&name);
        let or_no = |count: usize| match count {
            0 => String::from("–"),
            count => count.to_string(),
        };
        let has = |field| if file.get(field).is_some() { "yes" } else { "" };
        let given = match (has("revocationRequest"), has("revocationEndpoint")) {
            ("", "") => "not known",
            ("", _) => "by RFC 7009",
            _ => "by its API",
        };
        let limits = if has("limitHeader").is_empty() {
            "by status"
        } else {
            "by status and headers"
        };
        writeln!(
            text,
            "| [{title}](#{}) | `{name}` | {} | {} | {} | {} | {limits} | {given} |",
            title.to_lowercase().replace(' ', "-"),
            or_no(file.get("sites").map_or(0, |sites| sites.names().len())),
            or_no(members(file.get("scopes")).len()),
            or_no(rows(file.get("routes")).len()),
            or_no(rows(file.get("errors")).len()),
        )
        .expect("text");
    }
    for name in names() {
        let file = file(&name);
        let about = file.get("about").cloned().unwrap_or(Json::Null);
        let title = about.str("title").unwrap_or(&name);
        write!(
            text,
            "\n## {title}\n\n`provider: '{name}'`\n\n| | |\n| --- | --- |\n"
        )
        .expect("text");
        let mut line = |what: &str, value: String| {
            if !value.is_empty() {
                writeln!(text, "| {what} | {value} |").expect("text");
            }
        };
        let code = |text: &str| {
            if text.is_empty() {
                String::new()
            } else {
                format!("`{text}`")
            }
        };
        for (what, field) in [
            ("authorization endpoint", "authorizationEndpoint"),
            ("token endpoint", "tokenEndpoint"),
            ("revocation (RFC 7009)", "revocationEndpoint"),
            ("header that narrows a call", "scopeHeader"),
        ] {
            line(what, code(file.str(field).unwrap_or("")));
        }
        if let Some(request) = file.get("revocationRequest") {
            let text = |name| request.str(name).unwrap_or("");
            line(
                "taking the grant back",
                format!("`{} {}`", text("method"), text("url")),
            );
        }
        let servers = file.get("resourceServers").map_or(vec![], Json::texts);
        line(
            "resource servers",
            servers
                .iter()
                .map(|s| code(s))
                .collect::<Vec<_>>()
                .join(", "),
        );
        let limits =
            ["limitHeader", "usageHeader"].map(|field| code(file.str(field).unwrap_or("")));
        line("limit and usage", limits.join(" ").trim().to_owned());

        let scopes = members(file.get("scopes"));
        if !scopes.is_empty() {
            text.push_str("\n| scope | what it allows | implies |\n| --- | --- | --- |\n");
        }
        for (scope, about) in scopes {
            let said = about
                .get("about")
                .and_then(|about| about.str("en"))
                .unwrap_or("");
            let implies = about.get("implies").map_or(vec![], Json::texts);
            let implies: Vec<_> = implies.iter().map(|s| code(s)).collect();
            writeln!(text, "| `{scope}` | {said} | {} |", implies.join(", ")).expect("text");
        }
        let routes = rows(file.get("routes"));
        if !routes.is_empty() {
            text.push_str("\n| route | to read | to write |\n| --- | --- | --- |\n");
        }
        for route in routes {
            let need = |kind| match route.get(kind).map(|_| route.str(kind).unwrap_or("")) {
                None => "".to_owned(),
                Some("") => "nothing".to_owned(),
                Some(scope) => code(scope),
            };
            let path = route.str("path").unwrap_or("");
            let only = route
                .str("holding")
                .map_or(String::new(), |kind| format!(", for tokens with `{kind}`"));
            writeln!(
                text,
                "| `{path}`{only} | {} | {} |",
                need("read"),
                need("write")
            )
            .expect("text");
        }
        let sites = members(file.get("sites"));
        if !sites.is_empty() {
            text.push_str("\n| site | country | authorization endpoint | doubt |\n| --- | --- | --- | --- |\n");
        }
        for (site, fields) in sites {
            let about = fields.get("about").cloned().unwrap_or(Json::Null);
            let (country, doubt) = (
                about.str("country").unwrap_or(""),
                about.str("doubt").unwrap_or(""),
            );
            let endpoint = fields.str("authorizationEndpoint").unwrap_or("");
            writeln!(text, "| `{site}` | {country} | `{endpoint}` | {doubt} |").expect("text");
        }
        let errors = rows(file.get("errors"));
        if !errors.is_empty() {
            text.push_str(
                "\n| error | what happened | what to do (also in Spanish and Portuguese) |\n| --- | --- | --- |\n",
            );
        }
        for row in errors {
            let mut names: Vec<_> = row.str("error").into_iter().map(code).collect();
            names.extend(
                row.get("also")
                    .map_or(vec![], Json::texts)
                    .iter()
                    .map(|name| code(name)),
            );
            let mut when = names.join(" or ");
            for (what, field) in [("HTTP ", "status"), ("says ", "says")] {
                if let Some(value) = row.get(field) {
                    let mark = if when.is_empty() { "" } else { ", " };
                    write!(when, "{mark}{what}{}", value.text()).expect("text");
                }
            }
            let english = |field| row.get(field).and_then(|text| text.str("en")).unwrap_or("");
            writeln!(
                text,
                "| {when} | {} | {} |",
                english("message"),
                english("remedy")
            )
            .expect("text");
        }
        for (heading, field) in [
            ("Notes", "notes"),
            ("Not verified", "unverified"),
            ("Documentation", "documentation"),
        ] {
            let items = about.get(field).map_or(vec![], Json::texts);
            if !items.is_empty() {
                write!(text, "\n{heading}:\n\n").expect("text");
                for item in items {
                    writeln!(text, "- {item}").expect("text");
                }
            }
        }
    }
    kept("docs/providers.md", &text);
}
