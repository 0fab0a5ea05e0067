//! The browser that this module runs in.

mod optional;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::future::Future;
use wasm_bindgen::JsValue;

use super::port::{Browser, NotStored, OwnRequest, OwnResponse, Task, Unanswered};
use super::task::{self, Answer};
use super::{clock, entropy, http, page};

/// The page or worker that this module is part of. There is nothing in it: what it stands for is all around.
#[derive(Clone, Copy)]
pub struct Web;

impl Browser for Web {
    type Value = JsValue;
    type Callback = JsValue;
    type Request = http::Request;
    type Response = JsValue;

    fn origin(&self) -> String {
        page::origin()
    }

    fn is_framed(&self) -> bool {
        page::is_framed()
    }

    fn navigate(&self, url: &str) {
        page::navigate(url);
    }

    fn shown_again(&self) -> impl Future<Output = ()> {
        page::shown_again()
    }

    fn call(
        &self,
        callback: &JsValue,
        text: &str,
    ) -> impl Future<Output = Result<JsValue, JsValue>> {
        Answer::of(callback, text)
    }

    fn emit(&self, text: &str) {
        task::emit(text);
    }

    fn has_storage(&self) -> bool {
        page::has_storage()
    }

    fn load(&self, key: &str) -> Option<String> {
        page::load(key)
    }

    fn store(&self, key: &str, value: &str) -> Result<(), NotStored> {
        page::store(key, value)
    }

    fn remove(&self, key: &str) {
        page::remove(key);
    }

    fn keys(&self, prefix: &str) -> Vec<String> {
        page::keys(prefix)
    }

    fn wall(&self) -> u32 {
        clock::wall()
    }

    fn elapsed(&self) -> u32 {
        clock::elapsed()
    }

    fn sleep(&self, milliseconds: u32) -> impl Future<Output = ()> {
        http::pause(milliseconds)
    }

    fn entropy<const N: usize>(&self) -> Option<[u8; N]> {
        entropy::bytes()
    }

    fn spawn(&self, task: Task) {
        task::spawn(task);
    }

    fn is_online(&self) -> bool {
        page::is_online()
    }

    fn reach(&self, url: &str, milliseconds: u32) -> impl Future<Output = bool> {
        http::is_reachable(url, milliseconds)
    }

    fn ask(
        &self,
        request: Box<OwnRequest<'_>>,
        limit: u32,
        milliseconds: u32,
    ) -> impl Future<Output = Result<OwnResponse, Unanswered>> {
        http::ask(&request, limit, milliseconds)
    }

    fn inspect(&self, request: &http::Request) -> String {
        request.inspect()
    }

    fn send(
        &self,
        request: &http::Request,
        headers: [(&str, &str); 3],
        again: bool,
    ) -> impl Future<Output = Result<JsValue, JsValue>> {
        request.send_with(headers, again)
    }

    fn status(&self, response: &JsValue) -> u16 {
        http::status_of(response)
    }

    fn header(&self, response: &JsValue, name: &str) -> String {
        http::header_of(response, name)
    }

    fn retry_after(&self, response: &JsValue) -> Option<u32> {
        http::retry_after_of(response)
    }
}
