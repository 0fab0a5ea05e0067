//! The configuration of a login: read once, checked once, then never doubted again.

use alloc::rc::Rc;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

pub use super::client::Display;
use super::client::{
    Answers, Api, Client, Endpoints, Keep, Keeping, ResponseType, RevocationRequest,
};
use super::error::{Error, ErrorCode, wrong};
use super::json::{self, Json};
use super::pkce::CodeChallengeMethod;
use super::refusal::Row;
use super::resource::{Call, Route};
use super::scope::{self, Scopes};
use super::{
    Seconds, form, metadata, openid, parameters, provider, resource, shape, shown, text, url,
};

const PENDING_MAX_AGE: Seconds = 600;
/// Thirty days.
const KEEP_MAX_AGE: Seconds = 30 * 86_400;

const UNSIGNED: &str = "openid needs signed ID Tokens, and the server's id_token_signing_alg_values_supported has only none";
const UNCHECKABLE: &str =
    "browsers can check none of the server's id_token_signing_alg_values_supported";
const SIGN: &str = "Have the provider sign ID Tokens by RS256 or ES256";
const SIGN_OR_TRUST_TLS: &str =
    "Have the provider sign ID Tokens by RS256 or ES256, or leave verifyIdToken out";

/// A configuration whose fields are known and of the right kind; nothing else is checked yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Config(Json);

impl Config {
    /// Reads a configuration as JSON text, as a page gives it.
    pub fn parse(text: &str) -> Result<Config, Error> {
        match Json::parse_own(text.as_bytes()) {
            Some(json) => Config::read(json),
            None if text.is_empty() => Err(ErrorCode::InvalidConfig.at("there is none")),
            None => Err(ErrorCode::InvalidConfig.at(
                "the configuration must be plain data, appState too: no more than 20,000 values, no more than 256 levels, no half characters",
            )),
        }
    }

    /// Reads a configuration object. An unknown field is an error that names it, and the nearest that is known.
    pub fn read(json: Json) -> Result<Config, Error> {
        shape::check(&json)?;
        Ok(Config(json))
    }

    /// The provider that the caller names.
    pub fn provider(&self) -> Option<&str> {
        self.0.str("provider")
    }

    /// Fills what the caller left out from the provider's file, which is the caller's own or `found`: what there is
    /// under the name that the caller says (the file, or a list of the names that there are).
    pub fn complete(mut self, found: Json) -> Result<Config, Error> {
        if let Some(mut file) = provider::choose(&mut self.0, found)? {
            shape::check_provider("provider.", &file)?;
            let site = provider::site(&mut self.0, &mut file)?;
            shape::check_provider("site.", &site)?;
            self.0.fill(site);
            self.0.fill(file);
        }
        provider::distil(&mut self.0);
        Ok(self)
    }

    /// How the login is to be shown.
    pub fn display(&self) -> Display {
        Display::read(self.0.str("display")).unwrap_or(Display::Page)
    }

    /// Whether the login will use S256, unless the caller says otherwise.
    pub fn is_s256(&self) -> bool {
        self.0.str("codeChallengeMethod") != Some("plain")
    }

    /// Whether the user's identity is asked for.
    pub fn is_openid(&self) -> bool {
        let scope = self.0.get("scope").map(scope::read);
        matches!(scope, Some(Ok(scope)) if scope.iter().any(|name| name == "openid"))
    }

    /// The issuer whose metadata has to be asked for the endpoints (RFC 8414).
    pub fn undiscovered(&self) -> Result<Option<&str>, Error> {
        let issuer = self.0.str("issuer");
        if let Some(issuer) = issuer
            && self.0.get("authorizationEndpoint").is_none()
        {
            url::check("issuer", issuer, false)?;
            return Ok(Some(issuer));
        }
        Ok(None)
    }

    /// Fills what the caller left out from what the metadata said, as far as it is usable: an endpoint that is not is as
    /// good as none, and only where this login needs it that is an error.
    pub fn discovered(&mut self, mut metadata: Json) -> Result<(), Error> {
        let config = &self.0;
        let implicit = matches!(config.str("responseType"), Some("token" | "id_token token"));
        self.check_offer(&mut metadata)?;
        let invalid = |error: Error| error.becomes(ErrorCode::InvalidMetadata);
        for (field, is_form) in ENDPOINTS {
            let needed = match *field {
                "authorizationEndpoint" => true,
                "tokenEndpoint" => !implicit,
                _ => false,
            };
            let checked = match metadata.get(field) {
                Some(Json::String(endpoint)) => check_endpoint(field, endpoint, *is_form),
                Some(_) => Err(wrong(field, "must be a string")),
                None => continue,
            };
            match checked {
                Err(error) if needed && config.get(field).is_none() => return Err(invalid(error)),
                Err(_) => drop(metadata.take(field)),
                Ok(()) => {}
            }
        }
        shape::check(&metadata).map_err(invalid)?;
        self.0.fill(metadata);
        Ok(())
    }

    /// Whether the server offers what this login asks for, where it says so: the user would be left on its page.
    fn check_offer(&self, metadata: &mut Json) -> Result<(), Error> {
        let wanted = self.0.str("responseType").unwrap_or("code");
        let types = metadata.take(metadata::RESPONSE_TYPES);
        let grants = metadata.take(metadata::GRANT_TYPES);
        let algorithms = metadata.take(metadata::ID_TOKEN_ALGORITHMS);
        let lacks = |list: &Option<Json>, fits: &dyn Fn(&str) -> bool| {
            let list = list.as_ref().map(Json::texts).unwrap_or_default();
            !list.is_empty() && !list.iter().any(|one| fits(one))
        };
        // The order of the words says nothing (RFC 6749 section 3.1.1).
        let is_wanted =
            |one: &str| one == wanted || one == "token id_token" && wanted == "id_token token";
        if lacks(&types, &is_wanted) {
            return Err(wrong(
                "responseType",
                "is none of the server's response_types_supported",
            ));
        }
        if wanted == "code" && lacks(&grants, &|one| one == "authorization_code") {
            return Err(wrong(
                "responseType",
                "code needs authorization_code, which the server's grant_types_supported lacks",
            ));
        }
        let checked = wanted != "code" || self.0.flag("verifyIdToken");
        let may_sign = |alg: &str| match checked {
            true => openid::can_check(alg),
            false => !alg.is_empty() && !alg.eq_ignore_ascii_case("none"),
        };
        if !self.is_openid() || wanted == "token" || !lacks(&algorithms, &may_sign) {
            return Ok(());
        }
        let (field, rule, remedy) = match (checked, wanted) {
            (false, _) => ("scope", UNSIGNED, SIGN),
            (true, "code") => ("verifyIdToken", UNCHECKABLE, SIGN_OR_TRUST_TLS),
            (true, _) => ("responseType", UNCHECKABLE, SIGN),
        };
        Err(wrong(field, rule).cured_by(remedy))
    }

