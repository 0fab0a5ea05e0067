//! Resource servers: where a token may go (RFC 9700 section 4.9.1), and what their refusals mean (RFC 6750).

use alloc::string::String;
use alloc::vec::Vec;

use super::error::{Error, ErrorCode, no_such_field, wrong};
use super::json::Json;
use super::record::stored;
use super::url::{self, Url};
use super::{Seconds, scope, text};

/// Checks one entry of `resourceServers`: an origin, perhaps with a path below which everything belongs to it.
pub fn check_server(server: &str) -> Result<(), Error> {
    let url = url::check_serialised("resourceServers", server, false)?;
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
    Some(Url::split(url)?.path.len() - below(server, url)?.len())
}

/// The URL's path from where the resource server's own ends; `None` where no token may go.
pub fn below<'a>(server: &str, url: &'a str) -> Option<&'a str> {
    let (server, url) = (Url::split(server)?, Url::split(url)?);
    if url.origin != server.origin {
        return None;
    }
    let path = server.path.strip_suffix("/").unwrap_or(server.path);
    if path.is_empty() {
        return Some(url.path);
    }
    let below = url.path.strip_prefix(path)?;
    // A server may decode these before it resolves dots, or drop what follows a semicolon, and leave the path.
    let hidden = ["%2f", "%2F", "%5c", "%5C", "%25", "..;"];
    let inside = below.is_empty() || below.starts_with("/");
    let plain = !hidden.iter().any(|slash| text::contains(below, slash));
    (inside && plain).then_some(below)
}

/// What the provider's route table says of a call.
#[derive(Debug, PartialEq)]
pub struct Need<'a> {
    scope: &'a str,
    /// The route's path, as the table has it.
    pub path: &'a str,
}

impl Need<'_> {
    /// All of these are needed; perhaps none.
    pub fn scope(&self) -> Vec<String> {
        scope::split(self.scope)
    }
}

stored! {
    /// A row of the provider's route table.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct Route {
        /// Below the resource server; `{name}` is one segment, a final `/*` everything below.
        pub path: String,
        /// The kind of scope that a token must have for the row to count.
        pub holding: Option<String>,
        /// The scope that a safe method needs; `None` where nobody said.
        pub read: Option<String>,
        /// The same for the other methods.
        pub write: Option<String>,
    }
}

/// Looks a call up: the first row whose path fits is asked for `read` or `write`, by the method. A row with `holding`
/// counts only where one of the `held` scopes is of that kind.
pub fn need<'a>(
    routes: &'a [Route],
    method: &str,
    path: &str,
    held: &[String],
) -> Option<Need<'a>> {
    let row = routes.iter().find(|row| {
        let of_kind = |kind: &String| held.iter().any(|scope| scope::is_of(scope, kind));
        fits(&row.path, path) && row.holding.as_ref().is_none_or(of_kind)
    })?;
    let scope = match is_safe(method) {
        true => row.read.as_deref(),
        false => row.write.as_deref(),
    };
    Some(Need {
        scope: scope?,
        path: &row.path,
    })
}

/// A call that somebody asks about before it is made.
pub struct Call {
    pub method: String,
    pub url: String,
}

impl Call {
    /// Reads a list of calls, `{method, url}` objects, as the boundary gives it.
    pub fn list(text: &str) -> Result<Vec<Call>, Error> {
        let Some(Json::Array(items)) = Json::parse(text.as_bytes()) else {
            return Err(wrong("calls", NO_CALLS));
        };
        let mut calls = Vec::new();
        for item in items {
            calls.push(Call::read(item)?);
        }
        Ok(calls)
    }

