//! Futures and promises: a small executor.
//!
//! `js_sys::futures` would do, but it looks `then` up on every promise it waits for, where the page may have put
//! its own, and costs more bytes. Here a task runs at once until it must wait, and `natives.js` wakes it by number.

#[cfg_attr(not(feature = "npm"), path = "task/whole.rs")]
mod part;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};
use wasm_bindgen::prelude::*;

use super::local::Local;
use super::port::Task;

#[wasm_bindgen(module = "/src/browser/natives.js")]
extern "C" {
    #[wasm_bindgen(js_name = settleMade)]
    fn settle_made(id: usize, text: &str);
    #[wasm_bindgen(js_name = emit)]
    fn emit_text(text: &str);
    fn promise(id: usize) -> JsValue;
    fn settle(id: usize, ok: bool, value: &JsValue);
    #[wasm_bindgen(js_name = settleWith)]
    fn settle_with(id: usize, ok: bool, text: &str);
    #[wasm_bindgen(js_name = callWith)]
    fn call_with(id: usize, callback: &JsValue, value: &str);
}

enum Slot {
    Free,
    Idle(Task),
    Running,
    /// Woken while running: run once more.
    Again,
}

static TASKS: Local<Vec<Slot>> = Local::new(Vec::new());

/// Tells the listeners, when the module is off the stack; `text` is JSON.
pub fn emit(text: &str) {
    emit_text(text);
}

/// Runs a future until it must wait; it goes on by itself when what it waits for is there.
pub fn spawn(future: Task) {
    let id = TASKS.with(|tasks| {
        let free = tasks.iter().position(|slot| matches!(slot, Slot::Free));
        let id = free.unwrap_or(tasks.len());
        if id == tasks.len() {
            tasks.push(Slot::Free);
        }
        id
    });
    set(id, Slot::Idle(future));
    wake(id);
}

/// What a promise is settled with.
#[allow(dead_code, reason = "Rust gets futures")]
pub enum Outcome {
    Value(JsValue),
    /// A value as JSON text.
    Json(String),
    Reason(JsValue),
    /// An error as JSON text.
    Error(String),
    /// An error as JSON text, which is no failure but what was asked for.
    Made(String),
}

/// A JavaScript promise of what the future gives; `explain` says what a failure looks like.
#[allow(dead_code, reason = "Rust gets futures")]
pub fn to_promise<E: 'static>(
    future: Pin<Box<dyn Future<Output = Result<Outcome, E>>>>,
    explain: fn(E) -> Outcome,
) -> JsValue {
    let id = next_id();
    let result = promise(id);
    spawn(Box::pin(async move {
        match future.await.unwrap_or_else(explain) {
            Outcome::Value(value) => settle(id, true, &value),
            Outcome::Json(text) => settle_with(id, true, &text),
            Outcome::Reason(reason) => settle(id, false, &reason),
            Outcome::Error(text) => settle_with(id, false, &text),
            Outcome::Made(text) => settle_made(id, &text),
        }
    }));
    result
}

/// Puts a task in a state, and gives the one it was in.
fn set(id: usize, slot: Slot) -> Slot {
    TASKS.with(|tasks| match tasks.get_mut(id) {
        Some(place) => mem::replace(place, slot),
        None => Slot::Free,
    })
}

fn wake(id: usize) {
    let waker = waker(id);
    loop {
        let mut future = match set(id, Slot::Running) {
            Slot::Idle(future) => future,
            Slot::Free => return drop(set(id, Slot::Free)),
            Slot::Running | Slot::Again => return drop(set(id, Slot::Again)),
        };
        let context = &mut Context::from_waker(&waker);
        let is_done = future.as_mut().poll(context).is_ready();
        let next = match is_done {
            // What is dropped with it may wake it, which is for nothing by now.
            true => {
                drop(future);
                Slot::Free
            }
            false => Slot::Idle(future),
        };
        let woken = matches!(set(id, next), Slot::Again);
        if is_done || !woken {
            return;
        }
    }
}

/// A waker is the task's number, nothing to count and nothing to free.
fn waker(id: usize) -> Waker {
    const VTABLE: RawWakerVTable = RawWakerVTable::new(
        |data| RawWaker::new(data, &VTABLE),
        |data| wake(data as usize),
        |data| wake(data as usize),
        |_| {},
    );
    // SAFETY: the data is a number that is never followed as a pointer, so the contract of RawWaker holds.
    #[allow(unsafe_code, reason = "the only way to a waker without Arc")]
    unsafe {
        Waker::from_raw(RawWaker::new(id as *const (), &VTABLE))
    }
}

static LAST_ID: Local<usize> = Local::new(part::FIRST_ID);

fn next_id() -> usize {
    LAST_ID.with(|last| {
        *last += 1;
        *last
    })
}

enum Answered {
    Waiting(Option<Waker>),
    Done(Result<JsValue, JsValue>),
}

static ANSWERS: Local<Vec<(usize, Answered)>> = Local::new(Vec::new());

/// The answer to something started in JavaScript under a number.
pub struct Answer {
    id: usize,
}

impl Answer {
    /// Starts something: `f` hands the number to a function of `natives.js`.
    pub fn to(f: impl FnOnce(usize)) -> Self {
        let answer = Self::awaited();
        f(answer.id);
        answer
    }

    fn awaited() -> Self {
        part::connect();
        let id = next_id();
        ANSWERS.with(|answers| answers.push((id, Answered::Waiting(None))));
        Self { id }
    }

    /// What a function of the caller's gives, or throws.
    pub fn of(callback: &JsValue, value: &str) -> Self {
        Self::to(|id| call_with(id, callback, value))
    }
}

/// The answer is there.
fn resume(id: usize, ok: bool, value: JsValue) {
    let answer = if ok { Ok(value) } else { Err(value) };
    let waiting = ANSWERS.with(|answers| {
        let entry = answers.iter_mut().find(|(known, _)| *known == id)?;
        match mem::replace(&mut entry.1, Answered::Done(answer)) {
            Answered::Waiting(waker) => waker,
            Answered::Done(_) => None,
        }
    });
    if let Some(waker) = waiting {
        waker.wake();
    }
}

impl Future for Answer {
    type Output = Result<JsValue, JsValue>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let done = ANSWERS.with(|answers| {
            let at = answers.iter().position(|(known, _)| *known == self.id)?;
            if let Some((_, Answered::Waiting(waker))) = answers.get_mut(at) {
                *waker = Some(context.waker().clone());
                return None;
            }
            Some(answers.swap_remove(at).1)
        });
        match done {
            Some(Answered::Done(answer)) => Poll::Ready(answer),
            _ => Poll::Pending,
        }
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        ANSWERS.with(|answers| {
            if let Some(at) = answers.iter().position(|(known, _)| *known == self.id) {
                answers.swap_remove(at);
            }
        });
    }
}