    /// Checks everything that a login needs. `origin` is the page's own, for `returnTo`.
    pub fn resolve(self, origin: &str) -> Result<Rc<Client>, Error> {
        let config = &self.0;
        if let Some(detail) = config.str(provider::NO_SITE)
            && config.get("authorizationEndpoint").is_none()
        {
            return Err(ErrorCode::UnknownSite.at(detail));
        }
        let client = self.client();
        check_each(&client)?;
        required("clientId", &client.client_id)?;
        required("redirectUri", &client.redirect_uri)?;
        url::check_redirect_uri("redirectUri", &client.redirect_uri, client.allow_http)?;
        let own = form::parse(url::cut(&client.redirect_uri).2.unwrap_or(""));
        if own
            .iter()
            .any(|(name, _)| parameters::OF_RESPONSES.contains(&name.as_str()))
        {
            return Err(wrong(
                "redirectUri",
                "must not carry parameters of a response",
            ));
        }
        if client.refresh_token_cookie {
            if client.dpop {
                return Err(wrong("refreshTokenCookie", "cannot be used with dpop"));
            }
            // The relay's, which takes its cookie back there.
            required("revocationEndpoint", &client.endpoints.revocation)?;
        }
        required("authorizationEndpoint", &client.endpoints.authorization)?;
        if client.response_type == ResponseType::Code {
            required("tokenEndpoint", &client.endpoints.token)?;
        }
        if let Some(return_to) = &client.return_to {
            url::check_return_to(return_to, origin)?;
        }
        check_together(&client)?;
        let lacking = match super::ANSWERS {
            true => client.needs_full(),
            false => client.needs_full_to_start(),
        };
        match lacking {
            Some(field) if !super::IS_FULL => Err(ErrorCode::NeedsFull.at(field)),
            _ => Ok(Rc::new(client)),
        }
    }

    /// Checks what a token that the user has already needs: somewhere to go.
    pub fn adopt(self) -> Result<Rc<Client>, Error> {
        let client = self.client();
        check_each(&client)?;
        if client.resource_servers.is_empty() {
            return Err(wrong("resourceServers", "is missing"));
        }
        Ok(Rc::new(client))
    }

    /// The least scope for these calls, as they come from a page. JSON texts.
    pub fn scope_for(self, calls: &str) -> Result<String, Error> {
        let calls = Call::list(calls)?;
        let scope = self.adopt()?.scope_for(&calls)?;
        Ok(json::list(&scope).text())
    }

    /// The fields as they stand, unchecked.
    fn client(&self) -> Client {
        let config = &self.0;
        let scopes = scopes(config.get("scopes"));
        let scope = config
            .get("scope")
            .and_then(|scope| scope::read(scope).ok());
        let scope = scope::reduce(&scopes, scope.unwrap_or_default());
        let request = config.get("revocationRequest");
        Client {
            client_id: self.text("clientId"),
            redirect_uri: self.text("redirectUri"),
            allow_http: config.flag("allowHttp"),
            provider: self.maybe("provider"),
            site: self.maybe("site"),
            issuer: self.maybe("issuer"),
            iss_required: config.flag("issRequired"),
            endpoints: Endpoints {
                authorization: self.text("authorizationEndpoint"),
                token: self.text("tokenEndpoint"),
                revocation: self.text("revocationEndpoint"),
                revocation_request: request.map(revocation_request),
                end_session: self.text("endSessionEndpoint"),
                jwks: self.text("jwksUri"),
                userinfo: self.text("userinfoEndpoint"),
                pushed: self.text("pushedAuthorizationRequestEndpoint"),
            },
            response_type: match config.str("responseType") {
                Some("token") => ResponseType::Token,
                Some("id_token token") => ResponseType::IdTokenToken,
                _ => ResponseType::Code,
            },
            code_challenge_method: match self.is_s256() {
                true => CodeChallengeMethod::S256,
                false => CodeChallengeMethod::Plain,
            },
            scope,
            prompt: self.maybe("prompt"),
            parameters: match config.get("authorizationParameters") {
                Some(Json::Object(members)) => members.iter().map(parameter).collect(),
                _ => Vec::new(),
            },
            resources: match config.get("resource") {
                Some(Json::String(one)) => vec![one.clone()],
                list => list.map_or(Vec::new(), Json::texts),
            },
            authorization_details: config.get("authorizationDetails").cloned(),
            is_pushed: config.flag("pushedAuthorizationRequest"),
            dpop: config.flag("dpop"),
            verify_id_token: config.flag("verifyIdToken"),
            trusted_audiences: config
                .get("trustedAudiences")
                .map_or(Vec::new(), Json::texts),
            resource_servers: config
                .get("resourceServers")
                .map_or(Vec::new(), Json::texts),
            api: Api {
                scopes,
                routes: items(config.get("routes"), route),
                errors: items(config.get("errors"), row),
                scope_header: self.maybe("scopeHeader"),
                limit_header: self.text("limitHeader"),
                usage_header: self.text("usageHeader"),
            },
            answers: Answers {
                token_type_optional: config.flag("tokenTypeOptional"),
                json_fragment: config.flag("jsonFragment"),
                framed: config.flag("allowFramed"),
                extra_members: config.get("extraMembers").map_or(Vec::new(), Json::texts),
            },
            refresh_token_reuse: match config.get("refreshTokenReuse") {
                Some(Json::Bool(reuse)) => Some(*reuse),
                _ => None,
            },
            refresh_token_cookie: config.flag("refreshTokenCookie"),
            display: self.display(),
            display_timeout: self.number("displayTimeout"),
            keeping: Keeping {
                keep: Keep::read(config.str("keep")).unwrap_or(Keep::No),
                max_age: self.number("keepMaxAge").unwrap_or(KEEP_MAX_AGE),
                optional: config.flag("keepOptional"),
                pending: config.flag("keepPending"),
                shared: config.str("sessionScope") == Some("origin"),
            },
            return_to: self.maybe("returnTo"),
            app_state: config.get("appState").cloned(),
            pending_max_age: self.number("pendingMaxAge").unwrap_or(PENDING_MAX_AGE),
        }
    }

