//! What only the full build reads in a token response: who has logged in (OpenID Connect Core section 3.1.3), what the
//! token is bound to (RFC 9449 section 5), and what it is for in detail (RFC 9396 section 7).

use alloc::rc::Rc;
use alloc::string::String;

use super::{TokenRequest, Tokens};
use crate::protocol::Seconds;
use crate::protocol::client::Client;
use crate::protocol::config;
use crate::protocol::dpop::ProofKey;
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::jose::{Algorithm, Check, Jws, NoKey};
use crate::protocol::json::{Json, Object};
use crate::protocol::openid::{self, About, Channel, Rules, Unchecked};
use crate::protocol::secret::IdToken;
use crate::protocol::shown::{self, Names};

/// Whom tokens are of, and the key that they are bound to.
#[derive(Debug, Default)]
pub struct Identity {
    key: Option<ProofKey>,
    unchecked: Option<Unchecked>,
    claims: Option<Json>,
    /// It serves as `id_token_hint`: at a silent login (OpenID Connect Core section 3.1.2.1), and where the user is logged
    /// out of the provider (OpenID Connect RP-Initiated Logout 1.0 section 2).
    hint: Option<IdToken>,
}

impl Identity {
    /// The same for another page. It has secrets in it.
    pub fn to_json(&self) -> Json {
        let mut out = Object::new();
        if let Some(key) = &self.key {
            out.value("key", key.to_jwk());
        }
        out.value("claims", self.claims.clone().unwrap_or(Json::Null))
            .maybe("hint", self.hint.as_ref().map(|hint| hint.expose()))
            .done()
    }

    /// Reads it back. `None`: it is not readable.
    pub fn read(mut json: Json) -> Option<Identity> {
        let key = match json.get("key") {
            Some(jwk) => Some(ProofKey::read(jwk)?),
            None => None,
        };
        let hint = match json.take("hint") {
            Some(Json::String(token)) => Some(IdToken::new(token)),
            _ => None,
        };
        Some(Identity {
            key,
            unchecked: None,
            claims: json.take("claims"),
            hint,
        })
    }
}

/// An ID Token of which everything but the signature has been checked.
pub struct Signed {
    jws: Jws,
    token: IdToken,
    algorithm: &'static Algorithm,
}

impl Signed {
    /// The signature to check, by a key of this set.
    pub fn check(&self, keys: &Json) -> Result<Check, NoKey> {
        self.jws.check(self.token.expose(), self.algorithm, keys)
    }
}

/// What a failure means that comes after the answer, when the request is gone.
pub struct LateFailure {
    renewal: bool,
    reusable: bool,
}

impl LateFailure {
    pub fn is_renewal(&self) -> bool {
        self.renewal
    }

    /// What a failure means after which the refresh token is spent, and nothing came of it.
    pub fn unanswered(&self, error: Error) -> Error {
        match self.renewal && !self.reusable {
            true => error.becomes(ErrorCode::SessionIndeterminate),
            false => error,
        }
    }
}

impl TokenRequest {
    pub fn late_failure(&self) -> LateFailure {
        LateFailure {
            renewal: self.is_renewal(),
            reusable: self.login.refresh_token_reuse(),
        }
    }

    /// Says whom the ID Token has to be about, and what the tokens are to be bound to.
    pub fn about(self, about: Option<About>, key: Option<ProofKey>) -> Self {
        Self { about, key, ..self }
    }

    /// What the tokens are to be bound to.
    pub fn key(&self) -> Option<&ProofKey> {
        self.key.as_ref()
    }

    /// Seconds that the key is wanted once tokens are bound to it: for a session that outlives its page.
    pub fn key_lifetime(&self) -> Option<Seconds> {
        self.login.key_lifetime()
    }

    pub fn login(&self) -> Rc<Client> {
        self.login.clone()
    }

