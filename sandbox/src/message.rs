//! Plain requests and answers: what every route reads and what it gives back.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use serde_json::Value;

pub type Answer = http::Response<Vec<u8>>;

/// A request taken apart. `host` has its port; `path` has no trailing slash, except the root.
pub struct Request {
    pub method: Method,
    pub scheme: &'static str,
    pub host: String,
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Request {
    pub fn new(request: http::Request<Vec<u8>>) -> Request {
        let (parts, body) = request.into_parts();
        let host = parts
            .headers
            .get(header::HOST)
            .and_then(|value| value.to_str().ok())
            .or_else(|| parts.uri.authority().map(|authority| authority.as_str()))
            .unwrap_or("localhost")
            .to_ascii_lowercase();
        let forwarded = parts
            .headers
            .get("x-forwarded-proto")
            .is_some_and(|value| value == "https");
        let https = forwarded || parts.uri.scheme_str() == Some("https");
        let path = parts.uri.path().trim_end_matches('/');
        Request {
            method: parts.method,
            scheme: if https { "https" } else { "http" },
            host,
            path: if path.is_empty() {
                "/".into()
            } else {
                path.into()
            },
            query: parts.uri.query().unwrap_or_default().into(),
            headers: parts.headers,
            body,
        }
    }

    /// `http://host:port` as the caller sees this server.
    pub fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.host)
    }

    pub fn host_name(&self) -> &str {
        self.host
            .rsplit_once(':')
            .map_or(&self.host, |(name, _)| name)
    }

    pub fn port(&self) -> &str {
        self.host.rsplit_once(':').map_or("", |(_, port)| port)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn query(&self) -> Parameters {
        Parameters::parse(self.query.as_bytes())
    }

    /// The body as a form, when its content type says it is one.
    pub fn form(&self) -> Option<Parameters> {
        let media_type = self
            .header("content-type")
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default();
        media_type
            .trim()
            .eq_ignore_ascii_case("application/x-www-form-urlencoded")
            .then(|| Parameters::parse(&self.body))
    }

    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The credentials of `Authorization: <scheme> <credentials>`, the scheme compared without case (RFC 9110 11.1).
    pub fn credentials(&self, scheme: &str) -> Option<&str> {
        let (given, credentials) = self.header("authorization")?.split_once(' ')?;
        given
            .eq_ignore_ascii_case(scheme)
            .then(|| credentials.trim())
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|line| line.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find_map(|(key, value)| (key == name).then_some(value))
    }
}

/// Decoded `application/x-www-form-urlencoded` pairs, in order, duplicates kept.
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub fn parse(encoded: &[u8]) -> Parameters {
        Parameters(form_urlencoded::parse(encoded).into_owned().collect())
    }

    /// The first value under this name. An empty value counts as none (RFC 6749 section 3.1).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find_map(|(key, value)| (key == name && !value.is_empty()).then_some(value.as_str()))
    }

    /// Whether the name occurs, with a value or without.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(key, _)| key == name)
    }

    /// The name of a parameter that stands twice.
    pub fn duplicate(&self) -> Option<&str> {
        let names = self.0.iter().map(|(name, _)| name.as_str());
        names.enumerate().find_map(|(at, name)| {
            self.0
                .iter()
                .skip(at + 1)
                .any(|(other, _)| other == name)
                .then_some(name)
        })
    }

    pub fn is_duplicate(&self, name: &str) -> bool {
        self.0.iter().filter(|(key, _)| key == name).count() > 1
    }
}

pub fn answer(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Answer {
    let mut answer = Answer::new(body.into());
    *answer.status_mut() =
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if content_type.is_empty() {
        answer
    } else {
        with(answer, "content-type", content_type)
    }
}

pub fn json(status: u16, body: &Value) -> Answer {
    answer(status, "application/json; charset=utf-8", body.to_string())
}

pub fn text(status: u16, body: &str) -> Answer {
    answer(status, "text/plain; charset=utf-8", body)
}

pub fn html(status: u16, body: String) -> Answer {
    let answer = answer(status, "text/html; charset=utf-8", body);
    let answer = with(answer, "cache-control", "no-store");
    let answer = with(answer, "referrer-policy", "no-referrer");
    with(
        answer,
        "content-security-policy",
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    )
}

pub fn redirect(status: u16, location: &str) -> Answer {
    let answer = with(answer(status, "", ""), "location", location);
    with(answer, "cache-control", "no-store")
}

/// The answer with one header more. A value that is no header value is left out.
pub fn with(mut answer: Answer, name: &str, value: &str) -> Answer {
    if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
        answer.headers_mut().append(name, value);
    }
    answer
}

/// "All the APIs return `Access-Control-Allow-Origin: *`" (Mercado Libre, design considerations).
pub fn with_cors(answer: Answer) -> Answer {
    let answer = with(answer, "access-control-allow-origin", "*");
    with(
        answer,
        "access-control-expose-headers",
        "Retry-After, WWW-Authenticate, X-Request-Limit, X-Request-Usage, Location",
    )
}

pub fn preflight() -> Answer {
    let answer = with(
        answer(204, "", ""),
        "access-control-allow-methods",
        "GET, POST, PUT, DELETE, OPTIONS",
    );
    with(
        answer,
        "access-control-allow-headers",
        "Authorization, Content-Type, Accept, X-OAuth-Scope",
    )
}