    fn text(&self, field: &str) -> String {
        String::from(self.0.str(field).unwrap_or(""))
    }

    fn maybe(&self, field: &str) -> Option<String> {
        self.0.str(field).map(String::from)
    }

    fn number(&self, field: &str) -> Option<Seconds> {
        self.0.get(field).and_then(Json::as_u32)
    }
}

/// The endpoints, and whether parameters are added to their own query.
const ENDPOINTS: &[(&str, bool)] = &[
    ("authorizationEndpoint", true),
    ("tokenEndpoint", true),
    ("revocationEndpoint", true),
    ("endSessionEndpoint", true),
    ("jwksUri", false),
    ("userinfoEndpoint", false),
    ("pushedAuthorizationRequestEndpoint", false),
];

/// What the endpoint's own query says, the request must not say again (RFC 6749 section 3.1).
fn check_endpoint(field: &str, endpoint: &str, is_form: bool) -> Result<(), Error> {
    let query = url::check(field, endpoint, false)?.query.unwrap_or("");
    match is_form && form::parse(query).iter().any(|(name, _)| is_own(name)) {
        true => Err(wrong(field, "must not carry parameters of the request")),
        false => Ok(()),
    }
}

/// Checks each field by itself.
fn check_each(client: &Client) -> Result<(), Error> {
    let endpoints = &client.endpoints;
    let endpoints = [
        &endpoints.authorization,
        &endpoints.token,
        &endpoints.revocation,
        &endpoints.end_session,
        &endpoints.jwks,
        &endpoints.userinfo,
        &endpoints.pushed,
    ];
    for ((field, is_form), endpoint) in ENDPOINTS.iter().zip(endpoints) {
        if !endpoint.is_empty() {
            check_endpoint(field, endpoint, *is_form)?;
        }
    }
    if client.iss_required && client.issuer.is_none() {
        return Err(wrong("issRequired", "needs an issuer to compare with"));
    }
    for server in &client.resource_servers {
        resource::check_server(server)?;
    }
    for (name, _) in &client.parameters {
        if is_own(name) {
            let field = text::concat(&["authorizationParameters.", name]);
            return Err(wrong(&field, "is the library's own to set"));
        }
    }
    // Resource indicators (RFC 8707 section 2).
    if !client.resources.iter().all(|uri| url::is_uri(uri)) {
        return Err(wrong(
            "resource",
            "must be absolute URIs without a fragment (RFC 8707 section 2)",
        ));
    }
    if !client
        .authorization_details
        .as_ref()
        .is_none_or(are_details)
    {
        return Err(wrong(
            "authorizationDetails",
            "must be a list of objects that have a type (RFC 9396 section 2)",
        ));
    }
    let mut extra = client.answers.extra_members.iter();
    if extra.any(|name| shown::names_token(name)) {
        return Err(wrong("extraMembers", "must not name a token"));
    }
    check_api(&client.api)?;
    scope::check(&client.api.scopes, &client.scope)
}

/// Checks what is said of the provider's API. The scopes which its tables name must be among its own.
fn check_api(api: &Api) -> Result<(), Error> {
    let scope_header = api.scope_header.as_deref().unwrap_or("");
    for (field, name) in [
        ("scopeHeader", scope_header),
        ("limitHeader", &api.limit_header),
        ("usageHeader", &api.usage_header),
    ] {
        if !name.is_empty() {
            resource::check_header_name(field, name)?;
        }
    }
    for (_, implies) in &api.scopes {
        scope::check(&api.scopes, implies)?;
    }
    for route in &api.routes {
        if !route.path.starts_with("/") {
            return Err(wrong("routes.path", "must begin with a slash"));
        }
        if let Some(kind) = &route.holding {
            scope::check_kind(&api.scopes, kind)?;
        }
        for said in [&route.read, &route.write].into_iter().flatten() {
            scope::check(&api.scopes, &scope::split(said))?;
        }
    }
    Ok(())
}

/// Checks what a login needs besides, because of what else it asks for.
fn check_together(client: &Client) -> Result<(), Error> {
    let front = client.response_type == ResponseType::IdTokenToken;
    let has_id_token = client.has_id_token();
    let is_verified = front || has_id_token && client.verify_id_token;
    let (field, rule) = if has_id_token && client.issuer.is_none() {
        ("issuer", "is missing, and scope asks for openid")
    } else if front && !client.is_openid() {
        ("responseType", "id_token needs openid in the scope")
    } else if is_verified && client.endpoints.jwks.is_empty() {
        ("jwksUri", "is missing, and the ID Token is to be verified")
    } else if client.dpop && client.response_type != ResponseType::Code {
        ("dpop", "needs the response type code")
    } else if client.is_pushed && client.endpoints.pushed.is_empty() {
        ("pushedAuthorizationRequestEndpoint", "is missing")
    } else {
        return Ok(());
    };
    Err(wrong(field, rule))
}

/// Whether these are authorization details (RFC 9396 section 2): a list of objects that have a `type`.
pub fn are_details(details: &Json) -> bool {
    let has_type = |item: &Json| item.str("type").is_some_and(|kind| !kind.is_empty());
    matches!(details, Json::Array(items) if items.iter().all(has_type))
}

/// Whether only the library sets this parameter.
fn is_own(name: &str) -> bool {
    parameters::OF_REQUESTS.contains(&name)
}

