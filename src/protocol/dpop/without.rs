//! The empty twin of `dpop.rs`: there are no keys, and nothing is bound to one.

use alloc::string::String;

use super::json::Json;

/// A key that nobody has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProofKey {}

impl ProofKey {
    pub fn read(_: &Json) -> Option<ProofKey> {
        None
    }

    pub fn to_jwk(&self) -> Json {
        match *self {}
    }

    pub fn thumbprint(&self) -> String {
        match *self {}
    }
}
