//! Every error both documents list, as a table: its words, its shape, and how to bring it about.

use serde::Serialize;
use serde_json::{Value, json};

use crate::message::{self, Answer};
use crate::pages;
use crate::settings::Settings;

/// One documented error.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct DocumentedError {
    /// Names the row in `Settings.force_token_error`, `Settings.force_api_error`, `FaultKind::Documented` and the magic
    /// values `code=sandbox:<id>` and `refresh_token=sandbox:<id>`.
    pub id: &'static str,
    /// The provider's error code.
    pub error: &'static str,
    pub status: u16,
    /// The provider's words. `{0}` stands for the value at fault.
    pub description: &'static str,
    /// Where it is documented.
    pub document: &'static str,
    /// How it comes about without force.
    pub reach: &'static str,
    pub shape: Shape,
}

/// What the answer's body looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// `{"error_description","error","status","cause":[]}`
    Token,
    /// `{"message","error","status","cause":[]}`
    Api,
    /// Plain text, the error code alone.
    Text,
    /// `{"message","code","status","blocked_by"}`
    Gateway,
    /// `{"status","error","code"}`, and `message` where the description says more than the code (403 page).
    Forbidden,
    /// A page the user sees; nothing is sent back to the application.
    Page,
    /// `{"status","message","additional","reference"}`
    Appfigures,
}

/// Every documented error. Reach one by what `reach` says, or by force with its `id`.
pub fn documented_errors() -> &'static [DocumentedError] {
    ERRORS
}

/// The answer of a row, the description as it stands. An unknown id is answered with 500 and its name.
pub fn answer(id: &str, settings: &Settings) -> Answer {
    answer_about(id, settings, "{0}")
}

/// The answer of a row, with `{0}` replaced.
pub fn answer_about(id: &str, settings: &Settings, value: &str) -> Answer {
    let Some(row) = ERRORS.iter().find(|row| row.id == id) else {
        return message::text(
            500,
            &format!("sandbox: no documented error has the id {id}"),
        );
    };
    row.answer(settings, &row.description.replace("{0}", value))
}

/// The words of a row, for answers of another shape.
pub fn description(id: &str) -> &'static str {
    ERRORS
        .iter()
        .find(|row| row.id == id)
        .map_or("", |row| row.description)
}

pub fn token_body(error: &str, description: &str, status: u16) -> Value {
    json!({ "error_description": description, "error": error, "status": status, "cause": [] })
}

pub fn api_body(message: &str, error: &str, status: u16) -> Value {
    json!({ "message": message, "error": error, "status": status, "cause": [] })
}

impl DocumentedError {
    fn answer(&self, settings: &Settings, description: &str) -> Answer {
        let answer = match self.shape {
            Shape::Token => message::json(
                self.status,
                &token_body(self.error, description, self.status),
            ),
            Shape::Api => {
                message::json(self.status, &api_body(description, self.error, self.status))
            }
            Shape::Text => message::text(self.status, self.error),
            Shape::Gateway => message::json(
                self.status,
                &json!({
                    "message": description, "code": self.error, "status": self.status, "blocked_by": "PolicyAgent"
                }),
            ),
            Shape::Forbidden if description == self.error => message::json(
                self.status,
                &json!({ "status": self.status, "error": self.error, "code": "FORBIDDEN" }),
            ),
            Shape::Forbidden => message::json(
                self.status,
                &json!({
                    "error": self.error, "message": description, "status": self.status, "code": "FORBIDDEN"
                }),
            ),
            Shape::Page => message::html(self.status, pages::refusal(description)),
            Shape::Appfigures => message::json(
                self.status,
                &json!({
                    "status": self.status, "message": self.error, "additional": description, "reference": "sandbox"
                }),
            ),
        };
        let answer = message::with(answer, "cache-control", "no-store");
        match &settings.retry_after {
            Some(wait) if matches!(self.status, 420 | 429) => {
                message::with(answer, "retry-after", wait)
            }
            _ => answer,
        }
    }
}

