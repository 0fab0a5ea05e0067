//! What only the full build knows of a configuration: OpenID Connect, DPoP, pushed requests, resources and details.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::{Config, Json, Keep, Login, ResponseType, Seconds};
use crate::protocol::error::{Error, wrong};
use crate::protocol::openid::Rules;
use crate::protocol::{json, text, url};

/// Checks the fields, each by itself.
pub fn check(config: &Json) -> Result<(), Error> {
    for field in [
        "jwksUri",
        "userinfoEndpoint",
        "pushedAuthorizationRequestEndpoint",
    ] {
        if let Some(endpoint) = config.str(field) {
            url::check(field, endpoint, false)?;
        }
    }
    if let Some(resource) = config.get("resource") {
        check_resource(resource)?;
    }
    if let Some(details) = config.get("authorizationDetails") {
        check_details(details)?;
    }
    Ok(())
}

/// Resource indicators (RFC 8707 section 2): absolute URIs without a fragment.
fn check_resource(resource: &Json) -> Result<(), Error> {
    let is_uri = |uri: &str| {
        let scheme = text::cut(uri, ":").map_or("", |(scheme, _)| scheme);
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || text::is_one_of(b, b"+-.");
        scheme
            .bytes()
            .next()
            .is_some_and(|b| b.is_ascii_alphabetic())
            && scheme.bytes().all(is_plain)
            && uri.len() > scheme.len() + 1
            && text::is_graphic(uri, b"#")
    };
    let good = match resource {
        Json::String(one) => is_uri(one),
        Json::Array(items) => items.iter().all(|item| item.as_str().is_some_and(is_uri)),
        _ => false,
    };
    match good {
        true => Ok(()),
        false => Err(wrong(
            "resource",
            "must be absolute URIs without a fragment (RFC 8707 section 2)",
        )),
    }
}

/// Authorization details (RFC 9396 section 2): a list of objects that have a `type`.
pub fn check_details(details: &Json) -> Result<(), Error> {
    let has_type = |item: &Json| item.str("type").is_some_and(|kind| !kind.is_empty());
    match details {
        Json::Array(items) if items.iter().all(has_type) => Ok(()),
        _ => Err(wrong(
            "authorizationDetails",
            "must be a list of objects that have a type (RFC 9396 section 2)",
        )),
    }
}

impl Config {
    /// Checks what a login needs besides.
    pub(super) fn check_login(login: &Login) -> Result<(), Error> {
        let config = &login.config;
        if login.is_openid() && config.get("issuer").is_none() {
            return Err(wrong("issuer", "is missing, and scope asks for openid"));
        }
        let front = login.response_type == ResponseType::IdTokenToken;
        if front && !login.is_openid() {
            return Err(wrong("responseType", "id_token needs openid in the scope"));
        }
        if (front || login.verify_id_token()) && login.jwks_uri().is_empty() {
            return Err(wrong(
                "jwksUri",
                "is missing, and the ID Token is to be verified",
            ));
        }
        if login.dpop() && login.response_type != ResponseType::Code {
            return Err(wrong("dpop", "needs the response type code"));
        }
        if login.is_pushed() && login.pushed_endpoint().is_empty() {
            return Err(wrong("pushedAuthorizationRequestEndpoint", "is missing"));
        }
        Ok(())
    }
}

impl Login {
    /// Whether the user's identity is asked for (OpenID Connect Core section 3.1.2.1).
    pub fn is_openid(&self) -> bool {
        self.scope.iter().any(|scope| scope == "openid")
    }

    /// Whether the signature of every ID Token is checked; without it those of the address bar are.
    pub fn verify_id_token(&self) -> bool {
        self.is_openid() && self.config.flag("verifyIdToken")
    }

    /// What an ID Token is judged by.
    pub fn id_token_rules(&self) -> Rules<'_> {
        let max_age = self.config.get("authorizationParameters");
        let max_age = max_age.and_then(|all| all.str("max_age"));
        Rules {
            issuer: self.issuer().unwrap_or(""),
            client_id: self.client_id(),
            max_age: max_age.map(|text| {
                let seconds = json::whole(text).and_then(|seconds| seconds.try_into().ok());
                seconds.unwrap_or(Seconds::MAX)
            }),
        }
    }

    /// Where the server's public keys are (RFC 8414 section 2); empty where nobody said.
    pub fn jwks_uri(&self) -> &str {
        self.text("jwksUri")
    }

    /// Where the server says more of the user (OpenID Connect Core section 5.3).
    pub fn userinfo_endpoint(&self) -> Option<&str> {
        self.config.str("userinfoEndpoint")
    }

    /// Whether tokens are bound to a key (RFC 9449).
    pub fn dpop(&self) -> bool {
        self.config.flag("dpop")
    }

    /// Seconds that a key is kept where sessions outlive their page, or tabs have them in common.
    pub fn key_lifetime(&self) -> Option<Seconds> {
        let is_common = self.keep() != Keep::No || self.is_shared();
        is_common.then(|| self.keep_max_age())
    }

    /// Whether the authorization request is posted before the user is sent away (RFC 9126): where the caller says so, or
    /// the metadata that it must be.
    pub fn is_pushed(&self) -> bool {
        self.config.flag("pushedAuthorizationRequest")
    }

    /// Where it is posted to; empty where nobody said.
    pub fn pushed_endpoint(&self) -> &str {
        self.text("pushedAuthorizationRequestEndpoint")
    }

    /// For which resources tokens are wanted (RFC 8707).
    pub fn resources(&self) -> Vec<String> {
        match self.config.get("resource") {
            Some(Json::String(one)) => vec![one.clone()],
            Some(list) => list.texts(),
            None => Vec::new(),
        }
    }

    /// What is asked for in more words than a scope has (RFC 9396).
    pub fn authorization_details(&self) -> Option<&Json> {
        self.config.get("authorizationDetails")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    fn resolve(fields: &str) -> Result<std::rc::Rc<Login>, Error> {
        let config = format!(
            r#"{{"clientId":"1","redirectUri":"https://app.example/cb","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t"{fields}}}"#
        );
        Config::parse(&config)?.resolve("https://app.example")
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
            resolve(fields).expect(fields);
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
            let error = resolve(fields).map(drop).expect_err(fields);
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
            resolve(&format!(r#","resource":{resource}"#)).expect(resource);
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
            let error = resolve(&format!(r#","resource":{resource}"#)).expect_err(resource);
            assert!(error.detail.starts_with("resource: "), "{resource}");
        }
        let details = r#"[{"type":"account_information","actions":["list_accounts"],"locations":["https://example.com/accounts"]}]"#;
        let login = resolve(&format!(r#","authorizationDetails":{details}"#)).expect("details");
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
            let error = resolve(&format!(r#","authorizationDetails":{details}"#));
            let error = error.expect_err(details);
            assert!(
                error.detail.starts_with("authorizationDetails: "),
                "{details}"
            );
        }
    }

    #[test]
    fn the_metadata_says_whether_requests_must_be_pushed() {
        use crate::protocol::metadata;
        let with = |member: &str| {
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
        assert_eq!(with(""), Ok(false), "offered, not demanded");
        assert_eq!(
            with(r#","require_pushed_authorization_requests":true"#),
            Ok(true)
        );
        assert!(with(r#","require_pushed_authorization_requests":"yes""#).is_err());
    }
}
