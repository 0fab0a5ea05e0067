//! What was received, for tests to read back.

use serde::Serialize;

use crate::Dropped;
use crate::message::{Answer, Request};
use crate::state::State;

/// One request as it came in, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Received {
    pub method: String,
    /// With its port.
    pub host: String,
    /// Without a trailing slash.
    pub path: String,
    /// As received, not decoded, without the `?`.
    pub query: String,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// Bytes that are not UTF-8 are replaced.
    pub body: String,
    /// The status answered; 0 when the connection was closed instead.
    pub status: u16,
}

impl Received {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value.as_str()))
    }

    /// One field of a form body, decoded.
    pub fn form(&self, name: &str) -> Option<String> {
        form_urlencoded::parse(self.body.as_bytes())
            .find_map(|(key, value)| (key == name).then(|| value.into_owned()))
    }
}

impl State {
    pub fn record(&mut self, request: &Request, answer: &Answer) {
        let dropped = answer.extensions().get::<Dropped>().is_some();
        self.received.push(Received {
            method: request.method.to_string(),
            host: request.host.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            headers: request
                .headers
                .iter()
                .map(|(name, value)| {
                    (
                        name.to_string(),
                        String::from_utf8_lossy(value.as_bytes()).into_owned(),
                    )
                })
                .collect(),
            body: String::from_utf8_lossy(&request.body).into_owned(),
            status: if dropped { 0 } else { answer.status().as_u16() },
        });
    }
}
