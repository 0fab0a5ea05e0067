//! The configuration of a login: read once, checked once, then never doubted again.

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec::Vec;

use super::authorization::PROTOCOL_PARAMETERS;
use super::error::{Error, ErrorCode};
use super::json::Json;
use super::pkce::CodeChallengeMethod;
use super::{Seconds, form, resource, scope, text, url};

const PROVIDERS: &str = include_str!("providers.json");
const PENDING_MAX_AGE: Seconds = 600;

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Text,
    Texts,
    /// A list of scopes, or one text with spaces.
    Scope,
    Flag,
    Seconds,
    /// An object whose members are texts.
    TextMembers,
    Any,
    /// What no page can keep.
    Secret,
}

/// What a caller can say to `startLogin`, as documented in `types.d.ts`.
/// A preset of `providers.json` is the same thing said in advance.
const FIELDS: &[(&str, Kind)] = &[
    ("provider", Kind::Text),
    ("site", Kind::Text),
    ("clientId", Kind::Text),
    ("redirectUri", Kind::Text),
    ("issuer", Kind::Text),
    ("authorizationEndpoint", Kind::Text),
    ("tokenEndpoint", Kind::Text),
    ("resourceServers", Kind::Texts),
    ("responseType", Kind::Text),
    ("codeChallengeMethod", Kind::Text),
    ("scope", Kind::Scope),
    ("authorizationParameters", Kind::TextMembers),
    ("returnTo", Kind::Text),
    ("appState", Kind::Any),
    ("pendingMaxAge", Kind::Seconds),
    ("tokenTypeOptional", Kind::Flag),
    ("allowHttp", Kind::Flag),
    ("clientSecret", Kind::Secret),
    ("client_secret", Kind::Secret),
];

/// A configuration whose fields are known and of the right kind; nothing else is checked yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Config(Json);

impl Config {
    /// Reads a configuration as JSON text, as a page gives it.
    pub fn parse(text: &str) -> Result<Config, Error> {
        match Json::parse(text.as_bytes()) {
            Some(json) => Config::read(json),
            None => Err(ErrorCode::InvalidConfig.at("the configuration must be plain data")),
        }
    }

    /// Reads a configuration object. An unknown field is an error that names it.
    pub fn read(json: Json) -> Result<Config, Error> {
        let Json::Object(members) = &json else {
            return Err(ErrorCode::InvalidConfig.at("the configuration must be an object"));
        };
        for (name, value) in members {
            let field = FIELDS.iter().find(|(known, _)| known == name);
            let Some((_, kind)) = field else {
                return Err(wrong(name, "there is no such field"));
            };
            if *value != Json::Null {
                check_kind(name, *kind, value)?;
            }
        }
        Ok(Config(json))
    }

    /// Fills what the caller left out.
    fn fill_from_preset(&mut self) -> Result<(), Error> {
        let Some(provider) = self.0.str("provider") else {
            return match self.0.get("site") {
                None => Ok(()),
                Some(_) => Err(wrong("site", "means nothing without a provider")),
            };
        };
        let preset =
            Json::parse(PROVIDERS.as_bytes()).and_then(|mut providers| providers.take(provider));
        let Some(mut preset) = preset else {
            return Err(ErrorCode::UnknownProvider.at(text::clip(provider, 64)));
        };
        if let Some(mut sites) = preset.take("sites") {
            let chosen = match self.0.str("site") {
                Some(site) => match sites.take(site) {
                    Some(chosen) => chosen,
                    None => return Err(ErrorCode::UnknownSite.at(text::clip(site, 64))),
                },
                None if self.0.get("authorizationEndpoint").is_some() => Json::Null,
                None => {
                    return Err(ErrorCode::UnknownSite.at("the provider has one for each country"));
                }
            };
            self.0.fill(chosen);
        }
        self.0.fill(preset);
        Ok(())
    }

