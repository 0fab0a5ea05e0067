//! The response of the authorization endpoint, as it stands in an address (RFC 6749 sections 4.1.2 and 4.2.2): untrusted.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use zeroize::Zeroizing;

use super::super::json::{Json, Members};
use super::super::secret::State;
use super::super::{form, parameters, scope, text, url};
use super::{ELSEWHERE_PREFIX, STATE_PREFIX};

/// A response as it came: untrusted until [`PendingLogin::accept`](super::PendingLogin::accept).
pub struct AuthorizationResponse {
    pub(super) state: State,
    /// The address without query and fragment.
    address: String,
    /// Those of the query, then those of the fragment.
    pub(super) parameters: Members,
    pub(super) in_query: usize,
    pub(super) repeated: bool,
    /// It was a response once: a router or a script has written the address anew.
    pub(super) is_mangled: bool,
    /// A fragment that is JSON text, which one provider has sent.
    pub(super) json: Option<Zeroizing<String>>,
}

impl AuthorizationResponse {
    /// Reads a URL. `None` if it is no response to an authorization request: no `state`, or nothing with it and not ours.
    pub fn read(href: &str) -> Option<Box<Self>> {
        let (address, fragment, query) = url::cut(href);
        let mut parameters = form::parse(query.unwrap_or(""));
        let in_query = parameters.len();
        let fragment = fragment.unwrap_or("");
        let is_json = ["{", "%7B", "%7b"]
            .iter()
            .any(|open| fragment.starts_with(open));
        let json = is_json.then(|| Zeroizing::new(form::decode(fragment)));
        if !is_json {
            parameters.append(&mut form::parse(fragment));
        }
        let is_answer = is_json
            || ["code", "error", "access_token"]
                .iter()
                .any(|name| count(&parameters, name) > 0);
        let state = match find(&parameters, "state").filter(|_| is_answer) {
            Some(state) => String::from(state),
            None => mangled_state(href)?,
        };
        let repeated = parameters::OF_RESPONSES
            .iter()
            .any(|name| count(&parameters, name) > 1);
        Some(Box::new(Self {
            state: State::new(state),
            is_mangled: !is_answer || find(&parameters, "state").is_none(),
            address: String::from(address),
            parameters,
            in_query,
            repeated,
            json,
        }))
    }

    /// Puts what a JSON fragment says in the place of parameters:
    /// `{"state": "AUTHORIZED", "authorization_info": {"access_token", "expires_in", "scopes": [], ..}}`, where `state` is
    /// a word of the provider's. Ours stands in the query.
    pub(super) fn unfold(&mut self) -> Option<()> {
        let text = self.json.take()?;
        let mut json = Json::parse(text.as_bytes())?;
        if json.str("state") == Some("NOT_AUTHORIZED") {
            let denied = Json::String(String::from("access_denied"));
            self.parameters.push((String::from("error"), denied));
        }
        if let Some(mut info) = json.take("authorization_info") {
            let scopes = info.take("scopes").map_or(vec![], |scopes| scopes.texts());
            let scope = Json::String(scope::join(&scopes, " "));
            info.fill(Json::Object(vec![(String::from("scope"), scope)]));
            if let Json::Object(mut members) = info {
                self.parameters.append(&mut members);
            }
        }
        Some(())
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whether the `state` was made by this library, in whichever tab or time.
    pub fn is_ours(&self) -> bool {
        self.state.expose().starts_with(STATE_PREFIX)
    }

    /// Whether another page waits for it, which has opened this one.
    pub fn is_for_another_page(&self) -> bool {
        self.state.expose().starts_with(ELSEWHERE_PREFIX)
    }

    /// Whether the response arrived at this `redirect_uri`, whose own query must still be there.
    pub(super) fn is_at(&self, redirect_uri: &str) -> bool {
        let (address, _, query) = url::cut(redirect_uri);
        let own = form::parse(query.unwrap_or(""));
        without_root(address) == without_root(&self.address)
            && own.iter().all(|pair| self.parameters.contains(pair))
    }

    /// The parameter called `name`, wherever it stands.
    pub(super) fn one(&self, name: &str) -> Option<&str> {
        find(&self.parameters, name)
    }
}

impl Drop for AuthorizationResponse {
    fn drop(&mut self) {
        use zeroize::Zeroize;
        for (_, value) in &mut self.parameters {
            if let Json::String(text) = value {
                text.zeroize();
            }
        }
    }
}

/// A browser adds the slash that `https://app.example` lacks.
fn without_root(address: &str) -> &str {
    match address.strip_suffix("/") {
        Some(origin) if origin.bytes().filter(|b| *b == b'/').count() == 2 => origin,
        _ => address,
    }
}

/// A `state` of ours that stands anywhere else than a response has it: `#/state=..`, `#/cb?code=..&state=..`.
fn mangled_state(href: &str) -> Option<String> {
    let is_answer = ["code=", "error=", "access_token="];
    if !is_answer.iter().any(|name| text::contains(href, name)) {
        return None;
    }
    let start = text::concat(&["state=", STATE_PREFIX]);
    let (_, rest) = text::cut(href, &start)?;
    let end = rest.bytes().position(|b| text::is_one_of(b, b"&#?/"));
    let rest = rest.get(..end.unwrap_or(rest.len()))?;
    Some(text::concat(&[STATE_PREFIX, rest]))
}

fn count(parameters: &Members, name: &str) -> usize {
    parameters.iter().filter(|(key, _)| key == name).count()
}

fn find<'a>(parameters: &'a Members, name: &str) -> Option<&'a str> {
    parameters.iter().find(|(key, _)| key == name)?.1.as_str()
}

