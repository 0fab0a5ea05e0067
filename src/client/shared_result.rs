//! One result for any number of waiters, who may come before or after it is there.

use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use crate::browser::local::Local;
use crate::browser::port::Browser;
use crate::protocol::error::Error;
use crate::protocol::session::SessionId;

/// The session that a login or a renewal has led to.
type Outcome = Result<SessionId, Error>;

#[derive(Clone)]
pub struct SharedResult(Rc<Local<(Option<Outcome>, Vec<Waker>)>>);

impl SharedResult {
    /// One that is there already.
    pub fn ready(outcome: Outcome) -> Self {
        Self(Rc::new(Local::new((Some(outcome), Vec::new()))))
    }

    /// One that is to come, by [`run`](SharedResult::run).
    pub fn awaited() -> Self {
        Self(Rc::new(Local::new((None, Vec::new()))))
    }

    /// Runs the future, once, whether or not somebody waits. It may be done when this returns: whatever is to be undone
    /// at its end has to be done before.
    pub fn run(&self, browser: &impl Browser, future: Pin<Box<dyn Future<Output = Outcome>>>) {
        let same = self.clone();
        browser.spawn(Box::pin(async move {
            let result = future.await;
            let waiting = same.0.with(|inner| {
                inner.0 = Some(result);
                mem::take(&mut inner.1)
            });
            for waker in waiting {
                waker.wake();
            }
        }));
    }
}

impl Future for SharedResult {
    type Output = Outcome;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        self.0.with(|inner| match &inner.0 {
            Some(result) => Poll::Ready(result.clone()),
            None => {
                inner.1.push(context.waker().clone());
                Poll::Pending
            }
        })
    }
}
