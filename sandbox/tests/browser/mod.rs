//! A browser as small as the tests need: a cookie, forms, redirects that are looked at, not followed.
#![allow(
    clippy::expect_used,
    clippy::panic,
    dead_code,
    reason = "test support, shared by several test programs"
)]

use sandbox::{Sandbox, http};
use serde_json::Value;

pub const CLIENT: &str = "1620218256833906";
pub const CALLBACK: &str = "http://localhost:8080/callback";
pub const USER: u64 = 226384143;
/// RFC 7636 appendix B.
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub struct Answer {
    pub status: u16,
    pub headers: http::HeaderMap,
    pub body: String,
    pub extensions: http::Extensions,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|_| panic!("not JSON: {} {}", self.status, self.body))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub fn location(&self) -> &str {
        self.header("location")
            .unwrap_or_else(|| panic!("no redirect: {} {}", self.status, self.body))
    }

    /// A parameter of the redirect, from its query or its fragment.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let (uri, fragment) = self
            .location()
            .split_once('#')
            .unwrap_or((self.location(), ""));
        let query = uri.split_once('?').map_or("", |(_, query)| query);
        [query, fragment].iter().find_map(|pairs| {
            form_urlencoded::parse(pairs.as_bytes())
                .find_map(|(key, value)| (key == name).then(|| value.into_owned()))
        })
    }

    /// The value of a hidden field.
    pub fn hidden(&self, name: &str) -> String {
        let marker = format!("name=\"{name}\" value=\"");
        let (_, rest) = self
            .body
            .split_once(&marker)
            .unwrap_or_else(|| panic!("no field {name}: {}", self.body));
        let (value, _) = rest.split_once('"').expect("a closed attribute");
        value
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&")
    }
}

pub fn send(
    sandbox: &Sandbox,
    method: &str,
    uri: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let mut request = http::Request::builder()
        .method(method)
        .uri(uri)
        .header("host", "localhost:8787");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, body) = sandbox
        .handle(request.body(body.as_bytes().to_vec()).expect("a request"))
        .into_parts();
    Answer {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: String::from_utf8_lossy(&body).into_owned(),
        extensions: parts.extensions,
    }
}

pub fn get(sandbox: &Sandbox, uri: &str) -> Answer {
    send(sandbox, "GET", uri, &[], "")
}

pub fn get_with(sandbox: &Sandbox, uri: &str, token: &str) -> Answer {
    send(
        sandbox,
        "GET",
        uri,
        &[("authorization", &format!("Bearer {token}"))],
        "",
    )
}

pub fn encode(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
}

pub fn post(sandbox: &Sandbox, uri: &str, fields: &[(&str, &str)]) -> Answer {
    send(
        sandbox,
        "POST",
        uri,
        &[("content-type", "application/x-www-form-urlencoded")],
        &encode(fields),
    )
}

pub fn authorization_uri(extra: &[(&str, &str)]) -> String {
    let mut fields = vec![("client_id", CLIENT), ("redirect_uri", CALLBACK)];
    if !extra.iter().any(|(name, _)| *name == "response_type") {
        fields.push(("response_type", "code"));
    }
    fields.extend(extra);
    format!("/authorization?{}", encode(&fields))
}

pub fn exchange(sandbox: &Sandbox, code: &str, extra: &[(&str, &str)]) -> Answer {
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT),
        ("code", code),
        ("redirect_uri", CALLBACK),
    ];
    fields.extend(extra);
    post(sandbox, "/oauth/token", &fields)
}

pub fn refresh(sandbox: &Sandbox, token: &str) -> Answer {
    post(
        sandbox,
        "/oauth/token",
        &[
            ("grant_type", "refresh_token"),
            ("client_id", CLIENT),
            ("refresh_token", token),
        ],
    )
}

pub fn field(body: &Value, name: &str) -> String {
    body.get(name)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("no {name}: {body}"))
        .to_owned()
}

/// The user's browser: keeps the session cookie.
pub struct Browser<'a> {
    sandbox: &'a Sandbox,
    cookie: String,
    pub host: &'static str,
}

impl Browser<'_> {
    pub fn new(sandbox: &Sandbox) -> Browser<'_> {
        Browser {
            sandbox,
            cookie: String::new(),
            host: "localhost:8787",
        }
    }

    pub fn get(&mut self, uri: &str) -> Answer {
        self.send("GET", uri, "")
    }

    pub fn submit(&mut self, uri: &str, fields: &[(&str, &str)]) -> Answer {
        self.send("POST", uri, &encode(fields))
    }

    /// Fills in the login page.
    pub fn log_in(&mut self, page: &Answer, nickname: &str, password: &str) -> Answer {
        let (request, csrf) = (page.hidden("request"), page.hidden("csrf"));
        let fields = [
            ("request", request.as_str()),
            ("csrf", &csrf),
            ("nickname", nickname),
            ("password", password),
        ];
        self.submit("/login", &fields)
    }

    /// Presses a button of the consent page.
    pub fn decide(&mut self, page: &Answer, decision: &str) -> Answer {
        let (request, csrf) = (page.hidden("request"), page.hidden("csrf"));
        self.submit(
            "/consent",
            &[
                ("request", request.as_str()),
                ("csrf", &csrf),
                ("decision", decision),
            ],
        )
    }

    /// From the authorization request to the consent page.
    pub fn reach_consent(&mut self, uri: &str, nickname: &str) -> Answer {
        let login = self.get(uri);
        let back = self.log_in(&login, nickname, "sandbox");
        let target = back.location().to_owned();
        self.get(&target)
    }

    fn send(&mut self, method: &str, uri: &str, body: &str) -> Answer {
        let headers = [
            ("cookie", self.cookie.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let mut request = http::Request::builder()
            .method(method)
            .uri(uri)
            .header("host", self.host);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let (parts, body) = self
            .sandbox
            .handle(request.body(body.as_bytes().to_vec()).expect("a request"))
            .into_parts();
        if let Some(cookie) = parts
            .headers
            .get("set-cookie")
            .and_then(|value| value.to_str().ok())
        {
            self.cookie = cookie.split(';').next().unwrap_or_default().into();
        }
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
            extensions: parts.extensions,
        }
    }
}