    /// Reads the members of a response to this request.
    pub(super) fn tokens(&self, members: &mut Json, now: Seconds) -> Result<Tokens, Error> {
        if self.key.is_some() {
            let bearer = Json::String(String::from("Bearer"));
            match members.get_mut("token_type") {
                Some(Json::String(kind)) if !kind.eq_ignore_ascii_case("dpop") => {
                    return Err(
                        ErrorCode::TokenNotBound.at("token_type: is not DPoP (RFC 9449 section 5)")
                    );
                }
                Some(kind) if kind.as_str().is_some() => *kind = bearer,
                _ => {}
            }
        }
        if let Some(details) = members.get("authorization_details")
            && !config::are_details(details)
        {
            let rule = "authorization_details: must be a list of objects that have a type (RFC 9396 section 7)";
            return Err(ErrorCode::InvalidTokenResponse.at(rule));
        }
        let id_token = members.take("id_token");
        let mut tokens = match self.key {
            // A bound token says that it is one.
            Some(_) => {
                let (scope, extra) = (self.login.scope(), self.login.extra_members());
                Tokens::read(members, scope, extra, now)?
            }
            None => Tokens::granted(members, &self.login, now)?,
        };
        tokens.identity.key = self.key.clone();
        tokens.came_with(id_token, Channel::Direct, self.about.clone())
    }
}

impl Tokens {
    /// Takes the ID Token that came along, unread. `about` is `None` where no identity was asked for.
    pub fn came_with(
        mut self,
        id_token: Option<Json>,
        channel: Channel,
        about: Option<About>,
    ) -> Result<Tokens, Error> {
        self.identity.unchecked = match (about, id_token) {
            (Some(about), Some(Json::String(token))) => Some(Unchecked {
                token: IdToken::new(token),
                channel,
                about,
            }),
            (Some(About::Login { .. }), None) if self.is_identity_granted() => {
                return Err(openid::invalid("id_token: is missing", "3.1.3.3"));
            }
            (Some(_), Some(mut token)) => {
                token.wipe();
                return Err(openid::invalid("id_token: must be a string", "3.1.3.3"));
            }
            // Nobody has asked for it.
            (_, id_token) => {
                id_token.into_iter().for_each(|mut token| token.wipe());
                None
            }
        };
        Ok(self)
    }

    /// A server may grant less than what it was asked for (RFC 6749 section 3.3).
    fn is_identity_granted(&self) -> bool {
        self.scope.iter().any(|scope| scope == "openid")
    }

    /// Reads the ID Token that came along, if one did, and believes it. `Some`: its signature is to be checked before;
    /// then [`believe`](Tokens::believe) it. `now` is the wall clock.
    pub fn identify(&mut self, login: &Client, now: Seconds) -> Result<Option<Signed>, Error> {
        let Some(unchecked) = self.identity.unchecked.take() else {
            return Ok(None);
        };
        let rules = Rules::of(login);
        let jws = unchecked.read(&rules, self.access_token.expose(), now)?;
        if unchecked.channel == Channel::Direct && !login.verify_id_token() {
            self.identified(jws.payload, unchecked.token);
            return Ok(None);
        }
        let Some(algorithm) = jws.algorithm() else {
            return Err(openid::invalid(
                "alg: is none that browsers check: RS, PS or ES with 256, 384 or 512, EdDSA",
                "3.1.3.7",
            ));
        };
        let token = unchecked.token;
        Ok(Some(Signed {
            jws,
            token,
            algorithm,
        }))
    }

    /// Takes an ID Token whose signature is right.
    pub fn believe(&mut self, signed: Signed) {
        self.identified(signed.jws.payload, signed.token);
    }

    fn identified(&mut self, mut claims: Json, token: IdToken) {
        claims.keep_exact();
        self.identity.claims = Some(claims);
        self.identity.hint = Some(token);
        self.hide();
    }

    /// What is known of the user.
    pub fn claims(&self) -> Option<&Json> {
        self.identity.claims.as_ref()
    }

    /// The newest ID Token, where it is of use.
    pub fn id_token_hint(&self) -> Option<&IdToken> {
        self.identity.hint.as_ref()
    }

    /// What the tokens are bound to.
    pub fn key(&self) -> Option<&ProofKey> {
        self.identity.key.as_ref()
    }

    pub(super) fn hide_identity(&mut self) {
        if let Some(mut claims) = self.identity.claims.take() {
            shown::hide(&mut claims, Names::But(&[]), &self.secrets());
            self.identity.claims = Some(claims);
        }
    }

