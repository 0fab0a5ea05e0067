//! What a page may see of a document from outside: nothing that is a secret by its value or by its name.

use alloc::string::String;
use zeroize::Zeroize as _;

use super::json::Json;
use super::text;

/// Ends of names, without case and marks, that mean a secret: `access_token`, `accessToken`, `Authorization`.
const NAMES: &[&str] = &[
    "token",
    "secret",
    "jwt",
    "password",
    "authorization",
    "assertion",
    "codeverifier",
    "authcode",
    "authorizationcode",
    "apikey",
    "privatekey",
    "credential",
    "cookie",
];

/// Bytes of a secret that is looked for inside of texts; a shorter one is every other syllable, and no real one is.
const MIN_PART: usize = 4;

/// How members are judged by their names.
#[derive(Clone, Copy)]
pub enum Names<'a> {
    /// Hidden where they mean a secret, but for these, of which the provider says that they are none.
    But(&'a [String]),
    /// They have been judged before.
    Judged,
}

impl Names<'_> {
    fn hide(self, name: &str) -> bool {
        match self {
            Names::But(fine) => is_secret(name) && !fine.iter().any(|fine| fine == name),
            Names::Judged => false,
        }
    }

    /// Whether the value is the name of a secret, which then stands beside it.
    fn hide_beside(self, value: &Json) -> bool {
        let names_one = |text: &str| text.ends_with("_token") || text.ends_with("_secret");
        matches!(self, Names::But(_)) && value.as_str().is_some_and(names_one)
    }
}

/// Takes out of an object what a page must not see: members whose name means a secret, and what has one of these
/// secrets in it, whatever its name, in whatever depth. What is taken out is overwritten.
pub fn hide(object: &mut Json, names: Names<'_>, secrets: &[&str]) {
    if let Json::Object(members) = object {
        members.retain_mut(|(name, value)| {
            let hidden = names.hide(name)
                || shows(name, secrets)
                || names.hide_beside(value)
                || is_hidden(value, names, secrets);
            if hidden {
                name.zeroize();
                value.wipe();
            }
            !hidden
        });
    }
}

/// The same inside of a value. Whether it has to go as a whole.
fn is_hidden(value: &mut Json, names: Names<'_>, secrets: &[&str]) -> bool {
    match value {
        Json::String(text) | Json::Number(text) => shows(text, secrets),
        Json::Array(items) => {
            if items.iter().any(|item| names.hide_beside(item)) {
                return true;
            }
            items.retain_mut(|item| {
                let hidden = is_hidden(item, names, secrets);
                if hidden {
                    item.wipe();
                }
                !hidden
            });
            false
        }
        Json::Object(members) => {
            // {"name": "access_token", "value": ..}
            let names_one = members.iter().any(|(_, value)| names.hide_beside(value));
            hide(value, names, secrets);
            names_one
        }
        Json::Null | Json::Bool(_) => false,
    }
}

/// Whether the text is one of these secrets, or has one in it.
pub fn shows(text: &str, secrets: &[&str]) -> bool {
    secrets
        .iter()
        .any(|secret| text == *secret || (secret.len() >= MIN_PART && text::contains(text, secret)))
        && !text.is_empty()
}

/// Whether a member of this name is a secret.
fn is_secret(name: &str) -> bool {
    let plain = plain(name);
    let end = plain.strip_suffix("value").unwrap_or(&plain);
    let end = end.strip_suffix("s").unwrap_or(end);
    end == "code" || NAMES.iter().any(|name| end.ends_with(name))
}

/// Without case and marks.
fn plain(name: &str) -> String {
    let mut plain = String::new();
    for byte in name.bytes().filter(u8::is_ascii_alphanumeric) {
        plain.push(char::from(byte.to_ascii_lowercase()));
    }
    plain
}