    fn read(item: Json) -> Result<Call, Error> {
        let Json::Object(members) = item else {
            return Err(wrong("calls", NO_CALLS));
        };
        let mut call = Call {
            method: String::from("GET"),
            url: String::new(),
        };
        for (name, value) in members {
            let place = match name.as_str() {
                "method" => &mut call.method,
                "url" => &mut call.url,
                _ => return Err(no_such_field("calls.", &name, &["method", "url"])),
            };
            match value {
                Json::String(text) => *place = text,
                Json::Null => {}
                _ => return Err(wrong("calls", NO_CALLS)),
            }
        }
        Ok(call)
    }
}

const NO_CALLS: &str = "must be a list of addresses and requests";

/// `{name}` is one segment; a final `/*` is everything below, and the path itself.
fn fits(pattern: &str, path: &str) -> bool {
    let (fixed, open) = match pattern.strip_suffix("/*") {
        Some(fixed) => (fixed, true),
        None => (pattern, false),
    };
    let (want, have) = (text::parts(fixed, "/"), text::parts(path, "/"));
    let long_enough = if open {
        have.len() >= want.len()
    } else {
        have.len() == want.len()
    };
    let mut pairs = want.iter().zip(&have);
    long_enough && pairs.all(|(want, have)| want.starts_with("{") || want == have)
}

/// Checks the name of a header (RFC 9110 section 5.1); the token's own is none of the configuration's.
pub fn check_header_name(field: &str, name: &str) -> Result<(), Error> {
    let separators = b"\"(),/:;<=>?@[\\]{}";
    let good = !name.is_empty()
        && text::is_graphic(name, separators)
        && !name.eq_ignore_ascii_case("authorization");
    match good {
        true => Ok(()),
        false => Err(wrong(
            field,
            "must be the name of a header, and not Authorization",
        )),
    }
}

/// A safe method (RFC 9110 section 9.2.1).
fn is_safe(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS")
}

/// The caller's options of a request that are ours and not `fetch`'s; `entry.js` says the same.
pub const OPTIONS: &str = "idempotent scope maxWait";

/// Seconds of the longest wait: timers know no more than 24 days.
const MAX_PATIENCE: Seconds = 2_000_000;

/// A request that a page wants to make with a token.
pub struct PrivateRequest {
    method: String,
    url: String,
    /// Whether its body is a stream.
    stream: bool,
    /// The scope that this call is narrowed to.
    pub scope: Option<Vec<String>>,
    /// The caller's word that sending it twice does no harm.
    idempotent: bool,
    /// Milliseconds that may still be waited.
    patience: u32,
    /// The next pause, where the server does not say.
    pause: Seconds,
}

impl PrivateRequest {
    /// Reads the browser's description, a line each: a for a header Authorization, n for the mode no-cors, s for a stream;
    /// the method; the URL; the [`OPTIONS`], as JSON text if there are any. No line but the last can hold a line break.
    pub fn read(description: &str) -> Result<Self, Error> {
        let mut rest = description;
        let mut line = || {
            let (line, after) = text::cut(rest, "\n").unwrap_or((rest, ""));
            rest = after;
            line
        };
        let (flags, method, url) = (line(), line(), line());
        let options = Json::parse(rest.as_bytes()).unwrap_or(Json::Null);
        let refuse = |rule| Err(ErrorCode::InvalidRequest.at(rule));
        if text::contains(flags, "a") {
            return refuse("Authorization: the header is the library's own to set");
        }
        if text::contains(flags, "n") {
            return refuse("mode: a no-cors request carries no Authorization header");
        }
        let patience = match options.get("maxWait") {
            None => 0,
            Some(seconds) => match seconds.as_u32() {
                Some(seconds) => seconds.min(MAX_PATIENCE) * 1000,
                None => return refuse("maxWait: must be a whole number of seconds"),
            },
        };
        let scope = options.get("scope").map(scope::read).transpose();
        if matches!(&scope, Ok(Some(scope)) if scope.is_empty()) {
            return refuse("scope: a call cannot be narrowed to nothing");
        }
        Ok(Self {
            method: String::from(method),
            url: String::from(url),
            stream: text::contains(flags, "s"),
            scope: scope.map_err(|error| error.becomes(ErrorCode::InvalidRequest))?,
            idempotent: matches!(options.get("idempotent"), Some(Json::Bool(true))),
            patience,
            pause: 1,
        })
    }