fn revocation_request(request: &Json) -> RevocationRequest {
    RevocationRequest {
        method: String::from(request.str("method").unwrap_or("DELETE")),
        url: String::from(request.str("url").unwrap_or("")),
    }
}

fn parameter((name, value): &(String, Json)) -> (String, String) {
    (name.clone(), String::from(value.as_str().unwrap_or("")))
}

fn items<T>(list: Option<&Json>, read: fn(&Json) -> T) -> Vec<T> {
    match list {
        Some(Json::Array(items)) => items.iter().map(read).collect(),
        _ => Vec::new(),
    }
}

fn scopes(table: Option<&Json>) -> Scopes {
    let Some(Json::Object(members)) = table else {
        return Vec::new();
    };
    let row = |(name, scope): &(String, Json)| {
        let implies = scope.get("implies").map_or(Vec::new(), Json::texts);
        (name.clone(), implies)
    };
    members.iter().map(row).collect()
}

fn route(row: &Json) -> Route {
    Route {
        path: String::from(row.str("path").unwrap_or("")),
        holding: row.str("holding").map(String::from),
        read: row.str("read").map(String::from),
        write: row.str("write").map(String::from),
    }
}

fn row(row: &Json) -> Row {
    let text = |name| row.str(name).map(String::from);
    Row {
        error: text("error"),
        also: row.get("also").map_or(Vec::new(), Json::texts),
        status: row.get("status").and_then(Json::as_u32),
        says: text("says"),
        message: text("message"),
        remedy: text("remedy"),
    }
}

