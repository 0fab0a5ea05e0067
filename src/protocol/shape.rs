//! The shape of configurations: which fields there are and what may stand in each. JavaScript says them without anybody
//! having looked, so a field that does not exist is an error that names it and the nearest one.

use alloc::vec::Vec;

use super::error::{Error, ErrorCode, no_such_field, wrong};
use super::json::{Json, Members};
use super::{scope, text};

/// The name of a field and what may stand there.
type Field = (&'static str, Kind);

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Texts,
    /// One of some words, and the rule that says which.
    Word(&'static str, &'static [&'static str]),
    /// One text, or a list of texts.
    TextOrTexts,
    /// A list of scopes, or one text with spaces.
    Scope,
    Flag,
    Number,
    /// An object whose members are texts.
    TextMembers,
    /// An object with these fields.
    Object(&'static [&'static [Field]]),
    /// A list of such objects.
    Items(&'static [&'static [Field]]),
    /// An object whose members are such objects.
    Named(&'static [&'static [Field]]),
    /// The name of a provider, or what its file says.
    Provider,
    Any,
    /// What is no data; the boundary keeps it back.
    Function,
    /// What no page can keep.
    Secret,
}

/// What a caller can say to `startLogin`, as documented in `types.d.ts`. A provider's file (`providers/*.json`) says
/// the same things in advance.
const FIELDS: &[Field] = &[
    ("provider", Kind::Provider),
    ("site", Kind::Text),
    ("language", Kind::Text),
    ("clientId", Kind::Text),
    ("redirectUri", Kind::Text),
    ("issuer", Kind::Text),
    ("issRequired", Kind::Flag),
    ("authorizationEndpoint", Kind::Text),
    ("tokenEndpoint", Kind::Text),
    ("revocationEndpoint", Kind::Text),
    ("revocationRequest", Kind::Object(&[REQUEST])),
    ("endSessionEndpoint", Kind::Text),
    ("resourceServers", Kind::Texts),
    (
        "responseType",
        Kind::Word(
            "must be code, token or id_token token",
            &["code", "token", "id_token token"],
        ),
    ),
    (
        "codeChallengeMethod",
        Kind::Word("must be S256 or plain", &["S256", "plain"]),
    ),
    ("scope", Kind::Scope),
    ("scopes", Kind::Named(&[SCOPE])),
    ("scopeHeader", Kind::Text),
    ("routes", Kind::Items(&[ROUTE])),
    ("errors", Kind::Items(&[ERROR])),
    ("limitHeader", Kind::Text),
    ("usageHeader", Kind::Text),
    ("authorizationParameters", Kind::TextMembers),
    ("returnTo", Kind::Text),
    ("appState", Kind::Any),
    ("pendingMaxAge", Kind::Number),
    ("refreshTokenReuse", Kind::Flag),
    ("refreshTokenCookie", Kind::Flag),
    ("tokenTypeOptional", Kind::Flag),
    ("extraMembers", Kind::Texts),
    ("jsonFragment", Kind::Flag),
    ("allowHttp", Kind::Flag),
    ("allowFramed", Kind::Flag),
    ("prompt", Kind::Text),
    (
        "sessionScope",
        Kind::Word("must be tab or origin", &["tab", "origin"]),
    ),
    (
        "keep",
        Kind::Word("must be tab or device", &["tab", "device"]),
    ),
    ("keepMaxAge", Kind::Number),
    ("keepOptional", Kind::Flag),
    ("keepPending", Kind::Flag),
    (
        "display",
        Kind::Word(
            "must be page, popup or iframe",
            &["page", "popup", "iframe"],
        ),
    ),
    ("displayTimeout", Kind::Number),
    ("signal", Kind::Any),
    ("verifyIdToken", Kind::Flag),
    ("trustedAudiences", Kind::Texts),
    ("jwksUri", Kind::Text),
    ("userinfoEndpoint", Kind::Text),
    ("dpop", Kind::Flag),
    ("pushedAuthorizationRequest", Kind::Flag),
    ("pushedAuthorizationRequestEndpoint", Kind::Text),
    ("resource", Kind::TextOrTexts),
    ("authorizationDetails", Kind::Any),
    ("navigate", Kind::Function),
    ("clientSecret", Kind::Secret),
    ("client_secret", Kind::Secret),
];

const REQUEST: &[Field] = &[("method", Kind::Text), ("url", Kind::Text)];

const SCOPE: &[Field] = &[("implies", Kind::Texts), ("about", Kind::Any)];

const ROUTE: &[Field] = &[
    ("path", Kind::Text),
    ("holding", Kind::Text),
    ("read", Kind::Text),
    ("write", Kind::Text),
];