#[cfg(test)]
mod tests {
    use super::super::tests::pending;
    use super::*;
    use std::format;

    #[test]
    fn the_slash_of_an_origin_is_the_browsers_and_any_other_the_applications() {
        for (registered, arrived, same) in [
            ("https://app.example", "https://app.example/", true),
            ("https://app.example/", "https://app.example", true),
            ("https://app.example/cb", "https://app.example/cb/", false),
            ("https://app.example/cb/", "https://app.example/cb", false),
            ("https://app.example/a/", "https://app.example/a/", true),
            ("https://app.example", "https://app.example//", false),
        ] {
            let url = format!("{arrived}?code=c&state=s");
            let response = AuthorizationResponse::read(&url).expect("a response");
            assert_eq!(response.is_at(registered), same, "{registered} {arrived}");
        }
    }

    #[test]
    fn names_and_a_state_that_are_percent_encoded_are_read_as_what_they_are() {
        let pending = pending("");
        let state = pending.state().expose().replacen("ow1x", "%6Fw1%78", 1);
        let url = format!("https://app.example/cb?co%64e=c&%73tate={state}");
        let response = AuthorizationResponse::read(&url).expect("a response");
        assert!(response.is_ours());
        pending.accept(response, 1010, 10).expect("a code");
    }

    #[test]
    fn what_is_not_a_response_is_left_alone() {
        for url in [
            "https://app.example/",
            "https://app.example/?code=promo",
            "https://app.example/?error=404",
            "https://app.example/?state=CA&city=LA",
            "https://app.example/#access_token=x",
            "https://app.example/#/route?code=1&x=%",
            "https://app.example/?state=ow1xabc",
            "https://app.example/#/state=ow1xabc",
            "https://app.example/?x=%zz",
            "",
        ] {
            assert!(AuthorizationResponse::read(url).is_none(), "{url}");
        }
        let foreign = AuthorizationResponse::read("https://app.example/?code=x&state=y");
        assert!(!foreign.expect("a response").is_ours());
        let ours = AuthorizationResponse::read("https://app.example/?code=x&state=ow1xy");
        let ours = ours.expect("a response");
        assert!(ours.is_ours());
        {
            let url = format!("https://app.example/?code=x&state={ELSEWHERE_PREFIX}y");
            let elsewhere = AuthorizationResponse::read(&url).expect("a response");
            assert!(elsewhere.is_for_another_page() && !ours.is_for_another_page());
        }
    }
}
