//! Where to send the user, by what was posted before (RFC 9126).

use alloc::string::String;
use zeroize::Zeroizing;

use crate::browser::port::OwnRequest;
use crate::client::{Client, Page};
use crate::protocol::authorization::PendingLogin;
use crate::protocol::error::Error;
use crate::protocol::pushed;

impl<B: Page> Client<B> {
    /// The address of the authorization request, which is pushed before where that is to be done.
    pub(in crate::client) async fn authorization_url(
        self,
        pending: &PendingLogin,
    ) -> Result<String, Error> {
        let Some((endpoint, form)) = pending.pushed() else {
            return Ok(pending.authorization_url());
        };
        let mut request = OwnRequest::new("POST", endpoint);
        request.form = Zeroizing::new(form);
        let answer = self.ask(request).await?;
        let request_uri = pushed::read(answer.status, &answer.body);
        let request_uri = request_uri.map_err(|error| pending.explained(error))?;
        Ok(pending.pushed_url(&request_uri))
    }
}