const ENGLISH: &str = "seed 001, Authentication and Authorization";
const PORTUGUESE: &str = "seed 002, Autenticação e Autorização";
const FORBIDDEN_PAGE: &str = "error 403 page of 02/04/2025";
const FOUND: &str = "providers.md, found elsewhere";
const APPFIGURES: &str = "seed 000, Scopes";

const ERRORS: &[DocumentedError] = &[
    DocumentedError {
        id: "invalid_client",
        error: "invalid_client",
        status: 400,
        description: "invalid client_id or client_secret",
        document: "seed 001 and seed 002",
        reach: "a token request with an unknown client_id, a wrong client_secret, or none when settings.requireClientSecret is on",
        shape: Shape::Token,
    },
    DocumentedError {
        id: "no_active_session",
        error: "invalid_grant",
        status: 400,
        description: "To create an access token the user {0} must have an active session, or your application should request authorization for offline_access scope.",
        document: ENGLISH,
        reach: "exchange a code granted without offline_access while settings.activeSession is off",
        shape: Shape::Token,
    },
    DocumentedError {
        id: "spent_or_expired",
        error: "invalid_grant",
        status: 400,
        description: "Error validating grant. Your authorization code or refresh token may be expired or it was already used",
        document: PORTUGUESE,
        reach: "use a code or refresh token twice, after its time, after revocation, or with a wrong code_verifier",
        shape: Shape::Token,
    },
    DocumentedError {
        id: "spent_or_expired_english",
        error: "invalid_grant",
        status: 400,
        description: "Error validating grant. Your authorization code or refresh token may have expired or it has already been used.",
        document: ENGLISH,
        reach: "as spent_or_expired, with settings.wording = \"english\"",
        shape: Shape::Token,
    },
    DocumentedError {
        id: "client_mismatch",
        error: "invalid_grant",
        status: 400,
        description: "The client_id does not match the original.",
        document: ENGLISH,
        reach: "exchange a code or refresh token of another application",
        shape: Shape::Token,
    },
    DocumentedError {
        id: "redirect_uri_mismatch",
        error: "invalid_grant",
        status: 400,
        description: "The redirect_uri does not match the original.",
        document: ENGLISH,
        reach: "exchange a code with another redirect_uri than the authorization request had",
        shape: Shape::Token,
    },
    DocumentedError {
        id: "invalid_scope",
        error: "invalid_scope",
        status: 400,
        description: "The requested scope is invalid, unknown, or malformed.",
        document: "seed 001 and seed 002",
        reach: "an authorization request with an unknown scope (the error comes in the redirect), or a refresh that asks for more than was granted",
        shape: Shape::Token,
    },
    DocumentedError {
        id: "duplicate_parameters",
        error: "invalid_request",
        status: 400,
        description: "Wrong number of parameters with duplicate values.",
        document: ENGLISH,
        reach: "a parameter that stands twice in a token or authorization request",
        shape: Shape::Token,
    },
    DocumentedError {
        id: "malformed_request",
        error: "invalid_request",
        status: 400,
        description: "The request is missing a required parameter, includes an unsupported parameter or parameter value, or is otherwise malformed.",
        document: "seed 001 and seed 002",
        reach: "a token request without grant_type, code, redirect_uri or refresh_token; not a form; parameters in the query. An authorization request without code_challenge when settings.requirePkce is on",
        shape: Shape::Token,
    },
    DocumentedError {
        id: "code_verifier_required",
        error: "invalid_request",
        status: 400,
        description: "code_verifier is a required parameter",
        document: FOUND,
        reach: "exchange a code that was asked for with a code_challenge, without code_verifier",
        shape: Shape::Token,
    },
    DocumentedError {
        id: "unsupported_grant_type",
        error: "unsupported_grant_type",
        status: 400,
        description: "Unsupported grant type: {0}.",
        document: "seed 001 and seed 002",
        reach: "a token request with another grant_type, such as password",
        shape: Shape::Token,
    },
    DocumentedError {
        id: "forbidden",
        error: "forbidden",
        status: 403,
        description: "The caller is not authorized to access this resource",
        document: "seed 001 and seed 002",
        reach: "GET /users/{id} of another user with a token; POST /items without the scope write",
        shape: Shape::Api,
    },
    DocumentedError {
        id: "forbidden_country",
        error: "forbidden",
        status: 403,
        description: "o usuário não tem acesso à URL de Mercado Livre de seu país (.ar, .br, .mx, etc)",
        document: PORTUGUESE,
        reach: "log in as a user of another country than the host's while settings.refuseForeignSite is on",
        shape: Shape::Page,
    },
    DocumentedError {
        id: "policy_agent",
        error: "PA_UNAUTHORIZED_RESULT_FROM_POLICIES",
        status: 403,
        description: "At least one policy returned UNAUTHORIZED.",
        document: FOUND,
        reach: "call a resource whose functional permission the token lacks, where it has others (settings.applications[].scope)",
        shape: Shape::Gateway,
    },
    DocumentedError {
        id: "invalid_scopes",
        error: "Invalid scopes",
        status: 403,
        description: "Invalid scopes",
        document: FORBIDDEN_PAGE,
        reach: "by force only",
        shape: Shape::Forbidden,
    },
    DocumentedError {
        id: "ip_not_allowed",
        error: "access_denied",
        status: 403,
        description: "access to the requested resource is forbidden",
        document: FORBIDDEN_PAGE,
        reach: "call the API with a token of an application with settings.applications[].ipRanges",
        shape: Shape::Forbidden,
    },
    DocumentedError {
        id: "invalid_operator_user_id",
        error: "invalid_operator_user_id",
        status: 403,
        description: "invalid_operator_user_id",
        document: FOUND,
        reach: "by force only: the sandbox tells a collaborator on its own page (cannot_connect)",
        shape: Shape::Api,
    },
    DocumentedError {
        id: "local_rate_limited",
        error: "local_rate_limited",
        status: 429,
        description: "local_rate_limited",
        document: PORTUGUESE,
        reach: "more than settings.rateLimit requests in a minute; settings.retryAfter adds the header",
        shape: Shape::Text,
    },
    DocumentedError {
        id: "local_rate_limited_json",
        error: "local_rate_limited",
        status: 429,
        description: "local_rate_limited",
        document: PORTUGUESE,
        reach: "as local_rate_limited, with settings.rateLimitJson on",
        shape: Shape::Api,
    },
    DocumentedError {
        id: "unauthorized_client",
        error: "unauthorized_client",
        status: 400,
        description: "a aplicação não tem grant com o usuário ou as permissões (scopes) que tem o aplicativo com esse usuári. Não permitem criar um token.",
        document: PORTUGUESE,
        reach: "use a code or refresh token with a scope that the application no longer has (settings.applications[].scope)",
        shape: Shape::Token,
    },
    DocumentedError {
        id: "unauthorized_application",
        error: "unauthorized_application",
        status: 400,
        description: "a aplicação está bloqueada, e por isso não poderá operar até resolver o problema.",
        document: PORTUGUESE,
        reach: "a token request of an application with settings.applications[].blocked",
        shape: Shape::Token,
    },
    DocumentedError {
        id: "callback_mismatch",
        error: "invalid_request",
        status: 400,
        description: "your client callback has to match with the redirect_uri param",
        document: PORTUGUESE,
        reach: "an authorization request whose redirect_uri is not one of settings.redirectUris",
        shape: Shape::Page,
    },
    DocumentedError {
        id: "cannot_connect",
        error: "forbidden",
        status: 403,
        description: "Sorry, the application cannot connect to your account",
        document: PORTUGUESE,
        reach: "log in as a collaborator (TETE-COLABORADOR) and allow",
        shape: Shape::Page,
    },
    DocumentedError {
        id: "appfigures_forbidden",
        error: "Forbidden",
        status: 403,
        description: "This route needs the scope {0}",
        document: APPFIGURES,
        reach: "call an Appfigures route without its scope, or narrowed by X-OAuth-Scope",
        shape: Shape::Appfigures,
    },
    DocumentedError {
        id: "chill_out",
        error: "Chill Out!",
        status: 420,
        description: "The limit of {0} requests a day is used up",
        document: FOUND,
        reach: "more than settings.appfiguresDailyLimit requests of one account in a UTC day",
        shape: Shape::Appfigures,
    },
];
