//! What must hold of a client before a login begins, whoever has described it.

use super::super::client::{Api, Client, ResponseType};
use super::super::error::{Error, wrong};
use super::super::json::Json;
use super::super::{form, parameters, resource, scope, shown, text, url};

/// The endpoints, and whether parameters are added to their own query.
pub(super) const ENDPOINTS: &[(&str, bool)] = &[
    ("authorizationEndpoint", true),
    ("tokenEndpoint", true),
    ("revocationEndpoint", true),
    ("endSessionEndpoint", true),
    ("jwksUri", false),
    ("userinfoEndpoint", false),
    ("pushedAuthorizationRequestEndpoint", false),
];

/// What the endpoint's own query says, the request must not say again (RFC 6749 section 3.1).
pub(super) fn check_endpoint(field: &str, endpoint: &str, is_form: bool) -> Result<(), Error> {
    let query = url::check(field, endpoint, false)?.query.unwrap_or("");
    match is_form && form::parse(query).iter().any(|(name, _)| is_own(name)) {
        true => Err(wrong(field, "must not carry parameters of the request")),
        false => Ok(()),
    }
}

/// Checks each field by itself.
pub(super) fn check_each(client: &Client) -> Result<(), Error> {
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
pub(super) fn check_together(client: &Client) -> Result<(), Error> {
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

pub(super) fn required(field: &str, text: &str) -> Result<(), Error> {
    match text {
        "" => Err(wrong(field, "is missing")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::error::ErrorCode;
    use super::super::Config;
    use super::super::tests::{ORIGIN, complete, is_fine, refusal, resolve, with};
    use super::*;
    use std::format;

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
        if crate::protocol::IS_FULL {
            start(&openid, ORIGIN, false).expect("who it is, and no more");
        }
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
            assert!(is_fine(&with(fields)), "{fields}");
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
        let login = with(&format!(r#","authorizationDetails":{details}"#));
        assert!(is_fine(&login), "{details}");
        if let Ok(login) = login {
            let taken = login.authorization_details().map(Json::text);
            assert_eq!(taken.as_deref(), Some(details));
        }
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
}
