//! The configuration of a login: read once, checked once, then never doubted again.

use alloc::string::String;
use alloc::vec::Vec;

use super::authorization::PROTOCOL_PARAMETERS;
use super::error::{Error, ErrorCode};
use super::json::{Json, Object};
use super::pkce::CodeChallengeMethod;
use super::resource::ResourceServer;
use super::scope;
use super::{Seconds, url};

const PROVIDERS: &str = include_str!("providers.json");
const PENDING_MAX_AGE: Seconds = 600;

/// What a caller says to `startLogin`, field by field as documented in `types.d.ts`.
/// A preset of `providers.json` is the same thing said in advance.
#[derive(Clone, Debug, Default, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(rename_all = "camelCase", default, deny_unknown_fields)
)]
pub struct Config {
    pub provider: Option<String>,
    pub site: Option<String>,
    pub client_id: Option<String>,
    pub redirect_uri: Option<String>,
    pub issuer: Option<String>,
    pub authorization_endpoint: Option<String>,
    pub token_endpoint: Option<String>,
    pub resource_servers: Option<Vec<String>>,
    /// `code` (default) or `token`.
    pub response_type: Option<String>,
    /// `S256` (default) or `plain`.
    pub code_challenge_method: Option<String>,
    pub scope: Option<Vec<String>>,
    /// Extra parameters of the authorization request.
    pub authorization_parameters: Option<Vec<(String, String)>>,
    /// A path of this origin to come back to.
    pub return_to: Option<String>,
    /// Any JSON value, kept in this tab until the login is answered.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub app_state: Option<Json>,
    /// Seconds a login may stay unanswered; 600 unless said otherwise.
    pub pending_max_age: Option<Seconds>,
    /// The provider leaves `token_type` out of the implicit response.
    pub token_type_optional: Option<bool>,
    /// Allows a `redirectUri` on plain http, for development on a local network.
    pub allow_http: Option<bool>,
}

impl Config {
    /// Reads a configuration object. An unknown field is an error that names it.
    pub fn read(json: Json) -> Result<Config, Error> {
        let Json::Object(members) = json else {
            return Err(ErrorCode::InvalidConfig.at("the configuration must be an object"));
        };
        let mut config = Config::default();
        for (name, value) in members {
            if value != Json::Null {
                config.set(&name, value)?;
            }
        }
        Ok(config)
    }

    fn set(&mut self, name: &str, value: Json) -> Result<(), Error> {
        match name {
            "provider" => self.provider = Some(string(name, value)?),
            "site" => self.site = Some(string(name, value)?),
            "clientId" => self.client_id = Some(string(name, value)?),
            "redirectUri" => self.redirect_uri = Some(string(name, value)?),
            "issuer" => self.issuer = Some(string(name, value)?),
            "authorizationEndpoint" => self.authorization_endpoint = Some(string(name, value)?),
            "tokenEndpoint" => self.token_endpoint = Some(string(name, value)?),
            "resourceServers" => self.resource_servers = Some(strings(name, value)?),
            "responseType" => self.response_type = Some(string(name, value)?),
            "codeChallengeMethod" => self.code_challenge_method = Some(string(name, value)?),
            "scope" => self.scope = Some(scope::read(value)?),
            "authorizationParameters" => {
                self.authorization_parameters = Some(string_members(name, value)?);
            }
            "returnTo" => self.return_to = Some(string(name, value)?),
            "appState" => self.app_state = Some(value),
            "pendingMaxAge" => {
                self.pending_max_age = Some(
                    value
                        .as_u64()
                        .ok_or_else(|| wrong(name, "must be a whole number of seconds"))?,
                );
            }
            "tokenTypeOptional" => self.token_type_optional = Some(boolean(name, value)?),
            "allowHttp" => self.allow_http = Some(boolean(name, value)?),
            "clientSecret" | "client_secret" => {
                return Err(ErrorCode::ClientSecretRefused.error());
            }
            _ => return Err(wrong(name, "there is no such field")),
        }
        Ok(())
    }

