//! URLs as a browser serialises them (WHATWG URL, RFC 3986), taken apart without being interpreted.
//!
//! What a page asks for is parsed by the browser first, so tabs, backslashes, dots and letter case are gone
//! by the time it comes here; what a configuration says must already be in that form, or it would never match.

use super::error::{Error, wrong};
use super::text;

/// An `http:` or `https:` URL in its parts. `path` starts with a slash or is empty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Url<'a> {
    /// `https://host:port`, without a slash.
    pub origin: &'a str,
    pub path: &'a str,
    pub query: Option<&'a str>,
    pub fragment: Option<&'a str>,
}

impl<'a> Url<'a> {
    /// Takes a serialised URL apart; `None` for other schemes, for user information and for an empty host.
    pub fn split(text: &'a str) -> Option<Url<'a>> {
        let after_scheme = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"))?;
        let host_length = after_scheme
            .bytes()
            .position(|b| text::is_one_of(b, b"/?#"))
            .unwrap_or(after_scheme.len());
        let authority = after_scheme.get(..host_length)?;
        if authority.is_empty() || text::contains(authority, "@") {
            return None;
        }
        let origin = text.get(..text.len() - after_scheme.len() + host_length)?;
        let (base, fragment, query) = cut(after_scheme.get(host_length..)?);
        Some(Url {
            origin,
            path: base,
            query,
            fragment,
        })
    }

    /// Whether a secret may travel here: https, or this very machine (RFC 6749 section 10.9, RFC 8252 section 8.3).
    pub fn is_secure(&self) -> bool {
        self.origin.starts_with("https://") || self.is_loopback()
    }

    /// The host, without its port.
    pub fn host(&self) -> &'a str {
        let authority = text::cut(self.origin, "://").map_or("", |(_, authority)| authority);
        match text::cut(authority, "]") {
            Some((address, _)) => authority.get(..=address.len()).unwrap_or(""),
            None => text::cut(authority, ":").map_or(authority, |(host, _)| host),
        }
    }

    fn is_loopback(&self) -> bool {
        let host = self.host();
        if host == "[::1]" {
            return true;
        }
        host == "localhost"
            || host.ends_with(".localhost")
            || (host.starts_with("127.")
                && text::parts(host, ".").len() == 4
                && host.bytes().all(|b| b == b'.' || b.is_ascii_digit()))
    }
}

/// Cuts the fragment and the query off: (what stands before, fragment, query).
pub fn cut(url: &str) -> (&str, Option<&str>, Option<&str>) {
    let (rest, fragment) = match text::cut(url, "#") {
        Some((rest, fragment)) => (rest, Some(fragment)),
        None => (url, None),
    };
    match text::cut(rest, "?") {
        Some((base, query)) => (base, fragment, Some(query)),
        None => (rest, fragment, None),
    }
}

/// Whether the server is surely of the page's own site: the same host, or one of both below the other. Two hosts beside
/// each other may have many owners (`a.co.uk`, `a.github.io`), and which they are no page can know.
pub fn is_same_site(page: &str, server: &str) -> bool {
    let host = |url| Url::split(url).map_or("", |url| url.host());
    let (page, server) = (host(page), host(server));
    let below = |long: &str, short: &str| {
        let rest = long.strip_suffix(short);
        !short.is_empty() && rest.is_some_and(|rest| rest.is_empty() || rest.ends_with("."))
    };
    below(page, server) || below(server, page)
}

/// Checks a URL of the configuration: secure, without a fragment, and written as a browser would write it.
/// `field` is named in the error.
pub fn check<'a>(field: &str, text: &'a str, allow_http: bool) -> Result<Url<'a>, Error> {
    let wrong = |rule| Err(wrong(field, rule));
    if !text::is_graphic(text, b"\"<>\\^`{|}") {
        return wrong("must be a URL in plain ASCII");
    }
    let Some(url) = Url::split(text) else {
        return wrong("must be an https URL without a user name");
    };
    if !url.is_secure() && !allow_http {
        return wrong(match field {
            "redirectUri" => {
                "must be https, or http on localhost; allowHttp: true allows http elsewhere, for development"
            }
            _ => "must be https",
        });
    }
    if url.fragment.is_some() {
        return wrong("must have no fragment");
    }
    let in_host =
        |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || text::is_one_of(b, b"-_.:/[]");
    if !url.origin.bytes().all(in_host) {
        return wrong("must have a plain host in lower case");
    }
    if url.origin.ends_with(":") || url.origin.ends_with(".") {
        return wrong("must have no empty port and no dot behind the host");
    }
    if text::parts(url.path, "/").into_iter().any(is_dot_segment) {
        return wrong("must have no dot segments");
    }
    Ok(url)
}

