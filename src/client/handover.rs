//! Sessions on their way from one part of the npm package to another, in one page.

use alloc::string::String;
use zeroize::Zeroizing;

use super::callback::AnsweredRedirect;
use super::shared_result::SharedResult;
use super::{Client, Page};

impl<B: Page> Client<B> {
    /// The newest session of a client, as JSON text; of any, where its name is empty.
    pub fn describe_session_of(self, client_id: &str) -> Option<String> {
        self.sessions
            .with(|sessions| Some(sessions.of_client(client_id)?.describe()))
    }

    /// The redirect that was answered last is answered no more: another login has begun, in another part.
    pub fn forget_redirect(self) {
        self.answered.with(|answered| drop(answered.take()));
    }

    /// The sessions of this part, for the one that has them from now on.
    pub async fn hand_over(self) -> Zeroizing<String> {
        // What is under way ends here: its answer belongs to the sessions.
        let answering = self.answered.with(|answered| {
            let answered = answered.as_ref()?;
            Some((answered.session.clone(), answered.state.clone()?))
        });
        let mut answered = None;
        if let Some((session, state)) = answering
            && let Ok(id) = session.await
        {
            answered = Some((id, state));
        }
        loop {
            let running = self
                .renewals
                .with(|renewals| Some(renewals.first()?.1.clone()));
            match running {
                Some(renewal) => drop(renewal.await),
                None => break,
            }
        }
        self.forget_redirect();
        let (wall, now) = (self.browser.wall(), self.browser.elapsed());
        self.sessions
            .with(|sessions| sessions.hand_over(answered, wall, now))
    }

    /// Goes on with the sessions of another part. Nobody hears of it: they began long ago.
    pub fn go_on_with(self, text: &[u8]) {
        let (wall, now) = (self.browser.wall(), self.browser.elapsed());
        let (ids, answered) = self
            .sessions
            .with(|sessions| sessions.take_over(text, wall, now));
        for id in ids {
            self.watch(id);
        }
        if let Some((id, state)) = answered {
            let session = SharedResult::ready(Ok(id));
            let state = Some(state);
            let redirect = AnsweredRedirect { state, session };
            self.answered.with(|answered| *answered = Some(redirect));
        }
    }
}
