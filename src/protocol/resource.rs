//! Resource servers: where a token may go (RFC 9700 section 4.9.1), and what their refusals mean (RFC 6750).

use alloc::string::String;

use super::error::Error;
use super::url::{self, Url};

/// A declared resource server: an origin and a path below which everything belongs to it.
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceServer {
    origin: String,
    /// Without a slash at the end; empty for the whole origin.
    path: String,
}

impl ResourceServer {
    /// Reads one entry of `resourceServers`.
    pub fn read(text: &str) -> Result<Self, Error> {
        let url = url::check("resourceServers", text, false)?;
        if url.query.is_some() {
            return Err(super::error::ErrorCode::InvalidConfig
                .at("resourceServers: must be an origin, perhaps with a path"));
        }
        Ok(Self {
            origin: String::from(url.origin),
            path: String::from(url.path.trim_end_matches('/')),
        })
    }

    /// The entry as it is written in a configuration.
    pub fn text(&self) -> String {
        let mut text = self.origin.clone();
        text.push_str(&self.path);
        text
    }

    /// How closely this server fits the URL (the length of its path), or `None` where no token may go.
    /// The URL must be the browser's own serialisation of what it will fetch.
    pub fn covers(&self, url: &str) -> Option<usize> {
        let url = Url::split(url)?;
        if url.origin != self.origin {
            return None;
        }
        if self.path.is_empty() {
            return Some(0);
        }
        let below = url.path.strip_prefix(self.path.as_str())?;
        // A server may decode %2f before it resolves dots, and leave the declared path.
        let hidden = ["%2f", "%2F", "%5c", "%5C"];
        let inside = below.is_empty() || below.starts_with('/');
        (inside && !hidden.iter().any(|slash| below.contains(slash))).then_some(self.path.len())
    }
}

/// The `error` of a Bearer challenge (RFC 6750 section 3), if the header has one.
pub fn challenge_error(header: &str) -> Option<&str> {
    let mut rest = header;
    loop {
        let (before, after) = rest.split_once("error=")?;
        if !before.is_empty() && !before.ends_with([' ', ',', '\t']) {
            rest = after;
            continue;
        }
        let value = match after.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next(),
            None => after.split([',', ' ', '\t']).next(),
        };
        return value.filter(|value| !value.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(server: &str, allowed: &[&str], refused: &[&str]) {
        let server = ResourceServer::read(server).expect(server);
        for url in allowed {
            assert!(server.covers(url).is_some(), "{url} is below {server:?}");
        }
        for url in refused {
            assert_eq!(server.covers(url), None, "{url} is not below {server:?}");
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
            ],
        );
    }

    #[test]
    fn what_is_no_origin_cannot_be_declared() {
        for text in [
            "api.example",
            "*",
            "https://*",
            "http://api.example",
            "https://api.example/?x",
            "https://api.example/#x",
            "https://API.example",
            "https://u@api.example",
            "",
        ] {
            if text == "https://*" {
                // Parsed by no browser as a host that exists; it can only ever equal itself.
                assert_eq!(
                    ResourceServer::read(text)
                        .expect("harmless")
                        .covers("https://api.example/"),
                    None
                );
            } else {
                assert!(ResourceServer::read(text).is_err(), "{text}");
            }
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