    /// Fills what the caller left out.
    fn or(mut self, preset: Config) -> Config {
        fn fill<T>(field: &mut Option<T>, preset: Option<T>) {
            if field.is_none() {
                *field = preset;
            }
        }
        fill(&mut self.issuer, preset.issuer);
        fill(
            &mut self.authorization_endpoint,
            preset.authorization_endpoint,
        );
        fill(&mut self.token_endpoint, preset.token_endpoint);
        fill(&mut self.resource_servers, preset.resource_servers);
        fill(&mut self.response_type, preset.response_type);
        fill(
            &mut self.code_challenge_method,
            preset.code_challenge_method,
        );
        fill(&mut self.scope, preset.scope);
        fill(&mut self.token_type_optional, preset.token_type_optional);
        self
    }

    fn with_preset(self) -> Result<Config, Error> {
        let Some(provider) = &self.provider else {
            return match self.site {
                None => Ok(self),
                Some(_) => Err(wrong("site", "means nothing without a provider")),
            };
        };
        let mut preset = Json::parse(PROVIDERS.as_bytes())
            .and_then(|mut providers| providers.take(provider))
            .ok_or_else(|| ErrorCode::UnknownProvider.at(&clip(provider)))?;
        let Some(mut sites) = preset.take("sites") else {
            return Ok(self.or(Config::read(preset)?));
        };
        let chosen = match &self.site {
            Some(site) => sites
                .take(site)
                .ok_or_else(|| ErrorCode::UnknownSite.at(&clip(site)))?,
            None if self.authorization_endpoint.is_some() => Json::Object(Vec::new()),
            None => return Err(ErrorCode::UnknownSite.at("the provider has one for each country")),
        };
        Ok(self.or(Config::read(chosen)?).or(Config::read(preset)?))
    }

    /// Checks everything. `origin` is the page's own, for `returnTo`.
    pub fn resolve(self, origin: &str) -> Result<Login, Error> {
        let config = self.with_preset()?;
        let authorization_parameters = config.authorization_parameters.clone().unwrap_or_default();
        let taken = |(name, _): &&(String, String)| PROTOCOL_PARAMETERS.contains(&name.as_str());
        if let Some((name, _)) = authorization_parameters.iter().find(taken) {
            let mut field = String::from("authorizationParameters.");
            field.push_str(name);
            return Err(wrong(&field, "is the library's own to set"));
        }
        if let Some(return_to) = &config.return_to {
            url::check_return_to(return_to, origin)?;
        }
        Ok(Login {
            authorization_parameters,
            return_to: config.return_to.clone(),
            app_state: config.app_state.clone(),
            max_age: config.pending_max_age.unwrap_or(PENDING_MAX_AGE),
            client: Client::check(config)?,
        })
    }
}

/// One login as asked for: the client and what belongs to this attempt only.
#[derive(Clone, Debug, PartialEq)]
pub struct Login {
    pub client: Client,
    pub authorization_parameters: Vec<(String, String)>,
    pub return_to: Option<String>,
    pub app_state: Option<Json>,
    pub max_age: Seconds,
}

/// `response_type` (RFC 6749 section 3.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseType {
    Code,
    /// The implicit grant: only when asked for by name (RFC 9700 section 2.1.2).
    Token,
}

/// A client at one authorization server, with everything checked. Only [`Config::resolve`] makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Client {
    provider: Option<String>,
    site: Option<String>,
    client_id: String,
    redirect_uri: String,
    issuer: Option<String>,
    authorization_endpoint: String,
    token_endpoint: String,
    resource_servers: Vec<ResourceServer>,
    response_type: ResponseType,
    code_challenge_method: CodeChallengeMethod,
    scope: Vec<String>,
    token_type_optional: bool,
    allow_http: bool,
}