    /// Checks everything. `origin` is the page's own, for `returnTo`.
    pub fn resolve(mut self, origin: &str) -> Result<Rc<Login>, Error> {
        self.fill_from_preset()?;
        let config = self.0;
        let response_type = match config.str("responseType") {
            None | Some("code") => ResponseType::Code,
            Some("token") => ResponseType::Token,
            Some(_) => return Err(wrong("responseType", "must be code or token")),
        };
        let code_challenge_method = match config.str("codeChallengeMethod") {
            None | Some("S256") => CodeChallengeMethod::S256,
            Some("plain") => CodeChallengeMethod::Plain,
            Some(_) => return Err(wrong("codeChallengeMethod", "must be S256 or plain")),
        };
        required(&config, "clientId")?;
        check_redirect_uri(required(&config, "redirectUri")?, config.flag("allowHttp"))?;
        check_authorization_endpoint(required(&config, "authorizationEndpoint")?)?;
        if response_type == ResponseType::Code {
            required(&config, "tokenEndpoint")?;
        }
        if let Some(endpoint) = config.str("tokenEndpoint") {
            url::check("tokenEndpoint", endpoint, false)?;
        }
        let resource_servers = config
            .get("resourceServers")
            .map_or(Vec::new(), Json::texts);
        for server in &resource_servers {
            resource::check_server(server)?;
        }
        if let Some(Json::Object(members)) = config.get("authorizationParameters")
            && let Some(name) = protocol_parameter(members)
        {
            let mut field = String::from("authorizationParameters.");
            field.push_str(name);
            return Err(wrong(&field, "is the library's own to set"));
        }
        if let Some(return_to) = config.str("returnTo") {
            url::check_return_to(return_to, origin)?;
        }
        let scope = match config.get("scope") {
            Some(value) => scope::read(value)?,
            None => Vec::new(),
        };
        Ok(Rc::new(Login {
            config,
            response_type,
            code_challenge_method,
            resource_servers,
            scope,
        }))
    }
}

/// `response_type` (RFC 6749 section 3.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseType {
    Code,
    /// The implicit grant: only when asked for by name (RFC 9700 section 2.1.2).
    Token,
}

/// A client at one authorization server and what it asks for, with everything checked.
/// Only [`Config::resolve`] makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Login {
    config: Json,
    response_type: ResponseType,
    code_challenge_method: CodeChallengeMethod,
    resource_servers: Vec<String>,
    scope: Vec<String>,
}

impl Login {
    fn text(&self, field: &str) -> &str {
        self.config.str(field).unwrap_or("")
    }

    pub fn provider(&self) -> Option<&str> {
        self.config.str("provider")
    }

    pub fn site(&self) -> Option<&str> {
        self.config.str("site")
    }

    pub fn client_id(&self) -> &str {
        self.text("clientId")
    }

    pub fn redirect_uri(&self) -> &str {
        self.text("redirectUri")
    }

    pub fn issuer(&self) -> Option<&str> {
        self.config.str("issuer")
    }

    pub fn authorization_endpoint(&self) -> &str {
        self.text("authorizationEndpoint")
    }

    /// Empty where the implicit grant needs none.
    pub fn token_endpoint(&self) -> &str {
        self.text("tokenEndpoint")
    }

    pub fn response_type(&self) -> ResponseType {
        self.response_type
    }

    pub fn code_challenge_method(&self) -> CodeChallengeMethod {
        self.code_challenge_method
    }

    /// Where tokens may go; each is checked by [`resource::check_server`].
    pub fn resource_servers(&self) -> &[String] {
        &self.resource_servers
    }

    /// The scope that is asked for.
    pub fn scope(&self) -> &[String] {
        &self.scope
    }

    pub fn token_type_optional(&self) -> bool {
        self.config.flag("tokenTypeOptional")
    }

    /// A path of this origin to come back to.
    pub fn return_to(&self) -> Option<&str> {
        self.config.str("returnTo")
    }

    /// The application's own value.
    pub fn app_state(&self) -> Option<&Json> {
        self.config.get("appState")
    }

