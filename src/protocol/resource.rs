//! Resource servers: where a token may go (RFC 9700 section 4.9.1), and what their refusals mean (RFC 6750).

use super::config::wrong;
use super::error::{Error, ErrorCode};
use super::json::Json;
use super::text;
use super::url::{self, Url};

/// Checks one entry of `resourceServers`: an origin, perhaps with a path below which everything belongs to it.
pub fn check_server(server: &str) -> Result<(), Error> {
    let url = url::check("resourceServers", server, false)?;
    match url.query {
        None => Ok(()),
        Some(_) => Err(wrong(
            "resourceServers",
            "must be an origin, perhaps with a path",
        )),
    }
}

/// How closely a checked resource server fits the URL (the length of its path), or `None` where no token may go.
/// The URL must be the browser's own serialisation of what it will fetch.
pub fn covers(server: &str, url: &str) -> Option<usize> {
    let (server, url) = (Url::split(server)?, Url::split(url)?);
    if url.origin != server.origin {
        return None;
    }
    let path = server.path.strip_suffix("/").unwrap_or(server.path);
    if path.is_empty() {
        return Some(0);
    }
    let below = url.path.strip_prefix(path)?;
    // A server may decode these before it resolves dots, or drop what follows a semicolon, and leave the path.
    let hidden = ["%2f", "%2F", "%5c", "%5C", "%25", "..;"];
    let inside = below.is_empty() || below.starts_with("/");
    let plain = !hidden.iter().any(|slash| text::contains(below, slash));
    (inside && plain).then_some(path.len())
}

/// A request that a page wants to make with a token.
pub struct PrivateRequest(Json);

impl PrivateRequest {
    /// Reads the browser's description: `url`, `method`, `mode`, `authorization`, `stream`, `idempotent`.
    pub fn read(description: &str) -> Result<Self, Error> {
        let request = Json::parse(description.as_bytes()).unwrap_or(Json::Null);
        let refuse = |rule| Err(ErrorCode::InvalidRequest.at(rule));
        if request.flag("authorization") {
            return refuse("Authorization: the header is the library's own to set");
        }
        if request.str("mode") == Some("no-cors") {
            return refuse("mode: a no-cors request carries no Authorization header");
        }
        Ok(Self(request))
    }

    pub fn url(&self) -> &str {
        self.0.str("url").unwrap_or("")
    }

    /// Whether it may be sent twice: a safe method (RFC 9110 section 9.2.1) or the caller's word for it,
    /// and no stream for a body.
    pub fn is_repeatable(&self) -> bool {
        let safe = matches!(self.0.str("method"), Some("GET" | "HEAD" | "OPTIONS"));
        (safe || self.0.flag("idempotent")) && !self.0.flag("stream")
    }
}

/// The `error` of a Bearer challenge (RFC 6750 section 3), if the header has one.
pub fn challenge_error(header: &str) -> Option<&str> {
    let mut rest = header;
    loop {
        let (before, after) = text::cut(rest, "error=")?;
        rest = after;
        if !before.is_empty() && !before.ends_with(" ") && !before.ends_with(",") {
            continue;
        }
        let (from, ends) = match after.strip_prefix("\"") {
            Some(quoted) => (quoted, &b"\""[..]),
            None => (after, &b", "[..]),
        };
        let end = from.bytes().position(|b| text::is_one_of(b, ends));
        let value = from.get(..end.unwrap_or(from.len()))?;
        return (!value.is_empty()).then_some(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(server: &str, allowed: &[&str], refused: &[&str]) {
        check_server(server).expect(server);
        for url in allowed {
            assert!(covers(server, url).is_some(), "{url} is below {server}");
        }
        for url in refused {
            assert_eq!(covers(server, url), None, "{url} is not below {server}");
        }
    }

    #[test]
    fn a_token_goes_to_the_declared_origin_only() {
        check(
            "https://api.example",
            &[
                "https://api.example/",
                "https://api.example/users/me?x=1",
                "https://api.example/a%2Fb",
            ],
            &[
                "https://evil.example/",
                "https://api.example.evil.example/",
                "https://api.example@evil.example/",
                "https://api.example:8443/",
                "http://api.example/",
                "https://sub.api.example/",
                "https://evilapi.example/",
                "https://user@api.example/",
                "blob:https://api.example/1",
                "data:,https://api.example/",
                "/users/me",
                "",
            ],
        );
    }

    #[test]
    fn a_token_goes_below_the_declared_path_only() {
        check(
            "https://api.example/v1/",
            &[
                "https://api.example/v1",
                "https://api.example/v1/",
                "https://api.example/v1/x",
                "https://api.example/v1?x",
            ],
            &[
                "https://api.example/",
                "https://api.example/v2/",
                "https://api.example/v10",
                "https://api.example/V1/",
                "https://api.example/v1%2f..%2fadmin",
                "https://api.example/v1/..%2fadmin",
                "https://api.example/v1/..%5Cadmin",
                "https://api.example/v1/..;/admin",
                "https://api.example/v1/%252e%252e/admin",
            ],
        );
    }

    #[test]
    fn what_is_no_origin_cannot_be_declared() {
        for text in [
            "api.example",
            "*",
            "https://*.example",
            "http://api.example",
            "https://api.example/?x",
            "https://api.example/#x",
            "https://API.example",
            "https://u@api.example",
            "",
        ] {
            assert!(check_server(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_request_is_sent_again_only_where_that_does_no_harm() {
        let check = |text: &str, want| {
            let request = PrivateRequest::read(text).expect("a request");
            assert_eq!(request.is_repeatable(), want, "{text}");
        };
        check(r#"{"url":"https://a.example/","method":"GET"}"#, true);
        check(r#"{"method":"HEAD"}"#, true);
        check(r#"{"method":"POST"}"#, false);
        check(r#"{"method":"POST","idempotent":true}"#, true);
        check(r#"{"method":"PUT","idempotent":true,"stream":true}"#, false);
        check(r#"{"method":"get"}"#, false);
    }

    #[test]
    fn a_request_with_an_authorization_header_of_its_own_is_refused() {
        for text in [r#"{"authorization":true}"#, r#"{"mode":"no-cors"}"#] {
            let error = PrivateRequest::read(text).err().expect(text);
            assert_eq!(error.code, ErrorCode::InvalidRequest);
        }
    }

    #[test]
    fn the_error_of_a_challenge_is_found() {
        for (header, want) in [
            ("Bearer", None),
            ("Bearer realm=\"x\"", None),
            ("Bearer error=\"invalid_token\"", Some("invalid_token")),
            (
                "Bearer realm=\"x\", error=\"insufficient_scope\", scope=\"a\"",
                Some("insufficient_scope"),
            ),
            (
                "Bearer error=invalid_token,realm=\"x\"",
                Some("invalid_token"),
            ),
            ("Bearer my_error=\"x\"", None),
            (
                "Basic realm=\"a\", Bearer error=\"invalid_token\"",
                Some("invalid_token"),
            ),
            ("", None),
            ("Bearer error=\"\"", None),
        ] {
            assert_eq!(challenge_error(header), want, "{header}");
        }
    }
}