/// Checks a URL that is compared with what a browser serialises, which leaves the default port out.
pub fn check_serialised<'a>(
    field: &str,
    text: &'a str,
    allow_http: bool,
) -> Result<Url<'a>, Error> {
    let url = check(field, text, allow_http)?;
    let is = |scheme, port| url.origin.starts_with(scheme) && url.origin.ends_with(port);
    match is("https://", ":443") || is("http://", ":80") {
        true => Err(wrong(field, "must leave out the default port")),
        false => Ok(url),
    }
}

/// Checks a URI to which the user comes back (RFC 6749 section 3.1.2; RFC 8252 section 7.1 for the private-use schemes of
/// apps).
pub fn check_redirect_uri(field: &str, uri: &str, allow_http: bool) -> Result<(), Error> {
    if uri.starts_with("http:") || uri.starts_with("https:") {
        return check_serialised(field, uri, allow_http).map(drop);
    }
    let (scheme, rest) = text::cut(uri, ":").unwrap_or(("", ""));
    // Schemes that run or show what stands behind them.
    let script = ["javascript", "data", "blob", "file", "about", "vbscript"];
    let lower = !scheme.bytes().any(|b| b.is_ascii_uppercase());
    let named = is_scheme(scheme) && lower && !script.contains(&scheme);
    if named && text::is_graphic(rest, b"\\#") && rest.starts_with("/") {
        Ok(())
    } else {
        Err(wrong(
            field,
            "must be an https URL, or one of the app's own scheme",
        ))
    }
}

/// Whether it is an absolute URI without a fragment (RFC 3986 section 4.3), whatever its scheme.
pub fn is_uri(uri: &str) -> bool {
    let scheme = text::cut(uri, ":").map_or("", |(scheme, _)| scheme);
    is_scheme(scheme) && uri.len() > scheme.len() + 1 && text::is_graphic(uri, b"#")
}

/// `ALPHA *( ALPHA / DIGIT / "+" / "-" / "." )` (RFC 3986 section 3.1).
fn is_scheme(scheme: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || text::is_one_of(b, b"+-.");
    let first = scheme.bytes().next();
    first.is_some_and(|b| b.is_ascii_alphabetic()) && scheme.bytes().all(is_plain)
}

/// `.` or `..`, also percent-encoded, as browsers understand them.
pub fn is_dot_segment(segment: &str) -> bool {
    let plain = text::replace(&text::replace(segment, "%2e", "."), "%2E", ".");
    plain == "." || plain == ".."
}