    /// What a renewal leaves out stays as it was.
    pub(super) fn keep_identity(&mut self, old: Identity) {
        let identity = &mut self.identity;
        identity.key = identity.key.take().or(old.key);
        identity.claims = identity.claims.take().or(old.claims);
        identity.hint = identity.hint.take().or(old.hint);
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Grant, HttpResponse};
    use super::*;
    use crate::protocol::config::Config;
    use crate::protocol::pkce::base64url;
    use crate::protocol::secret::{AuthorizationCode, CodeVerifier, RefreshToken};
    use std::{format, string::ToString};
    use zeroize::Zeroizing;

    const NOW: Seconds = 1_700_000_000;

    fn login(fields: &str) -> Rc<Client> {
        let config = format!(
            r#"{{"clientId":"c1","redirectUri":"https://app.example/cb","authorizationEndpoint":"https://as.example/a","tokenEndpoint":"https://as.example/t","issuer":"https://as.example","jwksUri":"https://as.example/jwks","scope":"openid read"{fields}}}"#
        );
        let config = Config::parse(&config).expect("fields");
        config.resolve("https://app.example").expect("a login")
    }

    fn request(login: Rc<Client>) -> TokenRequest {
        let grant = Grant::AuthorizationCode {
            code: AuthorizationCode::new("c".to_string()),
            code_verifier: CodeVerifier::from_entropy(&[1; 32]),
        };
        let nonce = "n1".to_string();
        TokenRequest::new(login, grant).about(Some(About::Login { nonce }), None)
    }

    fn renewal(login: Rc<Client>, key: Option<ProofKey>) -> TokenRequest {
        let grant = Grant::RefreshToken(RefreshToken::new("r".to_string()));
        let claims = br#"{"iss":"https://as.example","sub":"u1","aud":"c1","nonce":"n1"}"#;
        let claims = Json::parse(claims).expect("JSON");
        TokenRequest::new(login, grant).about(Some(About::Renewal { claims }), key)
    }