impl Client {
    fn check(config: Config) -> Result<Client, Error> {
        let response_type = match config.response_type.as_deref() {
            None | Some("code") => ResponseType::Code,
            Some("token") => ResponseType::Token,
            Some(_) => return Err(wrong("responseType", "must be code or token")),
        };
        let code_challenge_method = match config.code_challenge_method.as_deref() {
            None | Some("S256") => CodeChallengeMethod::S256,
            Some("plain") => CodeChallengeMethod::Plain,
            Some(_) => return Err(wrong("codeChallengeMethod", "must be S256 or plain")),
        };
        let allow_http = config.allow_http == Some(true);
        let client_id = required("clientId", config.client_id)?;
        let redirect_uri = required("redirectUri", config.redirect_uri)?;
        check_redirect_uri(&redirect_uri, allow_http)?;
        let authorization_endpoint =
            required("authorizationEndpoint", config.authorization_endpoint)?;
        check_authorization_endpoint(&authorization_endpoint)?;
        let token_endpoint = match response_type {
            ResponseType::Code => required("tokenEndpoint", config.token_endpoint)?,
            ResponseType::Token => config.token_endpoint.unwrap_or_default(),
        };
        if !token_endpoint.is_empty() {
            url::check("tokenEndpoint", &token_endpoint, false)?;
        }
        let resource_servers = config.resource_servers.unwrap_or_default();
        Ok(Client {
            provider: config.provider,
            site: config.site,
            client_id,
            redirect_uri,
            issuer: config.issuer,
            authorization_endpoint,
            token_endpoint,
            resource_servers: resource_servers
                .iter()
                .map(|text| ResourceServer::read(text))
                .collect::<Result<_, _>>()?,
            response_type,
            code_challenge_method,
            scope: config.scope.unwrap_or_default(),
            token_type_optional: config.token_type_optional == Some(true),
            allow_http,
        })
    }

    pub fn provider(&self) -> Option<&str> {
        self.provider.as_deref()
    }

    pub fn site(&self) -> Option<&str> {
        self.site.as_deref()
    }

    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    pub fn authorization_endpoint(&self) -> &str {
        &self.authorization_endpoint
    }

    pub fn token_endpoint(&self) -> &str {
        &self.token_endpoint
    }

    pub fn resource_servers(&self) -> &[ResourceServer] {
        &self.resource_servers
    }

    pub fn response_type(&self) -> ResponseType {
        self.response_type
    }

    pub fn code_challenge_method(&self) -> CodeChallengeMethod {
        self.code_challenge_method
    }

    /// The scope that is asked for.
    pub fn scope(&self) -> &[String] {
        &self.scope
    }

    pub fn token_type_optional(&self) -> bool {
        self.token_type_optional
    }

    /// Whether a session of `other` is a session of this client at the same server.
    pub fn is_same(&self, other: &Client) -> bool {
        self.client_id == other.client_id
            && self.authorization_endpoint == other.authorization_endpoint
            && self.issuer == other.issuer
    }

    /// The client as the configuration that makes it again, for the stored record.
    pub fn to_json(&self) -> Json {
        let servers: Vec<String> = self.resource_servers.iter().map(|s| s.text()).collect();
        let mut out = Object::new();
        out.maybe("provider", self.provider())
            .maybe("site", self.site())
            .str("clientId", &self.client_id)
            .str("redirectUri", &self.redirect_uri)
            .maybe("issuer", self.issuer())
            .str("authorizationEndpoint", &self.authorization_endpoint)
            .list("resourceServers", &servers)
            .str(
                "responseType",
                match self.response_type {
                    ResponseType::Code => "code",
                    ResponseType::Token => "token",
                },
            )
            .str("codeChallengeMethod", self.code_challenge_method.as_str())
            .list("scope", &self.scope)
            .value("tokenTypeOptional", Json::Bool(self.token_type_optional))
            .value("allowHttp", Json::Bool(self.allow_http));
        if !self.token_endpoint.is_empty() {
            out.str("tokenEndpoint", &self.token_endpoint);
        }
        out.done()
    }
}

/// `redirect_uri` (RFC 6749 section 3.1.2; RFC 8252 section 7.1 for the private-use schemes of apps).
fn check_redirect_uri(text: &str, allow_http: bool) -> Result<(), Error> {
    let field = "redirectUri";
    if text.starts_with("http:") || text.starts_with("https:") {
        return url::check(field, text, allow_http).map(|_| ());
    }
    let (scheme, rest) = text.split_once(':').unwrap_or(("", ""));
    let script = [
        "javascript",
        "data",
        "blob",
        "file",
        "about",
        "vbscript",
        "view-source",
    ];
    let named = scheme
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"+-.".contains(&b))
        && scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && !script.contains(&scheme);
    let plain = rest
        .bytes()
        .all(|b| b.is_ascii_graphic() && b != b'\\' && b != b'#');
    if named && plain && rest.starts_with('/') {
        Ok(())
    } else {
        Err(wrong(
            field,
            "must be an https URL, or one of the app's own scheme",
        ))
    }
}

