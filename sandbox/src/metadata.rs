//! Authorization server metadata (RFC 8414), and the same where OpenID Connect Discovery looks for it.

use serde_json::json;

use crate::mercadolibre;
use crate::message::{self, Answer, Request};
use crate::state::State;

pub fn handle(state: &State, request: &Request, document: &str) -> Answer {
    let settings = &state.settings;
    let served = match document {
        "openid-configuration" => settings.serve_openid_configuration,
        "oauth-authorization-server" => settings.serve_authorization_server_metadata,
        _ => false,
    };
    if !served {
        return message::json(404, &json!({ "error": "not_found" }));
    }
    let origin = request.origin();
    let mut body = json!({
        "issuer": settings.lie_about_issuer.as_deref().unwrap_or(&origin),
        "authorization_endpoint": format!("{origin}/authorization"),
        "token_endpoint": format!("{origin}/oauth/token"),
        "revocation_endpoint": format!("{origin}/oauth/revoke"),
        "scopes_supported": ["offline_access", "read", "write"],
        "response_types_supported": if settings.allow_implicit { json!(["code", "token"]) } else { json!(["code"]) },
        "response_modes_supported": ["query", "fragment"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_post"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256", "plain"],
        "authorization_response_iss_parameter_supported": settings.send_iss,
    });
    if let (false, Some(fields)) = (settings.announce_pkce, body.as_object_mut()) {
        fields.shift_remove("code_challenge_methods_supported");
    }
    message::json(200, &mercadolibre::patched(body, &settings.metadata))
}