    fn answer(request: TokenRequest, members: &str) -> Result<Tokens, Error> {
        let body = format!(r#"{{"access_token":"a","token_type":"Bearer"{members}}}"#);
        raw(request, &body)
    }

    fn raw(request: TokenRequest, body: &str) -> Result<Tokens, Error> {
        let response = HttpResponse {
            status: 200,
            content_type: "application/json".to_string(),
            retry_after: None,
            body: Zeroizing::new(body.as_bytes().to_vec()),
        };
        request.read(response, 100)
    }

    fn id_token(alg: &str, claims: &str) -> String {
        let all = format!(
            r#"{{"iss":"https://as.example","aud":"c1","exp":{},"iat":{NOW}{claims}}}"#,
            NOW + 60
        );
        let header = format!(r#"{{"alg":"{alg}"}}"#);
        let part = |text: &str| base64url(text.as_bytes());
        format!(r#","id_token":"{}.{}.AA""#, part(&header), part(&all))
    }

    const GOOD: &str = r#","sub":"u1","nonce":"n1""#;

    #[test]
    fn the_token_endpoint_is_believed_because_tls_has_shown_who_it_is() {
        let login = login("");
        let members = id_token("RS512", GOOD);
        let mut tokens = answer(request(login.clone()), &members).expect("tokens");
        assert!(tokens.claims().is_none(), "not before it is checked");
        let signed = tokens.identify(&login, NOW).expect("valid");
        assert!(signed.is_none(), "nothing more to check");
        assert_eq!(
            tokens.claims().and_then(|claims| claims.str("sub")),
            Some("u1")
        );
        assert!(!tokens.extra().text().contains("id_token"));
        assert!(tokens.id_token_hint().is_some(), "for a silent login");
    }

    #[test]
    fn a_signature_that_is_to_be_checked_keeps_the_claims_back() {
        let login = login(r#","verifyIdToken":true,"endSessionEndpoint":"https://as.example/end""#);
        let members = id_token("ES256", GOOD);
        let mut tokens = answer(request(login.clone()), &members).expect("tokens");
        let signed = tokens
            .identify(&login, NOW)
            .expect("valid")
            .expect("a signature");
        assert!(tokens.claims().is_none());
        let none = Json::parse(br#"{"keys":[]}"#).expect("JSON");
        assert_eq!(signed.check(&none), Err(NoKey::Unknown));
        tokens.believe(signed);
        assert!(tokens.claims().is_some() && tokens.id_token_hint().is_some());
        assert!(!format!("{tokens:?}").contains("eyJ"), "{tokens:?}");

        let members = id_token("HS256", GOOD);
        let mut tokens = answer(request(login.clone()), &members).expect("tokens");
        let error = tokens
            .identify(&login, NOW)
            .map(drop)
            .expect_err("a secret's signature");
        assert!(
            error.detail.starts_with("alg: is none that browsers"),
            "{}",
            error.detail
        );
    }

    #[test]
    fn what_the_address_bar_brought_is_checked_whatever_the_configuration_says() {
        let login = login("");
        let hash = crate::protocol::jose::half_hash("ES256", "a").expect("a hash");
        let claims = format!(r#"{GOOD},"at_hash":"{hash}""#);
        let members = format!(
            r#"{{"access_token":"a","token_type":"Bearer"{}}}"#,
            id_token("ES256", &claims)
        );
        let mut members = Json::parse(members.as_bytes()).expect("JSON");
        let id_token = members.take("id_token");
        let about = About::Login {
            nonce: "n1".to_string(),
        };
        let tokens = Tokens::read(&mut members, login.scope(), &[], 0).expect("tokens");
        let tokens = tokens.came_with(id_token, Channel::Indirect, Some(about));
        let mut tokens = tokens.expect("an ID Token");
        assert!(tokens.identify(&login, NOW).expect("valid").is_some());
        assert!(tokens.claims().is_none());
    }

    #[test]
    fn who_asks_for_openid_gets_an_id_token() {
        for (members, rule) in [
            (String::new(), "id_token: is missing"),
            (
                r#","scope":"openid read""#.to_string(),
                "id_token: is missing",
            ),
            (r#","id_token":7"#.to_string(), "id_token: must be a string"),
        ] {
            let error = answer(request(login("")), &members)
                .map(drop)
                .expect_err(&members);
            assert_eq!(error.code, ErrorCode::InvalidIdToken);
            assert!(error.detail.starts_with(rule), "{}", error.detail);
        }
        let mut less = answer(request(login("")), r#","scope":"read""#).expect("less was granted");
        assert!(less.identify(&login(""), NOW).expect("nobody").is_none());
        assert!(less.claims().is_none());
    }

    #[test]
    fn a_renewal_for_another_user_is_refused_and_one_without_an_id_token_is_not() {
        let login = login("");
        let renewed = |members: &str| {
            let mut tokens = answer(renewal(login.clone(), None), members)?;
            tokens.identify(&login, NOW).map(|_| tokens)
        };
        assert!(renewed("").expect("tokens").claims().is_none());
        let same = renewed(&id_token("RS256", r#","sub":"u1""#)).expect("tokens");
        assert!(same.claims().is_some());
        let other = renewed(&id_token("RS256", r#","sub":"u2""#)).map(drop);
        assert_eq!(
            other.expect_err("another user").detail,
            "sub: is another user than the one who logged in (OpenID Connect Core section 12.2)"
        );
        let mut old = answer(request(login.clone()), &id_token("RS256", GOOD)).expect("tokens");
        old.identify(&login, NOW).expect("valid");
        let mut new = renewed("").expect("tokens");
        new.keep_from(old);
        assert!(new.claims().is_some(), "the user is still known");
    }

    #[test]
    fn a_token_that_is_not_bound_is_refused_where_one_was_asked_for() {
        let key = || {
            let jwk = br#"{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}"#;
            ProofKey::read(&Json::parse(jwk).expect("JSON"))
        };
        let code = |kind: &str| {
            let request = request(login("")).about(None, key());
            raw(request, &format!(r#"{{"access_token":"a"{kind}}}"#)).map_err(|error| error.code)
        };
        for kind in ["DPoP", "dpop", "DPOP"] {
            let tokens = code(&format!(r#","token_type":"{kind}""#)).expect("bound");
            assert_eq!(tokens.key().cloned(), key());
        }
        for kind in ["Bearer", "mac", ""] {
            let refused = code(&format!(r#","token_type":"{kind}""#)).map(drop);
            assert_eq!(refused, Err(ErrorCode::TokenNotBound), "{kind}");
        }
        assert_eq!(code("").map(drop), Err(ErrorCode::InvalidTokenResponse));
        // The refresh token may be spent: nobody knows.
        let renewal = renewal(login(""), key());
        let error = answer(renewal, "").map(drop).expect_err("a bearer token");
        assert_eq!(error.code, ErrorCode::SessionIndeterminate);
        // And the other way round.
        let plain = raw(
            request(login("")),
            r#"{"access_token":"a","token_type":"DPoP"}"#,
        );
        assert_eq!(
            plain.map(drop).map_err(|e| e.code),
            Err(ErrorCode::UnsupportedTokenType)
        );
    }

    #[test]
    fn the_details_that_were_granted_are_the_applications_to_see() {
        let members = format!(
            r#"{},"authorization_details":[{{"type":"payment","amount":"7"}}]"#,
            id_token("RS256", GOOD)
        );
        let tokens = answer(request(login("")), &members).expect("tokens");
        assert_eq!(
            tokens.extra().text(),
            r#"{"authorization_details":[{"type":"payment","amount":"7"}]}"#
        );
        let odd = answer(
            request(login("")),
            r#","authorization_details":{"type":"payment"}"#,
        );
        assert_eq!(
            odd.map(drop).map_err(|e| e.code),
            Err(ErrorCode::InvalidTokenResponse)
        );
    }

    #[test]
    fn another_page_knows_the_user_and_the_key_too() {
        let jwk = br#"{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}"#;
        let login = login(r#","endSessionEndpoint":"https://as.example/end""#);
        let mut tokens = answer(request(login.clone()), &id_token("RS256", GOOD)).expect("tokens");
        tokens.identify(&login, NOW).expect("valid");
        tokens.identity.key = ProofKey::read(&Json::parse(jwk).expect("JSON"));
        let back = Tokens::from_json(tokens.to_json(true, 100), 0, 100).expect("readable");
        assert_eq!(back.key(), tokens.key());
        assert_eq!(back.claims(), tokens.claims());
        assert_eq!(back.id_token_hint(), tokens.id_token_hint());
        let mut broken = tokens.to_json(true, 100).text();
        broken = broken.replace("P-256", "P-384");
        let broken = Json::parse(broken.as_bytes()).expect("JSON");
        assert!(Tokens::from_json(broken, 0, 100).is_none());
    }

    #[test]
    fn a_bound_token_takes_a_grant_back_as_a_bound_token() {
        use crate::protocol::session::Session;
        let jwk = br#"{"kty":"EC","x":"l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs","y":"9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA","crv":"P-256"}"#;
        let key = ProofKey::read(&Json::parse(jwk).expect("JSON"));
        let login = login(
            r#","dpop":true,"resourceServers":["https://api.example"],"revocationRequest":{"method":"DELETE","url":"https://api.example/me"}"#,
        );
        let request = request(login.clone()).about(None, key);
        let tokens = raw(request, r#"{"access_token":"a1b2","token_type":"DPoP"}"#).expect("bound");
        let session = Session::new(login, tokens, 0, 0);
        let revocation = session.revocation().expect("a request");
        assert_eq!(&*revocation.authorization, "DPoP a1b2");
        assert!(session.key().is_some(), "to prove it with");
    }

    #[test]
    fn every_token_request_names_the_resources() {
        let login = login(r#","resource":["https://a.example/","https://b.example/x"]"#);
        let both = "&resource=https%3A%2F%2Fa.example%2F&resource=https%3A%2F%2Fb.example%2Fx";
        for request in [request(login.clone()), renewal(login, None)] {
            let body = request.body();
            assert!(body.ends_with(both), "{}", &*body);
            assert!(body.len() < body.capacity(), "no copy was left behind");
        }
    }
}
