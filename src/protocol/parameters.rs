//! The names of parameters (RFC 6749 sections 4.1.1 and 4.1.2, and what extends them): which of a request are the
//! library's own to set, and which of an address are a response.

/// Parameters of the authorization request that only the library sets.
pub const OF_REQUESTS: &[&str] = &[
    "response_type",
    "response_mode",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "dpop_jkt",
    "request",
    "request_uri",
    "client_secret",
];

/// Parameters of a response. Each may stand there once (RFC 6749 section 3.1), a redirect URI of which one is a part is
/// of no use, and none stays in the address bar: `src/address.js` has the same list.
pub const OF_RESPONSES: &[&str] = &[
    "state",
    "code",
    "iss",
    "error",
    "error_description",
    "error_uri",
    "access_token",
    "token_type",
    "expires_in",
    "scope",
    "refresh_token",
    "id_token",
    "session_state",
];

/// What servers add to a response. In an address that is one, they do not stay either.
pub const ADDED: &[&str] = &["authuser", "client_info", "hd", "prompt", "user_id"];
