//! What the server's metadata adds to a configuration (RFC 8414), and whether the server offers what is asked for.

use super::super::error::{Error, ErrorCode, wrong};
use super::super::json::Json;
use super::super::{metadata, openid, shape, url};
use super::Config;
use super::checks::{ENDPOINTS, check_endpoint};

const UNSIGNED: &str = "openid needs signed ID Tokens, and the server's id_token_signing_alg_values_supported has only none";
const UNCHECKABLE: &str =
    "browsers can check none of the server's id_token_signing_alg_values_supported";
const SIGN: &str = "Have the provider sign ID Tokens by RS256 or ES256";
const SIGN_OR_TRUST_TLS: &str =
    "Have the provider sign ID Tokens by RS256 or ES256, or leave verifyIdToken out";

impl Config {
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
                None if needed => Err(wrong(field, "is missing")),
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
}

#[cfg(test)]
mod tests {
    use super::super::tests::{ORIGIN, complete, is_fine};
    use super::*;
    use std::format;

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
            r#""authorizationEndpoint":"https://as.example/a""#,
            r#""authorizationEndpoint":"https://as.example/a","tokenEndpoint":null"#,
            r#""tokenEndpoint":"https://as.example/t""#,
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
            let metadata = format!(
                r#"{{"authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t"{metadata}}}"#
            );
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
                r#"{{"authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t","id_token_signing_alg_values_supported":{algorithms}}}"#
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
                // A build without `openid.rs` begins no login that checks signatures, whatever the server signs by.
                if !crate::protocol::IS_FULL && *fields != CODE {
                    assert_eq!(start(fields, algorithms), Ok(()));
                    continue;
                }
                let error = start(fields, algorithms).expect_err(algorithms);
                assert_eq!(error.code, ErrorCode::InvalidConfig);
                let list = "id_token_signing_alg_values_supported";
                assert!(error.detail.contains(list), "{}", error.detail);
                assert!(error.remedy().contains("RS256"));
            }
        }
    }

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
        let pushed = demanded(r#","require_pushed_authorization_requests":true"#);
        assert!(is_fine(&pushed) && pushed != Ok(false));
        assert!(demanded(r#","require_pushed_authorization_requests":"yes""#).is_err());
    }
}
