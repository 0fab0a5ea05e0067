//! The request to the token endpoint (RFC 6749 sections 4.1.3 and 6).

use alloc::rc::Rc;
use alloc::string::String;
use zeroize::Zeroizing;

use super::super::client::Client;
use super::super::dpop::ProofKey;
use super::super::form;
use super::super::openid::About;
use super::super::secret::{AuthorizationCode, CodeVerifier, RefreshToken};

/// What is exchanged for tokens.
#[derive(Debug)]
pub enum Grant {
    /// Section 4.1.3, with the verifier of RFC 7636 section 4.5.
    AuthorizationCode {
        code: AuthorizationCode,
        code_verifier: CodeVerifier,
    },
    /// Section 6.
    RefreshToken(RefreshToken),
}

impl Grant {
    pub(super) fn secrets(&self) -> (&str, &str) {
        match self {
            Grant::AuthorizationCode {
                code,
                code_verifier,
            } => (code.expose(), code_verifier.expose()),
            Grant::RefreshToken(token) => (token.expose(), ""),
        }
    }
}

/// A POST to the token endpoint, to be sent once.
#[derive(Debug)]
pub struct TokenRequest {
    pub(super) login: Rc<Client>,
    pub(super) grant: Grant,
    /// Whom the ID Token has to be about, where there has to be one.
    pub(super) about: Option<About>,
    /// What the tokens are bound to.
    pub(super) key: Option<ProofKey>,
}

impl TokenRequest {
    /// A request of this client's.
    pub fn new(login: Rc<Client>, grant: Grant) -> Self {
        Self {
            login,
            grant,
            about: None,
            key: None,
        }
    }

    pub fn endpoint(&self) -> &str {
        self.login.token_endpoint()
    }

    /// The header for a relay that keeps the refresh token.
    pub fn relay(&self) -> Option<(&'static str, String)> {
        self.login.relay()
    }

    /// The form body.
    pub fn body(&self) -> Zeroizing<String> {
        // Room for everything three times over (an escape is three bytes): no reallocation leaves a copy behind.
        let values = match &self.grant {
            Grant::AuthorizationCode {
                code,
                code_verifier,
            } => code.expose().len() + code_verifier.expose().len(),
            Grant::RefreshToken(token) => token.expose().len(),
        };
        let (client_id, redirect_uri) = (self.login.client_id(), self.login.redirect_uri());
        let mut room = 256 + 3 * (values + client_id.len() + redirect_uri.len());
        for resource in self.login.resources() {
            room += 16 + 3 * resource.len();
        }
        let mut body = Zeroizing::new(String::with_capacity(room));
        let mut add = |name, value| form::append(&mut body, name, value);
        match &self.grant {
            Grant::AuthorizationCode {
                code,
                code_verifier,
            } => {
                add("grant_type", "authorization_code");
                add("client_id", client_id);
                add("code", code.expose());
                add("redirect_uri", redirect_uri);
                add("code_verifier", code_verifier.expose());
            }
            Grant::RefreshToken(token) => {
                add("grant_type", "refresh_token");
                add("client_id", client_id);
                add("refresh_token", token.expose());
            }
        }
        // For each the same resources, or a renewed token could do less (RFC 8707 section 2.2).
        for resource in self.login.resources() {
            add("resource", resource);
        }
        body
    }

    pub(super) fn is_renewal(&self) -> bool {
        matches!(self.grant, Grant::RefreshToken(_))
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::error::ErrorCode;
    use super::super::MAX_BODY;
    use super::super::tests::{client, refresh};
    use super::*;

    #[test]
    fn a_refresh_request_says_what_section_6_wants() {
        assert_eq!(refresh().endpoint(), "https://as.example/t");
        // As the error says that names it.
        assert!(ErrorCode::ResponseTooLarge.message().ends_with(" 1 MiB") && MAX_BODY == 1_048_576);
        assert_eq!(
            &*refresh().body(),
            "grant_type=refresh_token&client_id=1&refresh_token=TG-old"
        );
    }

    #[test]
    fn a_body_is_allocated_once_and_leaves_no_copy_behind() {
        let escaped = "%".repeat(1000);
        let renewal = Grant::RefreshToken(RefreshToken::new(escaped.clone()));
        let exchange = Grant::AuthorizationCode {
            code: AuthorizationCode::new(escaped),
            code_verifier: CodeVerifier::from_entropy(&[1; 32]),
        };
        let others = client().client_id().len() + client().redirect_uri().len();
        for (grant, values) in [(renewal, 1000), (exchange, 1043)] {
            let body = TokenRequest::new(client(), grant).body();
            // What it began with: one that has grown has more.
            assert_eq!(body.capacity(), 256 + 3 * (values + others));
            assert!(body.len() > 3000);
        }
    }
}