/// Whether the name is that of a token of RFC 6749 or OpenID Connect, of which no provider can say that it is no secret.
pub fn names_token(name: &str) -> bool {
    ["accesstoken", "refreshtoken", "idtoken"].contains(&&*plain(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANARY: &str = "TG-canary-5f1c";

    fn shown(text: &str) -> std::string::String {
        let mut json = Json::parse(text.as_bytes()).expect("JSON");
        hide(&mut json, Names::But(&[]), &[CANARY, "r2", ""]);
        json.text()
    }

    #[test]
    fn a_name_that_the_provider_lists_is_shown_and_a_secret_under_it_is_not() {
        let fine = ["invite_token".into(), "device_token".into(), "code".into()];
        let text = r#"{"invite_token":"A7","device_token":{"id":1,"device_secret":2,"of":"TG-canary-5f1c"},"deviceToken":3,"code":"TG-canary-5f1c","of":[{"code":4,"x_code":5,"jwt":6}]}"#;
        let mut json = Json::parse(text.as_bytes()).expect("JSON");
        hide(&mut json, Names::But(&fine), &[CANARY]);
        let shown = r#"{"invite_token":"A7","device_token":{"id":1},"of":[{"code":4,"x_code":5}]}"#;
        assert_eq!(json.text(), shown);
        // Who looks again looks for what has become a secret only.
        hide(&mut json, Names::Judged, &["A7 and more", "A7"]);
        let left = r#"{"device_token":{"id":1},"of":[{"code":4,"x_code":5}]}"#;
        assert_eq!(json.text(), left);
    }

    #[test]
    fn a_member_whose_name_means_a_secret_is_hidden_however_it_is_written() {
        for name in [
            "access_token",
            "accessToken",
            "ACCESS-TOKEN",
            "token",
            "tokens",
            "refreshTokenValue",
            "https://idp.example/claims/access_token",
            "device_secret",
            "clientSecret",
            "secrets",
            "jwt",
            "idJwt",
            "Authorization",
            "proxy-authorization",
            "code",
            "authorization_code",
            "authCode",
            "code_verifier",
            "client_assertion",
            "password",
            "apiKey",
            "private_key",
            "credentials",
            "Set-Cookie",
        ] {
            for text in [
                std::format!(r#"{{"id":1,"{name}":"x"}}"#),
                std::format!(r#"{{"id":1,"{name}":{{"x":[1]}}}}"#),
            ] {
                assert_eq!(shown(&text), r#"{"id":1}"#, "{text}");
            }
            let nested = std::format!(r#"{{"of":[{{"id":1,"{name}":"x"}}]}}"#);
            assert_eq!(shown(&nested), r#"{"of":[{"id":1}]}"#, "{nested}");
        }
    }

    #[test]
    fn a_member_that_only_speaks_of_a_secret_is_shown() {
        let text = r#"{"token_use":"access","refresh_token_expires_in":9,"x_refresh_token_expires_in":8,"authorization_details":[{"type":"a"}],"zip_code":"1","country_code":"DE","public_key":"k","password_changed_at":3,"tokenType":"x","user_id":7,"amr":["pwd"]}"#;
        assert_eq!(shown(text), text);
    }

    #[test]
    fn what_has_a_held_secret_in_it_is_hidden_under_whatever_name() {
        let text = r#"{"copy":"TG-canary-5f1c","note":"it is TG-canary-5f1c!","TG-canary-5f1c":1,"of":{"a":["x",{"b":"TG-canary-5f1c"},["TG-canary-5f1c"]],"c":2},"short":"r2","longer":"r2d2","none":""}"#;
        assert_eq!(
            shown(text),
            r#"{"of":{"a":["x",{},[]],"c":2},"longer":"r2d2","none":""}"#
        );
    }

    #[test]
    fn what_names_a_secret_beside_it_goes_as_a_whole() {
        let text = r#"{"a":{"name":"access_token","value":"x"},"b":["refresh_token","x"],"issued_token_type":"urn:ietf:params:oauth:token-type:access_token","c":{"d":{"k":"device_secret","v":1},"e":1}}"#;
        assert_eq!(shown(text), r#"{"c":{"e":1}}"#);
    }
}