    /// Seconds the login may stay unanswered.
    pub fn max_age(&self) -> Seconds {
        let said = self.config.get("pendingMaxAge").and_then(Json::as_u32);
        said.unwrap_or(PENDING_MAX_AGE)
    }

    /// More parameters of the authorization request.
    pub fn authorization_parameters(&self) -> &[(String, Json)] {
        match self.config.get("authorizationParameters") {
            Some(Json::Object(members)) => members,
            _ => &[],
        }
    }

    /// Whether a session of `other` is one of this client at the same server, or would be used in its place.
    pub fn is_same_client(&self, other: &Login) -> bool {
        let share = |server| other.resource_servers.contains(server);
        self.client_id() == other.client_id()
            && (self.authorization_endpoint() == other.authorization_endpoint()
                || self.resource_servers.iter().any(share))
    }

    /// The configuration that makes it again, for the stored record.
    pub fn to_json(&self) -> Json {
        self.config.clone()
    }
}

fn check_kind(field: &str, kind: Kind, value: &Json) -> Result<(), Error> {
    let all_texts = |items: &[Json]| items.iter().all(|item| item.as_str().is_some());
    let rule = match (kind, value) {
        (Kind::Secret, _) => return Err(ErrorCode::ClientSecretRefused.error()),
        (Kind::Any, _) | (Kind::Text, Json::String(_)) | (Kind::Flag, Json::Bool(_)) => {
            return Ok(());
        }
        (Kind::Scope, value) => return scope::read(value).map(|_| ()),
        (Kind::Texts, Json::Array(items)) if all_texts(items) => return Ok(()),
        (Kind::Seconds, value) if value.as_u32().is_some() => return Ok(()),
        (Kind::TextMembers, Json::Object(members))
            if members.iter().all(|(_, value)| value.as_str().is_some()) =>
        {
            return Ok(());
        }
        (Kind::Text, _) => "must be a string",
        (Kind::Flag, _) => "must be true or false",
        (Kind::Texts, _) => "must be a list of strings",
        (Kind::Seconds, _) => "must be a whole number of seconds",
        (Kind::TextMembers, _) => "must be an object of strings",
    };
    Err(wrong(field, rule))
}

/// `redirect_uri` (RFC 6749 section 3.1.2; RFC 8252 section 7.1 for the private-use schemes of apps).
fn check_redirect_uri(uri: &str, allow_http: bool) -> Result<(), Error> {
    let field = "redirectUri";
    if uri.starts_with("http:") || uri.starts_with("https:") {
        return url::check(field, uri, allow_http).map(|_| ());
    }
    let (scheme, rest) = text::cut(uri, ":").unwrap_or(("", ""));
    // Schemes that run or show what stands behind them.
    let script = ["javascript", "data", "blob", "file", "about", "vbscript"];
    let named = scheme
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || text::is_one_of(b, b"+-."))
        && scheme
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_lowercase())
        && !script.contains(&scheme);
    if named && text::is_graphic(rest, b"\\#") && rest.starts_with("/") {
        Ok(())
    } else {
        Err(wrong(
            field,
            "must be an https URL, or one of the app's own scheme",
        ))
    }
}

/// The endpoint's own query must not say what the request says (RFC 6749 section 3.1).
fn check_authorization_endpoint(endpoint: &str) -> Result<(), Error> {
    let field = "authorizationEndpoint";
    let query = url::check(field, endpoint, false)?.query.unwrap_or("");
    match protocol_parameter(&form::parse(query)) {
        Some(_) => Err(wrong(field, "must not carry parameters of the request")),
        None => Ok(()),
    }
}

/// The first of the parameters that only the library sets.
fn protocol_parameter(parameters: &[(String, Json)]) -> Option<&str> {
    let own = |(name, _): &&(String, Json)| PROTOCOL_PARAMETERS.contains(&name.as_str());
    Some(&parameters.iter().find(own)?.0)
}

/// A rule that a field breaks; the message never shows the value.
pub fn wrong(field: &str, rule: &str) -> Error {
    let mut detail = String::from(text::clip(field, 64));
    detail.push_str(": ");
    detail.push_str(rule);
    ErrorCode::InvalidConfig.at(&detail)
}