    pub fn url(&self) -> &str {
        &self.url
    }

    pub fn method(&self) -> &str {
        &self.method
    }

    /// Whether it may be sent twice: a safe method or the caller's word for it, and no stream for a body.
    pub fn is_repeatable(&self) -> bool {
        (is_safe(self.method()) || self.idempotent) && !self.stream
    }

    /// Whether its body is a stream, which can be sent once.
    pub fn is_stream(&self) -> bool {
        self.stream
    }

    /// Whether it may be sent more often than twice: the caller has allowed to wait, and nothing is written.
    pub fn is_patient(&self) -> bool {
        self.patience > 0 && is_safe(self.method())
    }

    /// Milliseconds to wait before a request that was refused with this status is sent again, or `None`: the refusal
    /// is the caller's to see. As long as the server says (`Retry-After`, in seconds); else 1, 2, 4.. seconds. Up to a
    /// quarter is added by `jitter`, so that many who wait do not come back at once; the whole stays within `maxWait`.
    pub fn pause(&mut self, status: u16, said: Option<Seconds>, jitter: u8) -> Option<u32> {
        if !is_rate_limit(status) || !self.is_patient() {
            return None;
        }
        let seconds = said.unwrap_or(self.pause);
        let wait = seconds.checked_mul(1000)?;
        // Even nothing costs a second, or a server that always says 0 would be asked for ever.
        self.patience = self.patience.checked_sub(wait.max(1000))?;
        self.pause = self.pause.saturating_mul(2);
        let more = wait.max(1000) / 256 * u32::from(jitter) / 4;
        let more = more.min(self.patience);
        self.patience -= more;
        Some(wait + more)
    }
}

/// Too Many Requests (RFC 6585 section 4), and the older code for the same.
pub fn is_rate_limit(status: u16) -> bool {
    matches!(status, 429 | 420)
}

/// A parameter of the challenges in `WWW-Authenticate` (RFC 9110 section 11.6.1); of several the first.
pub fn challenge(header: &str, name: &str) -> Option<String> {
    let mut rest = header.as_bytes();
    loop {
        while let [b' ' | b'\t' | b',' | b'=', after @ ..] = rest {
            rest = after;
        }
        let end = rest.iter().position(|b| text::is_one_of(*b, b" \t,=\""));
        let (word, after) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        let after = match after {
            [b'=', after @ ..] => after,
            [b'"', ..] | [] => return None,
            _ => {
                rest = after;
                continue;
            }
        };
        let mut value = Vec::new();
        rest = match after {
            [b'"', quoted @ ..] => {
                let mut quoted = quoted.iter();
                while let Some(byte) = quoted.next() {
                    match byte {
                        b'"' => break,
                        b'\\' => value.extend(quoted.next()),
                        byte => value.push(*byte),
                    }
                }
                quoted.as_slice()
            }
            _ => {
                let end = after.iter().position(|b| text::is_one_of(*b, b" \t,"));
                let (plain, rest) = after.split_at_checked(end.unwrap_or(after.len()))?;
                value.extend_from_slice(plain);
                rest
            }
        };
        if word.eq_ignore_ascii_case(name.as_bytes()) {
            let value = String::from_utf8(value).ok()?;
            return Some(value).filter(|value| !value.is_empty());
        }
    }
}

