//! The fields of a configuration as a client, before they are checked.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::super::Seconds;
use super::super::client::{
    Answers, Api, Client, Endpoints, Keep, Keeping, ResponseType, RevocationRequest,
};
use super::super::json::Json;
use super::super::pkce::CodeChallengeMethod;
use super::super::refusal::Row;
use super::super::resource::Route;
use super::super::scope::{self, Scopes};
use super::Config;

const PENDING_MAX_AGE: Seconds = 600;
/// Thirty days.
const KEEP_MAX_AGE: Seconds = 30 * 86_400;

impl Config {
    /// The fields as they stand, unchecked.
    pub(super) fn client(&self) -> Client {
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