fn required<'a>(config: &'a Json, field: &str) -> Result<&'a str, Error> {
    match config.str(field) {
        Some(text) if !text.is_empty() => Ok(text),
        _ => Err(wrong(field, "is missing")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{format, vec};

    const ORIGIN: &str = "https://app.example";

    fn resolve(text: &str) -> Result<Rc<Login>, Error> {
        Config::read(Json::parse(text.as_bytes()).expect("test JSON"))?.resolve(ORIGIN)
    }

    fn refusal(fields: &str) -> (ErrorCode, String) {
        let error = resolve(&format!(
            r#"{{"clientId":"1","redirectUri":"https://app.example/cb","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t"{fields}}}"#
        ))
        .expect_err(fields);
        (error.code, error.detail.clone())
    }

    #[test]
    fn a_preset_fills_what_the_caller_left_out() {
        let login = resolve(
            r#"{"provider":"mercadolibre","site":"MLB","clientId":"1","redirectUri":"https://app.example/cb"}"#,
        )
        .expect("a login");
        let client = &login;
        assert_eq!(
            client.authorization_endpoint(),
            "https://auth.mercadolivre.com.br/authorization"
        );
        assert_eq!(
            client.token_endpoint(),
            "https://api.mercadolibre.com/oauth/token"
        );
        assert_eq!(client.resource_servers().len(), 1);
        assert_eq!(login.max_age(), 600);
        assert_eq!(client.code_challenge_method(), CodeChallengeMethod::S256);
    }

    #[test]
    fn what_a_preset_says_a_caller_can_say_otherwise() {
        let login = resolve(
            r#"{"provider":"mercadolibre","site":"MLB","clientId":"1","redirectUri":"https://app.example/cb",
                "tokenEndpoint":"https://app.example/token","resourceServers":["https://a.example/v1"],"tokenTypeOptional":false}"#,
        )
        .expect("a login");
        assert_eq!(login.token_endpoint(), "https://app.example/token");
        assert_eq!(login.resource_servers()[0], "https://a.example/v1");
        assert!(!login.token_type_optional());
    }

    #[test]
    fn every_preset_and_every_site_resolves() {
        let Some(Json::Object(providers)) = Json::parse(PROVIDERS.as_bytes()) else {
            panic!("providers.json is an object");
        };
        for (provider, preset) in providers {
            let sites = match preset.get("sites") {
                Some(Json::Object(sites)) => sites.iter().map(|(name, _)| name.clone()).collect(),
                _ => vec![String::new()],
            };
            for site in sites {
                let site = if site.is_empty() {
                    String::new()
                } else {
                    format!(r#","site":"{site}""#)
                };
                resolve(&format!(
                    r#"{{"provider":"{provider}"{site},"clientId":"1","redirectUri":"https://app.example/cb"}}"#
                ))
                .unwrap_or_else(|error| panic!("{provider} {site}: {error}"));
            }
        }
    }

    #[test]
    fn a_wrong_field_is_named() {
        use ErrorCode::InvalidConfig as Config;
        for (fields, want) in [
            (r#","clientID":"1""#, "clientID: there is no such field"),
            (r#","scope":5"#, "scope: must be a list of strings"),
            (r#","site":"MLB""#, "site: means nothing without a provider"),
            (
                r#","responseType":"id_token""#,
                "responseType: must be code or token",
            ),
            (
                r#","codeChallengeMethod":"none""#,
                "codeChallengeMethod: must be S256 or plain",
            ),
            (
                r#","pendingMaxAge":-1"#,
                "pendingMaxAge: must be a whole number of seconds",
            ),
            (r#","allowHttp":"yes""#, "allowHttp: must be true or false"),
            (
                r#","returnTo":"//evil.example""#,
                "returnTo: must be a path of this origin",
            ),
            (
                r#","resourceServers":["http://api.example"]"#,
                "resourceServers: must be https",
            ),
            (
                r#","authorizationParameters":{"state":"x"}"#,
                "authorizationParameters.state: is the library's own to set",
            ),
            (
                r#","authorizationParameters":{"request_uri":"x"}"#,
                "authorizationParameters.request_uri: is the library's own to set",
            ),
            (
                r#","authorizationParameters":["a"]"#,
                "authorizationParameters: must be an object of strings",
            ),
        ] {
            assert_eq!(refusal(fields), (Config, want.into()));
        }
        assert_eq!(
            refusal(r#","provider":"nobody""#),
            (ErrorCode::UnknownProvider, "nobody".into())
        );
        assert_eq!(
            refusal(r#","clientSecret":"x""#).0,
            ErrorCode::ClientSecretRefused
        );
        assert_eq!(
            refusal(r#","client_secret":"x""#).0,
            ErrorCode::ClientSecretRefused
        );
    }

    #[test]
    fn a_site_is_asked_for_where_there_are_several() {
        let ask = |site| {
            resolve(&format!(
                r#"{{"provider":"mercadolibre"{site},"clientId":"1","redirectUri":"https://app.example/cb"}}"#
            ))
            .expect_err("no such site")
            .code
        };
        assert_eq!(ask(""), ErrorCode::UnknownSite);
        assert_eq!(ask(r#","site":"MLX""#), ErrorCode::UnknownSite);
    }

    #[test]
    fn required_fields_are_asked_for_by_name() {
        for (text, want) in [
            ("{}", "clientId: is missing"),
            (r#"{"clientId":"1"}"#, "redirectUri: is missing"),
            (
                r#"{"clientId":"1","redirectUri":"https://app.example/"}"#,
                "authorizationEndpoint: is missing",
            ),
            (
                r#"{"clientId":"1","redirectUri":"https://app.example/","authorizationEndpoint":"https://as.example/"}"#,
                "tokenEndpoint: is missing",
            ),
            ("[]", "the configuration must be an object"),
        ] {
            assert_eq!(resolve(text).expect_err(text).detail, want);
        }
    }

    #[test]
    fn redirect_uris_are_https_loopback_or_an_apps_own_scheme() {
        for uri in [
            "https://app.example",
            "https://app.example/cb?x=1",
            "http://127.0.0.1:8080/cb",
            "com.example.app:/callback",
            "capacitor://localhost/cb",
        ] {
            assert!(check_redirect_uri(uri, false).is_ok(), "{uri}");
        }
        assert!(check_redirect_uri("http://192.168.0.7/cb", true).is_ok());
        for uri in [
            "http://app.example/cb",
            "https://app.example/cb#x",
            "javascript:alert(1)",
            "javascript:/alert(1)",
            "data:/text",
            "JavaScript:/x",
            "app",
            ":/x",
            "/cb",
            "com.example.app:callback#x",
            "https:/app.example",
        ] {
            assert!(check_redirect_uri(uri, false).is_err(), "{uri}");
        }
    }

    #[test]
    fn the_authorization_endpoint_cannot_smuggle_parameters() {
        let error = |query: &str| {
            resolve(&format!(
                r#"{{"clientId":"1","redirectUri":"https://app.example/cb","tokenEndpoint":"https://as.example/t","authorizationEndpoint":"https://as.example/a?{query}"}}"#
            ))
        };
        assert!(error("tenant=7").is_ok());
        assert!(error("state=x").is_err());
        assert!(error("client%5Fid=x").is_err());
    }

    #[test]
    fn a_client_comes_back_from_its_record_as_it_was() {
        let login = resolve(
            r#"{"provider":"mercadolibre","site":"MCR","clientId":"1","redirectUri":"http://127.0.0.1:1/","responseType":"token","scope":["read","write"],"issuer":"https://i.example"}"#,
        )
        .expect("a login");
        let again = Config::read(login.to_json())
            .and_then(|config| config.resolve(ORIGIN))
            .expect("the same login");
        assert_eq!(again, login);
    }
}
