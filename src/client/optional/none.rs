//! The empty twin of `optional.rs`: an application that needs none of it carries none of it.

use alloc::boxed::Box;
use alloc::string::String;
use core::convert::Infallible;
use core::marker::PhantomData;
use zeroize::Zeroizing;

use super::{Client, Page, WindowLogin};
use crate::browser::port::{Browser, OwnRequest, OwnResponse};
use crate::protocol::Seconds;
use crate::protocol::authorization::{AuthorizationResponse, PendingLogin};
use crate::protocol::client;
use crate::protocol::error::{Error, ErrorCode};
use crate::protocol::resource::PrivateRequest;
use crate::protocol::secret::AccessToken;
use crate::protocol::session::{Revocation, Session, SessionId};
use crate::protocol::token::{HttpResponse, TokenRequest, Tokens};

/// What the flows need of a browser.
pub trait Port: Browser {}
impl<B: Browser> Port for B {}

/// What a page holds of this: nothing.
pub struct Optional<B>(PhantomData<B>);

impl<B> Optional<B> {
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// There is no popup.
pub struct Window<B>(Infallible, PhantomData<B>);

/// What a logout has to remember.
pub struct Traces;

/// The proofs of one private request.
pub struct Proven;

impl Proven {
    pub fn new(_: &PrivateRequest) -> Self {
        Self
    }
}

type Headers = (Zeroizing<String>, (&'static str, String), bool);

impl<B: Page> Client<B> {
    pub(super) async fn check(self, _: &client::Client) -> Result<(), Error> {
        Ok(())
    }

    pub(super) fn name_user(self, _: &mut PendingLogin) {}

    pub(super) async fn bind(self, _: &mut PendingLogin) -> Result<(), Error> {
        Ok(())
    }

    pub(super) async fn authorization_url(self, pending: &PendingLogin) -> Result<String, Error> {
        Ok(pending.authorization_url())
    }

    pub(super) fn is_in_window(_: &PendingLogin) -> bool {
        false
    }

    pub async fn log_in(
        self,
        WindowLogin { .. }: WindowLogin,
        _: Option<Window<B>>,
    ) -> Result<String, Error> {
        Err(ErrorCode::InternalError.error())
    }

    pub(super) async fn keep_long(self, _: &PendingLogin, _: &str) -> bool {
        false
    }

    pub(super) fn can_wait_long(self) -> bool {
        false
    }

    pub(super) async fn answer_kept(
        self,
        _: Box<AuthorizationResponse>,
        refusal: Error,
    ) -> Result<SessionId, Error> {
        Err(refusal)
    }

    pub(super) async fn deliver(self, _: &AuthorizationResponse, _: &str) -> Option<bool> {
        None
    }

    pub(super) async fn identify(self, _: &client::Client, _: &mut Tokens) -> Result<(), Error> {
        Ok(())
    }

    pub(super) async fn settle(self, _: SessionId) {}

    pub(super) fn finish_leaving(self) {}

    pub(super) fn prune(self) {
        let Optional(PhantomData) = self.optional;
    }

    pub(super) async fn look_at_records(self) {}

    pub(super) async fn forget_shared(self, _: SessionId) {}

    pub(super) fn is_restoring(self, _: SessionId) -> bool {
        false
    }

    pub(super) async fn renew_shared(self, _: SessionId) -> Option<Result<(), Error>> {
        None
    }

    pub(super) async fn revoke(
        self,
        _: &Session,
        revocation: Revocation,
    ) -> Result<OwnResponse, Error> {
        let mut request = OwnRequest::new(&revocation.method, &revocation.url);
        request.form = revocation.form;
        request.authorization = revocation.authorization;
        request.more = revocation.relay.unwrap_or_default();
        self.ask(request).await
    }

    pub(super) fn post(
        self,
        request: &TokenRequest,
    ) -> impl Future<Output = Result<OwnResponse, Error>> {
        let mut own = OwnRequest::new("POST", request.endpoint());
        own.form = request.body();
        own.more = request.relay().unwrap_or_default();
        self.ask(own)
    }

    pub(super) async fn read(
        self,
        request: TokenRequest,
        response: HttpResponse,
        now: Seconds,
    ) -> Result<Tokens, Error> {
        request.read(response, now)
    }

    pub(super) async fn prove(
        self,
        _: &mut Proven,
        _: SessionId,
        token: &AccessToken,
        keep: bool,
    ) -> Result<Headers, Error> {
        Ok((token.authorization_header(), ("", String::new()), keep))
    }

    pub(super) fn is_to_be_proven_again(
        self,
        _: &mut Proven,
        _: &B::Response,
    ) -> Result<bool, Error> {
        Ok(false)
    }

    pub(super) fn traces(self) -> Traces {
        Traces
    }

    pub(super) async fn another_page_may_know(self, _: SessionId) -> bool {
        false
    }

    pub(super) async fn wipe(self, _: Traces) -> Traces {
        Traces
    }

    pub(super) async fn forget_keys(self, _: Traces) {}
}