fn required(field: &str, text: &str) -> Result<(), Error> {
    match text {
        "" => Err(wrong(field, "is missing")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    const ORIGIN: &str = "https://app.example";

    fn complete(text: &str) -> Result<Config, Error> {
        let config = Config::parse(text)?;
        let found = provider::find(config.provider());
        config.complete(found)
    }

    fn resolve(text: &str) -> Result<Rc<Client>, Error> {
        complete(text)?.resolve(ORIGIN)
    }

    fn refusal(fields: &str) -> (ErrorCode, String) {
        let error = with(fields).expect_err(fields);
        (error.code, error.detail.clone())
    }

    /// B12.
    #[test]
    fn what_an_application_wants_back_comes_back_however_wide_and_deep_it_is() {
        let start = |state: &str| {
            resolve(&format!(
                r#"{{"clientId":"1","redirectUri":"https://app.example/cb","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t","appState":{state}}}"#
            ))
        };
        let wide = |count: usize| {
            let members: Vec<String> = (0..count).map(|n| format!(r#""item{n}":{n}"#)).collect();
            format!("{{{}}}", members.join(","))
        };
        let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
        for state in [
            wide(257),
            wide(19_000),
            deep(40),
            deep(250),
            String::from(r#"{"\ud83d\ude00":[1e400,-0,17841405793187217,"\u0000"],"__proto__":1}"#),
        ] {
            let client = start(&state).expect("a login");
            let again = Client::from_record(&client.to_record()).expect("a record");
            let (first, back) = (client.app_state(), again.app_state());
            assert!(
                first.is_some() && first == back,
                "{}",
                text::clip(&state, 80)
            );
            let written = Json::parse_own(state.as_bytes()).map(|json| json.text());
            assert_eq!(back.map(Json::text), written);
        }
        for state in [
            wide(20_000),
            deep(256),
            deep(100_000),
            String::from(r#""\ud83d""#),
            String::from(r#"{"\ude00":1}"#),
        ] {
            let error = start(&state).expect_err("more than there may be");
            assert_eq!(error.code, ErrorCode::InvalidConfig);
            assert!(error.detail.contains("appState"), "{}", error.detail);
        }
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
    fn a_wrong_field_is_named() {
        use ErrorCode::InvalidConfig as Config;
        for (fields, want) in [
            (
                r#","clientID":"1""#,
                "clientID: there is no such field; the nearest is clientId",
            ),
            (
                r#","tokenEndpont":"1""#,
                "tokenEndpont: there is no such field; the nearest is tokenEndpoint",
            ),
            (
                r#","provider":{"name":"x","sitess":{}}"#,
                "provider.sitess: there is no such field; the nearest is sites",
            ),
            (
                r#","site":"A","provider":{"sites":{"A":{"tokenEndpoint":1}}}"#,
                "provider.sites.A.tokenEndpoint: must be a string",
            ),
            (
                r#","routes":[{"path":"/","reed":"x"}]"#,
                "routes.reed: there is no such field; the nearest is read",
            ),
            (
                r#","routes":[{"path":"/"},"/"]"#,
                "routes: must be an object",
            ),
            (r#","routes":{}"#, "routes: must be a list of objects"),
            (
                r#","scopes":["a"]"#,
                "scopes: did you mean scope, which says what to ask for? scopes describes those that the provider has, an object of objects",
            ),
            (
                r#","scopes":{"a":{"implies":"b"}}"#,
                "scopes.a.implies: must be a list of strings",
            ),
            (
                r#","routes":[{"read":""}]"#,
                "routes.path: must begin with a slash",
            ),
            (
                r#","routes":[{"path":"https://api.example/x"}]"#,
                "routes.path: must begin with a slash",
            ),
            (
                r#","provider":{"sites":5}"#,
                "provider.sites: must be an object of objects",
            ),
            (
                r#","provider":{"sites":["A"]},"site":"A""#,
                "provider.sites: must be an object of objects",
            ),
            (
                r#","provider":{"sites":{"A":"https://as.example"}},"site":"A""#,
                "provider.sites.A: must be an object",
            ),
            (
                r#","provider":{"sites":{"A":{},"B":{"tokenEndpont":"x"}}},"site":"A""#,
                "provider.sites.B.tokenEndpont: there is no such field; the nearest is tokenEndpoint",
            ),
            (
                r#","revocationRequest":{"methd":"DELETE"}"#,
                "revocationRequest.methd: there is no such field; the nearest is method",
            ),
            (
                r#","revocationRequest":["DELETE"]"#,
                "revocationRequest: must be an object",
            ),
            (
                r#","navigat":null"#,
                "navigat: there is no such field; the nearest is navigate",
            ),
            (r#","navigate":"x""#, "navigate: must be a function"),
            (
                r#","provider":5"#,
                "provider: must be a name, or what a provider's file says",
            ),
            (
                r#","provider":{},"site":"A""#,
                "site: the provider has none",
            ),
            (
                r#","issRequired":true"#,
                "issRequired: needs an issuer to compare with",
            ),
            (
                r#","limitHeader":"X Limit""#,
                "limitHeader: must be the name of a header, and not Authorization",
            ),
            (
                r#","scopeHeader":"authorization""#,
                "scopeHeader: must be the name of a header, and not Authorization",
            ),
            (
                r#","usageHeader":"a:b""#,
                "usageHeader: must be the name of a header, and not Authorization",
            ),
            (
                r#","revocationEndpoint":"http://as.example/r""#,
                "revocationEndpoint: must be https",
            ),
            (r#","scope":5"#, "scope: must be a list of strings"),
            (r#","site":"MLB""#, "site: means nothing without a provider"),
            (
                r#","responseType":"id_token""#,
                "responseType: must be code, token or id_token token",
            ),
            (
                r#","codeChallengeMethod":"none""#,
                "codeChallengeMethod: must be S256 or plain",
            ),
            (
                r#","pendingMaxAge":-1"#,
                "pendingMaxAge: must be a whole number",
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
        for (field, shown) in [
            ("", "\"\""),
            ("__proto__", "__proto__"),
            ("constructor", "constructor"),
        ] {
            let (code, detail) = refusal(&format!(r#","{field}":1"#));
            let start = format!("{shown}: there is no such field; the nearest is ");
            assert!(code == Config && detail.starts_with(&start), "{detail}");
        }
        for field in ["clientSecret", "client_secret"] {
            assert_eq!(
                refusal(&format!(r#","{field}":"x""#)),
                (ErrorCode::ClientSecretRefused, field.into())
            );
        }
    }

    #[test]
    fn a_secret_in_the_query_of_an_endpoint_is_refused_too() {
        for field in ["tokenEndpoint", "revocationEndpoint", "endSessionEndpoint"] {
            let fields = r#"{"clientId":"1","redirectUri":"https://app.example/cb","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t"}"#;
            let mut config = Json::parse(fields.as_bytes()).expect("JSON");
            config.take(field);
            let endpoint = Json::String("https://as.example/x?a=b&client%5Fsecret=hush".into());
            config.fill(Json::Object(std::vec::Vec::from([(
                field.into(),
                endpoint,
            )])));
            let error = Config::read(config)
                .and_then(|config| config.resolve(ORIGIN))
                .expect_err(field);
            assert_eq!(
                (error.code, error.detail.as_str()),
                (
                    ErrorCode::InvalidConfig,
                    &*format!("{field}: must not carry parameters of the request")
                )
            );
        }
    }

    #[test]
    fn what_does_not_exist_is_named_with_the_nearest_that_does() {
        use ErrorCode::{UnknownProvider, UnknownScope, UnknownSite};
        let scopes = r#","scopes":{"read":{},"write":{"implies":["read"]},"urn:x:*":{}}"#;
        let file = provider::find(Some("mercadolibre"));
        let all = file.get("sites").expect("sites").names().join(" ");
        let sites =
            |name: &str, near: &str| format!("{name} is none of {all}; the nearest is {near}");
        for (fields, want, detail) in [
            (
                r#","provider":"mercadolivre""#,
                UnknownProvider,
                "mercadolivre; the nearest is mercadolibre",
            ),
            (
                r#","provider":"mercadolibre","site":"MLX""#,
                UnknownSite,
                &sites("MLX", "MLA"),
            ),
            (
                r#","provider":"mercadolibre","site":"mlb2""#,
                UnknownSite,
                &sites("mlb2", "MLB"),
            ),
            (
                &format!(r#","scope":"red"{scopes}"#),
                UnknownScope,
                "red; the nearest is read",
            ),
            (
                r#","provider":"""#,
                UnknownProvider,
                "\"\"; the nearest is appfigures",
            ),
            (
                r#","provider":"mercadolibre","site":"__proto__""#,
                UnknownSite,
                &sites("__proto__", "MCO"),
            ),
            (
                &format!(r#","routes":[{{"path":"/x","read":"read wriet"}}]{scopes}"#),
                UnknownScope,
                "wriet; the nearest is write",
            ),
            (
                &format!(
                    r#","routes":[{{"path":"/x","holding":"wri*"}},{{"path":"/","holding":"raed"}}]{scopes}"#
                ),
                UnknownScope,
                "raed; the nearest is read",
            ),
            (
                r#","scopes":{"read":{},"write":{"implies":["raed"]}}"#,
                UnknownScope,
                "raed; the nearest is read",
            ),
        ] {
            assert_eq!(refusal(fields), (want, detail.into()));
        }
        for scope in ["urn:x:1 read", ""] {
            let config = format!(
                r#"{{"clientId":"1","redirectUri":"https://app.example/","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t","scope":"{scope}"{scopes}}}"#
            );
            assert!(resolve(&config).is_ok(), "{scope}");
        }
    }

    #[test]
    fn a_provider_of_ones_own_is_as_good_as_a_known_one() {
        let login = resolve(
            r#"{"provider":{"name":"mine","about":{"title":"Mine"},"authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t",
                "resourceServers":["https://api.example"],"sites":{"A":{"about":"..","authorizationEndpoint":"https://a.as.example/a"},"B":{}},
                "errors":[{"error":"e","message":{"en":"m","es":"n"},"remedy":"r"}],"scopes":{"s":{"about":"x"}}},
                "site":"A","language":"es-MX","clientId":"1","redirectUri":"https://app.example/cb"}"#,
        )
        .expect("a login");
        assert_eq!((login.provider(), login.site()), (Some("mine"), Some("A")));
        assert_eq!(login.authorization_endpoint(), "https://a.as.example/a");
        assert_eq!(login.scopes(), &vec![("s".into(), vec![])]);
        let row = Row {
            error: Some("e".into()),
            message: Some("n".into()),
            remedy: Some("r".into()),
            ..Row::default()
        };
        assert_eq!(login.errors(), [row]);
        let again = Client::from_record(&login.to_record()).map(Rc::new);
        assert_eq!(again.as_ref(), Some(&login));
    }

    #[test]
    fn only_an_issuer_without_endpoints_is_asked_for_its_metadata() {
        let issuer = |fields: &str| {
            let config = complete(&format!("{{{fields}}}")).expect("a configuration");
            let issuer = config.undiscovered().map(|issuer| issuer.map(String::from));
            issuer.map_err(|error| error.detail.clone())
        };
        assert_eq!(issuer(r#""clientId":"1""#), Ok(None));
        assert_eq!(
            issuer(r#""issuer":"https://as.example""#),
            Ok(Some("https://as.example".into()))
        );
        assert_eq!(
            issuer(
                r#""issuer":"https://as.example","authorizationEndpoint":"https://as.example/a""#
            ),
            Ok(None)
        );
        for hostile in [
            "http://as.example",
            "https://a@b.example",
            "javascript:1",
            "//as.example",
            "",
        ] {
            assert!(
                issuer(&format!(r#""issuer":"{hostile}""#)).is_err(),
                "{hostile}"
            );
        }
        assert!(issuer(r#""issuer":"http://127.0.0.1:8080""#).is_ok());
    }

    #[test]
    fn metadata_that_no_login_may_use_is_told_from_a_configuration_that_none_may() {
        for member in [
            r#""tokenEndpoint":"http://as.example/t""#,
            r#""tokenEndpoint":5"#,
            r#""tokenEndpoint":"""#,
            r#""issRequired":"yes""#,
            r#""authorizationEndpoint":"javascript:1""#,
            r#""authorizationEndpoint":"https://as.example/a?scope=x""#,
            r#""tokenEndpoint":"https://as.example/t?client_id=x""#,
        ] {
            let mut config =
                complete(r#"{"issuer":"https://as.example"}"#).expect("a configuration");
            let metadata = Json::parse(format!("{{{member}}}").as_bytes()).expect("JSON");
            let error = config.discovered(metadata).expect_err(member);
            assert_eq!(error.code, ErrorCode::InvalidMetadata);
        }
    }

    #[test]
    fn metadata_that_is_partly_unusable_serves_for_what_is_usable() {
        let good = r#""authorizationEndpoint":"https://as.example:443/a","tokenEndpoint":"https://as.example:443/t""#;
        for member in [
            r#""revocationEndpoint":5"#,
            r#""revocationEndpoint":"""#,
            r#""endSessionEndpoint":"/logout""#,
            r#""jwksUri":"http://as.example/jwks""#,
            r#""userinfoEndpoint":"https://as.example/#me""#,
            r#""pushedAuthorizationRequestEndpoint":"https://a@as.example/par""#,
            r#""revocationEndpoint":"https://as.example/r?client_secret=x""#,
        ] {
            for issuer in ["https://as.example", "https://as.example:443"] {
                let mut config = complete(&format!(
                    r#"{{"issuer":"{issuer}","clientId":"1","redirectUri":"https://app.example/cb"}}"#
                ))
                .expect("a configuration");
                assert_eq!(config.undiscovered(), Ok(Some(issuer)));
                let metadata = format!("{{{good},{member}}}");
                let metadata = Json::parse(metadata.as_bytes()).expect("JSON");
                config.discovered(metadata).expect(member);
                let client = config.resolve(ORIGIN).expect(member);
                assert_eq!(client.issuer(), Some(issuer), "letter by letter");
                assert_eq!(client.token_endpoint(), "https://as.example:443/t");
                let lacking = [
                    client.revocation_endpoint(),
                    client.end_session_endpoint(),
                    client.userinfo_endpoint(),
                ];
                assert_eq!(lacking, [None; 3], "{member}");
            }
        }
    }

    #[test]
    fn what_the_server_does_not_offer_is_said_before_the_page_is_left() {
        let offer = |fields: &str, metadata: &str| {
            let config = format!(r#"{{"issuer":"https://as.example"{fields}}}"#);
            let mut config = complete(&config).expect("a configuration");
            let metadata =
                format!(r#"{{"authorizationEndpoint":"https://as.example/a"{metadata}}}"#);
            let metadata = Json::parse(metadata.as_bytes()).expect("JSON");
            let offered = config.discovered(metadata);
            offered.map_err(|error| (error.code, error.detail.clone()))
        };
        let (token, both) = (
            r#","responseType":"token""#,
            r#","responseType":"id_token token""#,
        );
        for (fields, metadata) in [
            ("", r#","response_types_supported":["code","id_token"]"#),
            ("", r#","response_types_supported":[]"#),
            ("", r#","response_types_supported":"code""#),
            ("", r#","grant_types_supported":["authorization_code"]"#),
            (token, r#","response_types_supported":["token"]"#),
            (token, r#","grant_types_supported":["authorization_code"]"#),
            (both, r#","response_types_supported":["token id_token"]"#),
            ("", r#","id_token_signing_alg_values_supported":["none"]"#),
        ] {
            assert_eq!(offer(fields, metadata), Ok(()), "{fields} {metadata}");
        }
        for (fields, metadata) in [
            ("", r#","response_types_supported":["id_token"]"#),
            ("", r#","grant_types_supported":["client_credentials"]"#),
            (token, r#","response_types_supported":["code"]"#),
            (both, r#","response_types_supported":["code","token"]"#),
        ] {
            let (code, detail) = offer(fields, metadata).expect_err(metadata);
            assert_eq!(code, ErrorCode::InvalidConfig);
            assert!(detail.starts_with("responseType: ") && detail.contains("_supported"));
        }
    }

    /// D6. Without `verifyIdToken` nobody checks the signature of what TLS has brought, so that any will do.
    #[cfg(feature = "full")]
    #[test]
    fn id_tokens_that_could_not_be_checked_are_named_before_the_page_is_left() {
        const CODE: &str = "";
        const CHECKED: &str = r#","verifyIdToken":true"#;
        const FRONT: &str = r#","responseType":"id_token token""#;
        const TOKEN: &str = r#","responseType":"token""#;
        let start = |fields: &str, algorithms: &str| {
            let config =
                format!(r#"{{"issuer":"https://as.example","scope":"openid read"{fields}}}"#);
            let mut config = complete(&config).expect("a configuration");
            let metadata = format!(
                r#"{{"authorizationEndpoint":"https://as.example/a","id_token_signing_alg_values_supported":{algorithms}}}"#
            );
            config.discovered(Json::parse(metadata.as_bytes()).expect("JSON"))
        };
        for (algorithms, fine, named) in [
            (r#"["RS256"]"#, &[CODE, CHECKED, FRONT, TOKEN][..], &[][..]),
            (r#"["HS256","PS512"]"#, &[CODE, CHECKED, FRONT, TOKEN], &[]),
            (r#"["ES256K"]"#, &[CODE, TOKEN], &[CHECKED, FRONT]),
            (r#"["HS256","none"]"#, &[CODE, TOKEN], &[CHECKED, FRONT]),
            (r#"["ML-DSA-65"]"#, &[CODE, TOKEN], &[CHECKED, FRONT]),
            (r#"["none"]"#, &[TOKEN], &[CODE, CHECKED, FRONT]),
            (r#"["NONE",""]"#, &[TOKEN], &[CODE, CHECKED, FRONT]),
            // Who says nothing may sign well.
            ("[]", &[CODE, CHECKED, FRONT, TOKEN], &[]),
            ("null", &[CODE, CHECKED, FRONT, TOKEN], &[]),
            (r#""RS256""#, &[CODE, CHECKED, FRONT, TOKEN], &[]),
            ("[1]", &[CODE, CHECKED, FRONT, TOKEN], &[]),
        ] {
            for fields in fine {
                assert_eq!(start(fields, algorithms), Ok(()), "{fields} {algorithms}");
            }
            for fields in named {
                let error = start(fields, algorithms).expect_err(algorithms);
                assert_eq!(error.code, ErrorCode::InvalidConfig);
                let list = "id_token_signing_alg_values_supported";
                assert!(error.detail.contains(list), "{}", error.detail);
                assert!(error.remedy().contains("RS256"));
            }
        }
    }

    #[test]
    fn what_would_only_fail_after_the_user_has_come_back_is_said_at_the_start() {
        let start = |fields: &str, page: &str, navigates| {
            let config = format!(
                r#"{{"clientId":"1","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t"{fields}}}"#
            );
            let client = complete(&config)?.resolve(page)?;
            client.check_page(page, navigates)
        };
        let api = r#","resourceServers":["https://api.example"]"#;
        let at = |uri: &str| format!(r#","redirectUri":"{uri}"{api}"#);
        for (uri, page) in [
            ("https://app.example/cb", "https://app.example"),
            ("http://localhost:5173/cb", "http://localhost:5173"),
            ("com.example.app:/cb", "https://localhost"),
            ("https://app.example/cb", "capacitor://localhost"),
        ] {
            start(&at(uri), page, false).expect(uri);
        }
        for (uri, page) in [
            ("http://127.0.0.1:5173/cb", "http://localhost:5173"),
            ("http://localhost:5173/cb", "http://localhost:5174"),
            ("https://app.example/cb", "https://www.app.example"),
        ] {
            let error = start(&at(uri), page, false).expect_err(uri);
            assert!(
                error
                    .detail
                    .starts_with("redirectUri: is of another origin")
            );
            start(&at(uri), page, true).expect("the caller's own way");
        }
        let cb = r#","redirectUri":"https://app.example/cb""#;
        let error = start(cb, ORIGIN, true).expect_err("nowhere to go");
        assert!(error.detail.starts_with("resourceServers: is missing"));
        let openid = format!(r#"{cb},"scope":"openid","issuer":"https://as.example""#);
        if super::super::IS_FULL {
            start(&openid, ORIGIN, false).expect("who it is, and no more");
        }
    }

    #[test]
    fn the_closest_resource_server_says_which_route_a_call_takes() {
        let login = resolve(
            r#"{"clientId":"1","redirectUri":"https://app.example/","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t",
                "resourceServers":["https://api.example","https://api.example/v2"],"routes":[{"path":"/x","read":"r"}]}"#,
        )
        .expect("a login");
        let need = |url| login.need("GET", url, &[]).map(|need| need.scope());
        assert_eq!(
            need("https://api.example/v2/x"),
            Some(std::vec!["r".into()])
        );
        assert_eq!(need("https://api.example/x"), Some(std::vec!["r".into()]));
        assert_eq!(need("https://api.example/v1/x"), None);
    }

    #[test]
    fn a_token_that_is_there_already_needs_somewhere_to_go_and_no_more() {
        let adopt = |text: &str| complete(text).and_then(Config::adopt);
        assert!(adopt(r#"{"resourceServers":["https://api.example"]}"#).is_ok());
        assert!(adopt(r#"{"provider":"appfigures"}"#).is_ok());
        assert!(adopt("{}").is_err());
        assert!(adopt(r#"{"resourceServers":["http://api.example"]}"#).is_err());
    }

    #[test]
    fn a_token_adopted_without_a_site_comes_back_from_its_record() {
        let adopted = complete(r#"{"provider":"mercadolibre"}"#).and_then(Config::adopt);
        let adopted = adopted.expect("a place for the token");
        let again = Client::from_record(&adopted.to_record()).map(Rc::new);
        assert_eq!(again, Some(adopted));
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
    fn a_token_cannot_be_listed_among_what_a_page_may_see() {
        assert!(with(r#","extraMembers":["device_token","invite_token"]"#).is_ok());
        for name in ["access_token", "accessToken", "REFRESH-TOKEN", "idToken"] {
            let (code, detail) = refusal(&format!(r#","extraMembers":["x","{name}"]"#));
            assert_eq!(code, ErrorCode::InvalidConfig, "{name}");
            assert_eq!(detail, "extraMembers: must not name a token");
        }
    }

    #[test]
    fn a_redirect_uri_whose_own_query_would_be_a_response_is_refused_before_the_user_leaves() {
        let resolved = |query: &str| {
            resolve(&format!(
                r#"{{"clientId":"1","redirectUri":"https://app.example/cb{query}","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t"}}"#
            ))
        };
        for name in parameters::OF_RESPONSES {
            for query in [
                format!("?{name}=x"),
                format!("?a=b&{name}"),
                format!("?{name}="),
            ] {
                let error = resolved(&query).expect_err(&query);
                assert_eq!(
                    error.detail,
                    "redirectUri: must not carry parameters of a response"
                );
            }
        }
        assert!(resolved("?co%64e=x").is_err());
        for query in ["", "?", "?page=cb", "?codes=1", "?user_id=7"] {
            assert!(resolved(query).is_ok(), "{query}");
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
        let record = login.to_record();
        assert_eq!(Client::from_record(&record).map(Rc::new), Some(login));
        for wrong in [
            String::new(),
            String::from("1"),
            String::from("1s"),
            record.replacen('1', "2", 1),
            text::concat(&[&record, "0;"]),
            text::concat(&["1s", &record]),
        ] {
            assert_eq!(Client::from_record(&wrong), None, "{wrong}");
        }
        for (at, _) in record.char_indices() {
            assert_eq!(Client::from_record(&record[..at]), None, "cut at {at}");
        }
    }

    fn with(fields: &str) -> Result<Rc<Client>, Error> {
        resolve(&format!(
            r#"{{"clientId":"1","redirectUri":"https://app.example/cb","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t"{fields}}}"#
        ))
    }

    #[cfg(feature = "full")]
    #[test]
    fn what_belongs_together_is_demanded_together() {
        let openid = r#","scope":"openid","issuer":"https://as.example""#;
        let keys = r#","jwksUri":"https://as.example/jwks""#;
        for fields in [
            "",
            openid,
            r#","verifyIdToken":true"#,
            &format!(r#"{openid}{keys},"verifyIdToken":true"#),
            &format!(r#"{openid}{keys},"responseType":"id_token token""#),
            r#","dpop":true"#,
            r#","pushedAuthorizationRequestEndpoint":"https://as.example/par""#,
            r#","pushedAuthorizationRequest":true,"pushedAuthorizationRequestEndpoint":"https://as.example/par""#,
        ] {
            with(fields).expect(fields);
        }
        for (fields, rule) in [
            (r#","scope":"openid""#, "issuer: is missing"),
            (
                &format!(r#"{openid},"verifyIdToken":true"#),
                "jwksUri: is missing",
            ),
            (
                &format!(r#"{openid},"responseType":"id_token token""#),
                "jwksUri: is missing",
            ),
            (
                r#","responseType":"id_token token""#,
                "responseType: id_token needs openid",
            ),
            (r#","responseType":"id_token""#, "responseType: must be"),
            (r#","dpop":true,"responseType":"token""#, "dpop: needs"),
            (
                r#","pushedAuthorizationRequest":true"#,
                "pushedAuthorizationRequestEndpoint: is missing",
            ),
            (
                r#","jwksUri":"http://as.example/jwks""#,
                "jwksUri: must be https",
            ),
            (r#","userinfoEndpoint":"/me""#, "userinfoEndpoint: must be"),
            (
                r#","authorizationParameters":{"nonce":"1"}"#,
                "authorizationParameters.nonce",
            ),
        ] {
            let error = with(fields).map(drop).expect_err(fields);
            assert!(error.detail.starts_with(rule), "{fields}: {}", error.detail);
        }
    }

    /// The examples of RFC 8707 section 2 and RFC 9396 section 2.
    #[cfg(feature = "full")]
    #[test]
    fn resources_are_uris_and_details_have_a_type() {
        for resource in [
            r#""https://cal.example.com/""#,
            r#"["https://cal.example.com/","https://contacts.example.com/"]"#,
            r#""urn:example:api""#,
            r#""https://api.example.com/app/?x=1""#,
            "[]",
        ] {
            with(&format!(r#","resource":{resource}"#)).expect(resource);
        }
        for resource in [
            r#""""#,
            r#""cal""#,
            r#""/cal""#,
            r#""https:""#,
            r#""https://a/#b""#,
            r#""https://a/ b""#,
            r#"["https://a/",1]"#,
            "7",
            "{}",
        ] {
            let error = with(&format!(r#","resource":{resource}"#)).expect_err(resource);
            assert!(error.detail.starts_with("resource: "), "{resource}");
        }
        let details = r#"[{"type":"account_information","actions":["list_accounts"],"locations":["https://example.com/accounts"]}]"#;
        let login = with(&format!(r#","authorizationDetails":{details}"#)).expect("details");
        assert_eq!(
            login.authorization_details().map(Json::text).as_deref(),
            Some(details)
        );
        for details in [
            "{}",
            r#"[{}]"#,
            r#"[{"type":""}]"#,
            r#"[{"type":1}]"#,
            r#"["x"]"#,
            r#""[]""#,
        ] {
            let error = with(&format!(r#","authorizationDetails":{details}"#));
            let error = error.expect_err(details);
            assert!(
                error.detail.starts_with("authorizationDetails: "),
                "{details}"
            );
        }
    }

    #[cfg(feature = "full")]
    #[test]
    fn the_metadata_says_whether_requests_must_be_pushed() {
        use crate::protocol::metadata;
        let demanded = |member: &str| {
            let body = format!(
                r#"{{"issuer":"https://as.example","authorization_endpoint":"https://as.example/a","token_endpoint":"https://as.example/t","pushed_authorization_request_endpoint":"https://as.example/par"{member}}}"#
            );
            let read = metadata::read("https://as.example", 200, body.as_bytes(), true);
            let mut config = Config::parse(
                r#"{"clientId":"1","redirectUri":"https://app.example/cb","issuer":"https://as.example"}"#,
            )?;
            config.discovered(read.expect("metadata")?)?;
            config
                .resolve("https://app.example")
                .map(|login| login.is_pushed())
        };
        assert_eq!(demanded(""), Ok(false), "offered, not demanded");
        assert_eq!(
            demanded(r#","require_pushed_authorization_requests":true"#),
            Ok(true)
        );
        assert!(demanded(r#","require_pushed_authorization_requests":"yes""#).is_err());
    }
}
