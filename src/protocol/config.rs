//! The configuration of a login: read once, checked once, then never doubted again.

mod checks;
mod discovery;
mod fields;

pub use checks::are_details;
use checks::{check_each, check_together, required};

use alloc::rc::Rc;
use alloc::string::String;

pub use super::client::Display;
use super::client::{Client, ResponseType};
use super::error::{Error, ErrorCode, wrong};
use super::json::{self, Json};
use super::resource::Call;
use super::{form, parameters, provider, scope, shape, url};

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
}

#[cfg(test)]
mod tests {
    use super::super::pkce::CodeChallengeMethod;
    use super::super::refusal::Row;
    use super::super::text;
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;
    use std::format;

    pub(super) const ORIGIN: &str = "https://app.example";

    pub(super) fn complete(text: &str) -> Result<Config, Error> {
        let config = Config::parse(text)?;
        let found = provider::find(config.provider());
        config.complete(found)
    }

    pub(super) fn resolve(text: &str) -> Result<Rc<Client>, Error> {
        complete(text)?.resolve(ORIGIN)
    }

    pub(super) fn refusal(fields: &str) -> (ErrorCode, String) {
        let error = with(fields).expect_err(fields);
        (error.code, error.detail.clone())
    }

    /// Whether nothing is wrong with it, or only that this build lacks what it asks for.
    pub(super) fn is_fine<T>(login: &Result<T, Error>) -> bool {
        let is_full = crate::protocol::IS_FULL;
        login
            .as_ref()
            .err()
            .is_none_or(|error| !is_full && error.code == ErrorCode::NeedsFull)
    }

    pub(super) fn with(fields: &str) -> Result<Rc<Client>, Error> {
        resolve(&format!(
            r#"{{"clientId":"1","redirectUri":"https://app.example/cb","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t"{fields}}}"#
        ))
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
}
