//! Values that must not be shown: tokens, codes, verifiers, states.
//!
//! Each is a type of its own, `Debug` prints its name only, there is no `Display`, and the bytes are
//! overwritten when the value is dropped. [`expose`](AccessToken::expose) is the one door.

use alloc::string::String;
use zeroize::{Zeroize, Zeroizing};

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// Takes the value over; the string must not be copied elsewhere first.
            pub fn new(value: String) -> Self {
                Self(value)
            }

            /// The value itself, for the one place that sends or compares it.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl core::fmt::Debug for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(concat!(stringify!($name), "(..)"))
            }
        }

        impl Drop for $name {
            fn drop(&mut self) {
                self.0.zeroize();
            }
        }
    };
}

secret!(
    /// Access token (RFC 6749 section 1.4).
    AccessToken
);
secret!(
    /// Refresh token (RFC 6749 section 1.5).
    RefreshToken
);
secret!(
    /// Authorization code (RFC 6749 section 1.3.1).
    AuthorizationCode
);
secret!(
    /// `code_verifier` (RFC 7636 section 4.1).
    CodeVerifier
);
secret!(
    /// `state` (RFC 6749 section 4.1.1): which login a response answers.
    State
);
secret!(
    /// What was one of these and is of no use any more: kept only so that it is known where a server repeats it.
    Spent
);
secret!(
    /// ID Token (OpenID Connect Core section 2): no key to anything, but it tells who somebody is.
    IdToken
);

impl AccessToken {
    /// The value of the Authorization header (RFC 6750 section 2.1).
    pub fn authorization_header(&self) -> Zeroizing<String> {
        let mut header = Zeroizing::new(String::with_capacity(7 + self.0.len()));
        header.push_str("Bearer ");
        header.push_str(&self.0);
        header
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{format, string::ToString};

    #[test]
    fn debug_of_a_secret_shows_its_name_and_nothing_else() {
        let token = AccessToken::new("APP_USR-canary".to_string());
        assert_eq!(format!("{token:?}"), "AccessToken(..)");
        assert_eq!(token.expose(), "APP_USR-canary");
    }

    #[test]
    fn the_header_is_allocated_once_and_leaves_no_copy_behind() {
        let header = AccessToken::new("a".repeat(1000)).authorization_header();
        assert_eq!((header.len(), header.capacity()), (1007, 1007));
        assert!(header.starts_with("Bearer a"));
    }
}