/// The endpoint's own query must not say what the request says (RFC 6749 section 3.1).
fn check_authorization_endpoint(text: &str) -> Result<(), Error> {
    let field = "authorizationEndpoint";
    let query = url::check(field, text, false)?.query.unwrap_or("");
    let parameters = super::form::parse(query).ok_or_else(|| wrong(field, "has a broken query"))?;
    match parameters
        .iter()
        .find(|(name, _)| PROTOCOL_PARAMETERS.contains(&name.as_str()))
    {
        Some(_) => Err(wrong(field, "must not carry parameters of the request")),
        None => Ok(()),
    }
}

fn wrong(field: &str, rule: &str) -> Error {
    let mut detail = clip(field);
    detail.push_str(": ");
    detail.push_str(rule);
    ErrorCode::InvalidConfig.at(&detail)
}

/// Names from outside are shown, but not whole novels.
fn clip(name: &str) -> String {
    name.chars().take(64).collect()
}

fn required(field: &str, value: Option<String>) -> Result<String, Error> {
    value
        .filter(|text| !text.is_empty())
        .ok_or_else(|| wrong(field, "is missing"))
}

fn string(field: &str, value: Json) -> Result<String, Error> {
    match value {
        Json::String(text) => Ok(text),
        _ => Err(wrong(field, "must be a string")),
    }
}

fn boolean(field: &str, value: Json) -> Result<bool, Error> {
    match value {
        Json::Bool(value) => Ok(value),
        _ => Err(wrong(field, "must be true or false")),
    }
}

fn strings(field: &str, value: Json) -> Result<Vec<String>, Error> {
    let Json::Array(items) = value else {
        return Err(wrong(field, "must be a list of strings"));
    };
    items.into_iter().map(|item| string(field, item)).collect()
}

fn string_members(field: &str, value: Json) -> Result<Vec<(String, String)>, Error> {
    let Json::Object(members) = value else {
        return Err(wrong(field, "must be an object of strings"));
    };
    members
        .into_iter()
        .map(|(name, value)| Ok((name, string(field, value)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{format, vec};

    const ORIGIN: &str = "https://app.example";

    fn resolve(text: &str) -> Result<Login, Error> {
        Config::read(Json::parse(text.as_bytes()).expect("test JSON"))?.resolve(ORIGIN)
    }

    fn refusal(fields: &str) -> (ErrorCode, String) {
        let error = resolve(&format!(
            r#"{{"clientId":"1","redirectUri":"https://app.example/cb","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t"{fields}}}"#
        ))
        .expect_err(fields);
        (error.code, error.detail)
    }

    #[test]
    fn a_preset_fills_what_the_caller_left_out() {
        let login = resolve(
            r#"{"provider":"mercadolibre","site":"MLB","clientId":"1","redirectUri":"https://app.example/cb"}"#,
        )
        .expect("a login");
        let client = &login.client;
        assert_eq!(
            client.authorization_endpoint(),
            "https://auth.mercadolivre.com.br/authorization"
        );
        assert_eq!(
            client.token_endpoint(),
            "https://api.mercadolibre.com/oauth/token"
        );
        assert_eq!(client.resource_servers().len(), 1);
        assert_eq!(login.max_age, 600);
        assert_eq!(client.code_challenge_method(), CodeChallengeMethod::S256);
    }

    #[test]
    fn what_a_preset_says_a_caller_can_say_otherwise() {
        let login = resolve(
            r#"{"provider":"mercadolibre","site":"MLB","clientId":"1","redirectUri":"https://app.example/cb",
                "tokenEndpoint":"https://app.example/token","resourceServers":["https://a.example/v1"],"tokenTypeOptional":false}"#,
        )
        .expect("a login");
        assert_eq!(login.client.token_endpoint(), "https://app.example/token");
        assert_eq!(
            login.client.resource_servers()[0].text(),
            "https://a.example/v1"
        );
        assert!(!login.client.token_type_optional());
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
                "resourceServers: must be https (http only on this machine)",
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
        assert!(error("%zz").is_err());
    }

    #[test]
    fn a_client_comes_back_from_its_record_as_it_was() {
        let login = resolve(
            r#"{"provider":"mercadolibre","site":"MCR","clientId":"1","redirectUri":"http://127.0.0.1:1/","responseType":"token","scope":["read","write"],"issuer":"https://i.example"}"#,
        )
        .expect("a login");
        let again = Config::read(login.client.to_json())
            .and_then(|config| config.resolve(ORIGIN))
            .expect("a client");
        assert_eq!(again.client, login.client);
    }
}