const ERROR: &[Field] = &[
    ("error", Kind::Text),
    ("also", Kind::Texts),
    ("status", Kind::Number),
    ("says", Kind::Text),
    ("message", Kind::Any),
    ("remedy", Kind::Any),
];

/// A provider's file has these as well; `about` is for people.
const PROVIDER: &[Field] = &[
    ("name", Kind::Text),
    ("about", Kind::Any),
    ("sites", Kind::Named(OF_SITE)),
];

const SITE: &[Field] = &[("about", Kind::Any)];

const OF_LOGIN: &[&[Field]] = &[FIELDS];
const OF_PROVIDER: &[&[Field]] = &[FIELDS, PROVIDER];
const OF_SITE: &[&[Field]] = &[FIELDS, SITE];

/// Checks a configuration, or the fields that metadata adds to one.
pub fn check(config: &Json) -> Result<(), Error> {
    match config {
        Json::Object(members) => check_fields("", members, OF_LOGIN),
        _ => Err(ErrorCode::InvalidConfig.at("the configuration must be an object")),
    }
}

/// Checks a provider's file, or what it says of a site; `path` stands before the names in an error.
pub fn check_provider(path: &str, file: &Json) -> Result<(), Error> {
    match file {
        Json::Object(members) => check_fields(path, members, OF_PROVIDER),
        _ => Ok(()),
    }
}

/// Checks that each member is one of the fields and of its kind.
fn check_fields(path: &str, members: &Members, tables: &[&[Field]]) -> Result<(), Error> {
    for (name, value) in members {
        let mut known = Vec::new();
        let mut found = None;
        for (one, kind) in tables.iter().copied().flatten() {
            if one == name {
                found = Some(*kind);
            }
            if !matches!(kind, Kind::Secret) {
                known.push(*one);
            }
        }
        match found {
            Some(_) if value.is_null() => {}
            Some(kind) => check_kind(&text::concat(&[path, name]), kind, value)?,
            None => return Err(no_such_field(path, name, &known)),
        }
    }
    Ok(())
}

fn check_kind(field: &str, kind: Kind, value: &Json) -> Result<(), Error> {
    let all_texts = |items: &[Json]| items.iter().all(|item| item.as_str().is_some());
    let rule = match (kind, value) {
        (Kind::Secret, _) => return Err(ErrorCode::ClientSecretRefused.at(field)),
        (Kind::Any, _)
        | (Kind::Provider, Json::Object(_))
        | (Kind::Text | Kind::Provider, Json::String(_))
        | (Kind::Flag, Json::Bool(_)) => return Ok(()),
        (Kind::Word(_, words), Json::String(text)) if words.iter().any(|word| word == text) => {
            return Ok(());
        }
        (Kind::TextOrTexts, Json::String(_)) => return Ok(()),
        (Kind::Scope, value) => return scope::read(value).map(|_| ()),
        (Kind::Texts | Kind::TextOrTexts, Json::Array(items)) if all_texts(items) => return Ok(()),
        (Kind::Number, value) if value.as_u32().is_some() => return Ok(()),
        (Kind::TextMembers, Json::Object(members))
            if members.iter().all(|(_, value)| value.as_str().is_some()) =>
        {
            return Ok(());
        }
        (Kind::Object(tables), Json::Object(members)) => {
            return check_fields(&text::concat(&[field, "."]), members, tables);
        }
        (Kind::Items(tables), Json::Array(items)) => {
            for item in items {
                check_kind(field, Kind::Object(tables), item)?;
            }
            return Ok(());
        }
        (Kind::Named(tables), Json::Object(members)) => {
            for (name, item) in members {
                let field = text::concat(&[field, ".", text::shown(name)]);
                check_kind(&field, Kind::Object(tables), item)?;
            }
            return Ok(());
        }
        (Kind::Word(rule, _), _) => rule,
        (Kind::Text, _) => "must be a string",
        (Kind::Flag, _) => "must be true or false",
        (Kind::TextOrTexts, _) => "must be a string, or a list of strings",
        (Kind::Texts, _) => "must be a list of strings",
        (Kind::Number, _) => "must be a whole number",
        (Kind::TextMembers, _) => "must be an object of strings",
        (Kind::Items(_), _) => "must be a list of objects",
        (Kind::Object(_), _) => "must be an object",
        (Kind::Named(_), _) if field == "scopes" => {
            "did you mean scope, which says what to ask for? scopes describes those that the provider has, an object of objects"
        }
        (Kind::Named(_), _) => "must be an object of objects",
        (Kind::Function, _) => "must be a function",
        (Kind::Provider, _) => "must be a name, or what a provider's file says",
    };
    Err(wrong(field, rule))
}