/// What is wrong with a URL that none of these resource servers covers: hosts only, for a path or a query may say more
/// than an error should.
pub fn undeclared<'a>(url: &str, servers: impl Iterator<Item = &'a String>) -> Error {
    let origin = Url::split(url).map_or("", |url| url.origin);
    let mut declared: Vec<&str> = Vec::new();
    for server in servers {
        let server = Url::split(server).map_or("", |server| server.origin);
        if !declared.contains(&server) && declared.len() < 16 {
            declared.push(server);
        }
    }
    let detail = if origin.is_empty() {
        String::from("this URL has no host")
    } else if declared.is_empty() {
        text::concat(&[origin, ", and resourceServers is empty"])
    } else if declared.contains(&origin) {
        text::concat(&[origin, " is declared with another path only"])
    } else {
        let mut list = String::from(origin);
        list.push_str(" is none of ");
        for (i, server) in declared.iter().enumerate() {
            list.push_str(if i > 0 { ", " } else { "" });
            list.push_str(server);
        }
        list
    };
    ErrorCode::UndeclaredResourceServer.at(&detail)
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
        check("\nGET\nhttps://a.example/", true);
        check("\nHEAD\n\n{}", true);
        check("\nPOST", false);
        check("\nPOST\n\n{\"idempotent\":true}", true);
        check("s\nPUT\n\n{\"idempotent\":true}", false);
        check("\nget", false);
    }

    #[test]
    fn a_request_with_an_authorization_header_of_its_own_is_refused() {
        for text in ["a\nGET", "n\nGET", "san"] {
            let error = PrivateRequest::read(text).err().expect(text);
            assert_eq!(error.code, ErrorCode::InvalidRequest);
        }
    }

    #[test]
    fn a_challenge_is_read_by_its_parameters() {
        for (header, name, want) in [
            (
                "Bearer error=\"invalid_token\"",
                "error",
                Some("invalid_token"),
            ),
            (
                "Bearer realm=\"x, error=\\\"no\\\"\", error=invalid_token",
                "error",
                Some("invalid_token"),
            ),
            ("Bearer realm=\"x\",error=\"a\\\\b\"", "error", Some("a\\b")),
            (
                "Basic realm=\"y\", Bearer ERROR=\"insufficient_scope\", scope=\"a b\"",
                "scope",
                Some("a b"),
            ),
            ("Bearer", "error", None),
            ("Bearer error_description=\"error=x\"", "error", None),
            ("", "error", None),
            ("Bearer error=\"\"", "error", None),
            ("Bearer error=", "error", None),
            ("Bearer \"error=x\"", "error", None),
            ("Bearer error=\"unfinished", "error", Some("unfinished")),
            ("Bearer error=\"a\\", "error", Some("a")),
            // RFC 9470 section 3
            (
                "Bearer error=\"insufficient_user_authentication\", error_description=\"A different authentication level is required\", acr_values=\"myACR\", max_age=\"5\"",
                "acr_values",
                Some("myACR"),
            ),
            ("===,,,\t = =", "error", None),
        ] {
            assert_eq!(challenge(header, name).as_deref(), want, "{header}");
        }
    }

    #[test]
    fn the_first_route_that_fits_says_what_a_call_needs() {
        let route = |path: &str, read: Option<&str>, write: Option<&str>| Route {
            path: path.into(),
            holding: None,
            read: read.map(String::from),
            write: write.map(String::from),
        };
        let routes = [
            route("/", Some(""), None),
            route("/products/mine", Some("mine"), None),
            route("/products/{id}", Some("one"), Some("change")),
            route("/data/*", Some(""), None),
            route("/a/{x}/b/*", Some("two three"), None),
        ];
        let scope = |method, path| {
            need(&routes, method, path, &[]).map(|need| scope::join(&need.scope(), ","))
        };
        for (method, path, want) in [
            ("GET", "/", Some("")),
            ("GET", "", Some("")),
            ("GET", "/products/mine", Some("mine")),
            ("HEAD", "/products/mine/", Some("mine")),
            ("PUT", "/products/mine", None),
            ("OPTIONS", "/products/7", Some("one")),
            ("PUT", "/products/7", Some("change")),
            ("DELETE", "/products/7", Some("change")),
            ("GET", "/products/7/x", None),
            ("GET", "/products", None),
            ("GET", "/data", Some("")),
            ("GET", "/data/x/y", Some("")),
            ("GET", "/database", None),
            ("GET", "/a/1/b", Some("two,three")),
            ("GET", "/a/1/b/c", Some("two,three")),
            ("GET", "/a/1/c", None),
        ] {
            assert_eq!(scope(method, path).as_deref(), want, "{method} {path}");
        }
        assert_eq!(need(&[], "GET", "/", &[]), None);
    }

    #[test]
    fn a_route_for_tokens_of_a_kind_says_nothing_of_other_tokens() {
        let routes = [
            Route {
                path: "/orders/*".into(),
                holding: Some("urn:ml:*".into()),
                read: Some("urn:ml:orders".into()),
                write: None,
            },
            Route {
                path: "/*".into(),
                read: Some("read".into()),
                ..Route::default()
            },
        ];
        let scope = |held| {
            let held = scope::split(held);
            need(&routes, "GET", "/orders/1", &held).map(|need| scope::join(&need.scope(), ","))
        };
        for (held, want) in [
            ("", "read"),
            ("read write", "read"),
            ("urn:global:admin", "read"),
            ("read urn:ml:ads", "urn:ml:orders"),
        ] {
            assert_eq!(scope(held).as_deref(), Some(want), "{held}");
        }
    }

    fn request(method: &str, options: &str) -> Result<PrivateRequest, Error> {
        PrivateRequest::read(&std::format!("\n{method}\nhttps://api.example/\n{options}"))
    }

    #[test]
    fn a_rate_limit_is_waited_for_within_the_callers_patience() {
        let mut patient = request("GET", r#"{"maxWait":10}"#).expect("a request");
        assert_eq!(patient.pause(429, Some(4), 0), Some(4000));
        assert_eq!(
            patient.pause(420, None, 0),
            Some(2000),
            "the second pause that nobody names"
        );
        assert_eq!(patient.pause(429, Some(5), 0), None, "4 seconds are left");
        assert_eq!(
            patient.pause(429, Some(4), 255),
            Some(4000),
            "no room for more"
        );
        assert_eq!(
            patient.pause(429, Some(0), 0),
            None,
            "even nothing costs a second"
        );
        let mut patient = request("GET", r#"{"maxWait":100}"#).expect("a request");
        assert_eq!(patient.pause(503, Some(1), 0), None);
        assert_eq!(patient.pause(429, None, 0), Some(1000));
        assert_eq!(patient.pause(429, None, 255), Some(2000 + 446));
        assert_eq!(
            patient.pause(429, Some(97), 0),
            None,
            "what chance has added counts as well"
        );
        assert_eq!(patient.pause(429, Some(u32::MAX), 255), None);
        let mut greedy = request("GET", r#"{"maxWait":4294967295}"#).expect("a request");
        assert_eq!(greedy.pause(429, Some(u32::MAX), 255), None);
    }

    #[test]
    fn only_what_writes_nothing_is_waited_for() {
        for (method, options) in [
            ("POST", r#"{"maxWait":10}"#),
            ("PUT", r#"{"maxWait":10,"idempotent":true}"#),
            ("GET", ""),
            ("GET", r#"{"maxWait":0}"#),
        ] {
            let mut request = request(method, options).expect("a request");
            assert!(!request.is_patient());
            assert_eq!(request.pause(429, Some(1), 0), None, "{method} {options}");
        }
        for members in [
            r#""maxWait":"Infinity""#,
            r#""scope":[]"#,
            r#""maxWait":"x""#,
            r#""maxWait":-1"#,
            r#""scope":5"#,
            r#""scope":["a b"]"#,
        ] {
            let options = std::format!("{{{members}}}");
            let error = request("GET", &options).map(drop).expect_err(members);
            assert_eq!(error.code, ErrorCode::InvalidRequest);
        }
    }
}