/// Where to go after the login: a path of our own origin (RFC 9700 section 4.11.1), never another site.
pub fn check_return_to(text: &str, origin: &str) -> Result<(), Error> {
    let path = match text.strip_prefix(origin) {
        Some(rest) if !origin.is_empty() => rest,
        _ => text,
    };
    let plain = !text.bytes().any(|b| b <= b' ' || b == b'\\' || b == 0x7f);
    if plain && path.starts_with("/") && !path.starts_with("//") {
        Ok(())
    } else {
        Err(wrong("returnTo", "must be a path of this origin"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::error::ErrorCode;
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let url = Url::split("https://api.example:8443/v1/a?b=c#d").expect("a URL");
        assert_eq!(url.origin, "https://api.example:8443");
        assert_eq!(url.path, "/v1/a");
        assert_eq!((url.query, url.fragment), (Some("b=c"), Some("d")));
        let bare = Url::split("https://api.example?x").expect("a URL");
        assert_eq!((bare.path, bare.query), ("", Some("x")));
    }

    #[test]
    fn what_is_not_plain_http_is_no_url_for_us() {
        for text in [
            "ftp://a/",
            "https://",
            "https:///x",
            "https://u@h/",
            "https://u:p@h/",
            "//h/",
            "/x",
            "blob:https://h/1",
            "data:,x",
            "HTTPS://h/",
            "https:/h",
        ] {
            assert_eq!(Url::split(text), None, "{text}");
        }
    }

    #[test]
    fn only_https_and_this_machine_are_secure() {
        let secure = |text| Url::split(text).expect(text).is_secure();
        for text in [
            "https://api.example",
            "http://localhost:8080/",
            "http://127.0.0.1",
            "http://127.9.9.9:1/x",
            "http://[::1]:3/",
            "http://a.localhost/",
        ] {
            assert!(secure(text), "{text}");
        }
        for text in [
            "http://api.example/",
            "http://127.0.0.1.evil.example/",
            "http://localhost.evil.example/",
            "http://127.evil.example/",
            "http://127.a.b.example/",
            "http://10.0.0.1/",
            "http://128.0.0.1/",
            "http://notlocalhost/",
            "http://[::2]/",
        ] {
            assert!(!secure(text), "{text}");
        }
    }

    #[test]
    fn a_configured_url_must_be_written_as_a_browser_writes_it() {
        assert!(check("f", "https://as.example/authorize?x=1", false).is_ok());
        assert!(check("f", "http://lan.example/", true).is_ok());
        assert!(check("f", "http://localhost:443/", false).is_ok());
        assert!(check("f", "https://as.example:80/", false).is_ok());
        for text in [
            "https://AS.example/",
            "https://as.example:/",
            "https://as.example./",
            "http://as.example/",
            "https://as.example/a#b",
            "https://as.example/a b",
            "https://as.example/../x",
            "https://as.example/%2E%2e/x",
            "https://as.example\\x",
            "https://ás.example/",
            "javascript:alert(1)",
            "as.example",
            "",
        ] {
            let error = check("tokenEndpoint", text, false).expect_err(text);
            assert_eq!(error.code, ErrorCode::InvalidConfig);
            assert!(error.detail.starts_with("tokenEndpoint: must "), "{error}");
        }
    }

    #[test]
    fn a_server_is_of_the_pages_site_only_where_that_is_sure() {
        for (origin, server) in [
            ("https://example.com", "https://example.com"),
            ("https://example.com", "https://login.example.com"),
            ("https://app.example.com", "https://example.com"),
            ("https://example.com:8443", "https://login.example.com"),
            ("http://127.0.0.1:1", "http://127.0.0.1:2"),
        ] {
            assert!(is_same_site(origin, server), "{origin} {server}");
        }
        for (origin, server) in [
            ("https://a.github.io", "https://b.github.io"),
            ("https://a.herokuapp.com", "https://b.herokuapp.com"),
            ("https://a.co.uk", "https://b.co.uk"),
            ("https://a.com.ar", "https://b.com.ar"),
            ("https://a.com", "https://b.com"),
            ("https://example.com", "https://notexample.com"),
            ("https://app.example.com", "https://login.example.com"),
            ("https://app.example.com", "https://login.another.com"),
            ("http://localhost:1", "http://127.0.0.1:2"),
            ("", "https://a.com"),
            ("capacitor://localhost", "https://a.com"),
        ] {
            assert!(!is_same_site(origin, server), "{origin} {server}");
        }
    }

    #[test]
    fn redirect_uris_are_https_loopback_or_an_apps_own_scheme() {
        for uri in [
            "https://app.example",
            "https://app.example/cb?x=1",
            "http://127.0.0.1:8080/cb",
            "com.example.app:/callback",
            "capacitor://localhost/cb",
        ] {
            assert!(check_redirect_uri("f", uri, false).is_ok(), "{uri}");
        }
        assert!(check_redirect_uri("f", "http://192.168.0.7/cb", true).is_ok());
        for uri in [
            "http://app.example/cb",
            "https://app.example/cb#x",
            "javascript:alert(1)",
            "javascript:/alert(1)",
            "data:/text",
            "JavaScript:/x",
            "app",
            ":/x",
            "/cb",
            "com.example.app:callback#x",
            "https:/app.example",
        ] {
            assert!(check_redirect_uri("f", uri, false).is_err(), "{uri}");
        }
    }

    #[test]
    fn what_is_compared_with_a_browsers_serialisation_leaves_out_the_default_port() {
        for text in ["https://as.example:443/", "http://localhost:80/"] {
            assert!(check("f", text, false).is_ok(), "{text}");
            assert!(check_serialised("f", text, false).is_err(), "{text}");
            assert!(check_redirect_uri("f", text, false).is_err(), "{text}");
        }
        for text in [
            "https://as.example:80/",
            "http://localhost:443/",
            "https://as.example:4443",
        ] {
            assert!(check_serialised("f", text, false).is_ok(), "{text}");
        }
    }

    #[test]
    fn return_to_stays_on_this_origin() {
        let origin = "https://app.example";
        for text in [
            "/",
            "/cart?x=1#y",
            "https://app.example/cart",
            "/é",
            "/a//b",
            "/x?u=https://evil.example",
        ] {
            assert!(check_return_to(text, origin).is_ok(), "{text}");
        }
        for text in [
            "",
            "cart",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://app.example.evil.example/",
            "https://app.example@evil.example/",
            "https://app.example//evil.example",
            "https://evil.example/",
            "javascript:alert(1)",
            "data:text/html,x",
            "/\t/evil.example",
            "/\n/evil.example",
            "\t//evil.example",
            " //evil.example",
        ] {
            assert!(check_return_to(text, origin).is_err(), "{text:?}");
        }
        assert!(check_return_to("//x", "").is_err());
    }
}
