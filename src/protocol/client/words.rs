//! What of a client is one of a few words.

use alloc::string::String;

use super::super::pkce::CodeChallengeMethod;
use super::super::record::{Reader, Stored};

/// An enumeration that is stored as the number of its variant.
macro_rules! stored_enum {
    ($name:ident $first:ident $($number:literal $variant:ident)*) => {
        impl Stored for $name {
            fn store(&self, out: &mut String) {
                let number: u32 = match self {
                    $($name::$variant => $number,)*
                };
                number.store(out);
            }

            fn load(from: &mut Reader<'_>) -> Self {
                let number = u32::load(from);
                $(if number == $number {
                    return $name::$variant;
                })*
                from.fail();
                $name::$first
            }
        }
    };
}

/// `response_type` (RFC 6749 section 3.1.1): what the authorization endpoint is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseType {
    /// The authorization code grant.
    Code,
    /// The implicit grant, for providers that offer nothing else: RFC 9700 section 2.1.2 advises against it.
    Token,
    /// The same with an ID Token (OpenID Connect Core section 3.2).
    IdTokenToken,
}

stored_enum!(ResponseType Code 0 Code 1 Token 2 IdTokenToken);
stored_enum!(CodeChallengeMethod S256 0 S256 1 Plain);

impl ResponseType {
    /// The registered name.
    pub fn as_str(self) -> &'static str {
        match self {
            ResponseType::Code => "code",
            ResponseType::Token => "token",
            ResponseType::IdTokenToken => "id_token token",
        }
    }
}

/// Where a session is kept, besides the memory of its page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Nowhere.
    No,
    /// Until the tab is closed.
    Tab,
    /// Until it ends, in this browser.
    Device,
}

stored_enum!(Keep No 0 No 1 Tab 2 Device);

impl Keep {
    /// Reads what [`as_str`](Keep::as_str) gave, or a configuration; absent means nowhere.
    pub fn read(text: Option<&str>) -> Option<Keep> {
        match text {
            None | Some("no") => Some(Keep::No),
            Some("tab") => Some(Keep::Tab),
            Some("device") => Some(Keep::Device),
            Some(_) => None,
        }
    }

    pub fn as_str(self) -> &'static str {
        self.said().unwrap_or("no")
    }

    /// As a session says it.
    pub fn said(self) -> Option<&'static str> {
        match self {
            Keep::No => None,
            Keep::Tab => Some("tab"),
            Keep::Device => Some("device"),
        }
    }
}

/// How a login is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Display {
    /// The page leaves for it.
    Page,
    Popup,
    /// In a frame that nobody sees.
    Frame,
}

stored_enum!(Display Page 0 Page 1 Popup 2 Frame);

impl Display {
    /// Reads a configuration; absent means the page.
    pub fn read(text: Option<&str>) -> Option<Display> {
        match text {
            None | Some("page") => Some(Display::Page),
            Some("popup") => Some(Display::Popup),
            Some("iframe") => Some(Display::Frame),
            Some(_) => None,
        }
    }
}

/// Which part of the library answers a login and has its session; see [`Client::part`](super::Client::part).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The one that most applications need.
    Session,
    /// The one that knows tabs, kept sessions, other windows, OpenID Connect and DPoP as well.
    Full,
}

impl Part {
    /// The letter behind the version in stored records, by which JavaScript chooses what to load.
    pub fn letter(self) -> &'static str {
        match self {
            Part::Session => "s",
            Part::Full => "f",
        }
    }
}
