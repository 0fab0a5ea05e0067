//! What the flows ask of a browser, as traits: the page that runs is one implementation, the simulated one of the tests
//! another. Async functions are monomorphised, so this costs nothing.
//!
//! [`Browser`] is what every application needs; [`Records`], [`Keys`], [`Tabs`] and [`Windows`] are what only some do.
//! All that a value of these types can reach belongs to one page: when it is left or dies, nothing of it goes on, its
//! locks are free and its windows are its own business no more.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::future::Future;
use core::pin::Pin;
use zeroize::Zeroizing;

/// A task: nobody waits for it.
pub type Task = Pin<Box<dyn Future<Output = ()>>>;

/// A page or a worker, its clocks, its network, and what lives as long as its tab.
pub trait Browser: Copy + 'static {
    /// What the page's own functions give or throw, and what `fetch` throws; handed on untouched.
    type Value: 'static;
    /// A function of the caller's.
    type Callback: 'static;
    /// A request of the caller's, which the caller can no longer reach.
    type Request: 'static;
    /// The native response to it.
    type Response: 'static;

    // The page.

    /// The page's origin; empty where there is no page.
    fn origin(&self) -> String;
    /// Whether this page stands in a frame of another origin's.
    fn is_framed(&self) -> bool;
    /// Leaves for another page. Returns: the page lives on until the other one is there.
    fn navigate(&self, url: &str);
    /// Waits until the page is shown again as it was left (from the back/forward cache).
    async fn shown_again(&self);
    /// Calls a function of the caller's and waits for what it gives.
    async fn call(&self, callback: &Self::Callback, text: &str)
    -> Result<Self::Value, Self::Value>;
    /// Tells the page's listeners, in a turn of their own. `text` is JSON.
    fn emit(&self, text: &str);

    // What is stored as long as the tab lives (sessionStorage). A duplicated tab begins with a copy.

    /// Whether there is such a storage to use.
    fn has_storage(&self) -> bool;
    fn load(&self, key: &str) -> Option<String>;
    fn store(&self, key: &str, value: &str) -> Result<(), NotStored>;
    fn remove(&self, key: &str);
    /// The keys that start so.
    fn keys(&self, prefix: &str) -> Vec<String>;

    // Time and chance.

    /// Seconds since 1970 by the device's clock, which may be wrong or be set.
    fn wall(&self) -> u32;
    /// Seconds since the page began; never goes back, and goes on while the device sleeps as far as that can be known.
    fn elapsed(&self) -> u32;
    /// Waits; longer where the device sleeps.
    async fn sleep(&self, milliseconds: u32);
    /// Random bytes, or there is no generator.
    fn entropy<const N: usize>(&self) -> Option<[u8; N]>;
    /// Runs a future until it must wait, before this returns; it goes on by itself. It dies with the page.
    fn spawn(&self, task: Task);

    // The network.

    /// `false` where the device knows that it has none; `true` says nothing.
    fn is_online(&self) -> bool;
    /// Whether the server behind an address answers at all, as far as a page can find out.
    async fn reach(&self, url: &str, milliseconds: u32) -> bool;
    /// Sends a request of the library's own and reads at most `limit` bytes of the answer.
    async fn ask(
        &self,
        request: Box<OwnRequest<'_>>,
        limit: u32,
        milliseconds: u32,
    ) -> Result<OwnResponse, Unanswered>;
    /// What is to be known of a request of the caller's, a line each: what stands out (a: the header Authorization is
    /// there; n: the mode is no-cors; s: the body is a stream); the method; the URL, as the browser serialises what it will
    /// fetch; and as JSON text what else the caller says for us, if anything.
    fn inspect(&self, request: &Self::Request) -> String;
    /// Sends it with these headers besides; those without a name do not count. The answer is what `fetch` gives, or
    /// throws. Only where `again` says so may it be sent once more.
    async fn send(
        &self,
        request: &Self::Request,
        headers: [(&str, &str); 3],
        again: bool,
    ) -> Result<Self::Response, Self::Value>;
    fn status(&self, response: &Self::Response) -> u16;
    /// A header; empty where there is none or the page may not read it.
    fn header(&self, response: &Self::Response, name: &str) -> String;
    /// `Retry-After` (RFC 9110 section 10.2.3), a number or a date, in seconds from now.
    fn retry_after(&self, response: &Self::Response) -> Option<u32>;
}

/// Why something cannot be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotStored {
    Blocked,
    Full,
}

/// A request of the library's own.
pub struct OwnRequest<'a> {
    pub method: &'a str,
    pub url: &'a str,
    /// The body; empty where there is none.
    pub form: Zeroizing<String>,
    /// The Authorization header; empty where there is none.
    pub authorization: Zeroizing<String>,
    /// One header more; its name is empty where there is none.
    pub more: (&'static str, String),
    /// The header of the answer that is looked at; empty for none.
    pub wanted: &'static str,
}

impl<'a> OwnRequest<'a> {
    /// With no body and no header.
    pub fn new(method: &'a str, url: &'a str) -> Box<Self> {
        Box::new(Self {
            method,
            url,
            form: Zeroizing::default(),
            authorization: Zeroizing::default(),
            more: ("", String::new()),
            wanted: "",
        })
    }
}

/// An answer to a request of the library's own.
pub struct OwnResponse {
    pub status: u16,
    pub content_type: String,
    /// `Retry-After`, in seconds from now.
    pub retry_after: Option<u32>,
    pub body: Zeroizing<Vec<u8>>,
    /// The header that was looked at; empty where there is none or the page may not read it.
    pub wanted: String,
}

/// Why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unanswered {
    /// Offline, blocked, refused by CORS, redirected, cut off: a page is not told which.
    Network,
    Timeout,
    TooLarge,
}

/// What outlives a page: records that all pages of the origin find (IndexedDB). Each call is one transaction.
pub trait Records: Browser {
    /// Whether there is a database to use, as far as one can know without using it.
    fn has_records(&self) -> bool;
    /// The record of this name.
    async fn find(&self, name: &str) -> Result<Option<Record>, NotKept>;
    /// The record of this name, which is there no more; nobody else gets it.
    async fn take(&self, name: &str) -> Result<Option<Record>, NotKept>;
    /// Names and texts of the records whose names begin so.
    async fn find_all(&self, prefix: &str) -> Result<Vec<(String, String)>, NotKept>;
    /// Puts a record in the place of the one whose text is `expected` (empty: there is none yet). Parts that are `None`
    /// stay as they were. Whether that one was there.
    async fn replace(
        &self,
        name: &str,
        expected: &str,
        text: &str,
        one: Option<&[u8]>,
        two: Option<&[u8]>,
    ) -> Result<bool, NotKept>;
    /// Removes the record of this name.
    async fn discard(&self, name: &str) -> Result<(), NotKept>;
    /// Whether something is now this page's alone, for so many seconds by the wall clock at the most. Another page's, or
    /// an older one of this page's, that has not run out and lasts no longer than that is respected.
    async fn lease(&self, name: &str, seconds: u32) -> Result<bool, NotKept>;
    /// Gives it back, where it is still this page's.
    async fn end_lease(&self, name: &str) -> Result<(), NotKept>;
}

/// A text that says what it is, and two parts of bytes; empty where there is none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    pub text: String,
    pub one: Vec<u8>,
    pub two: Vec<u8>,
}

/// It cannot be kept, or what was kept cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotKept;

/// Keys that nobody can read (WebCrypto).
pub trait Keys: Records {
    /// Seals and opens.
    type Key: Clone + 'static;
    /// Half of an agreement on a key with somebody who can be heard by everybody.
    type Pair: 'static;
    /// Signs, by ECDSA with P-256 and SHA-256.
    type Signer: Clone + 'static;

    /// Whether there is WebCrypto, which browsers have on https and on this machine only.
    fn has_keys(&self) -> bool;
    /// The key of this browser and origin that goes with `salt`; it is kept in the database.
    async fn kept_key(&self, salt: &str) -> Result<Self::Key, NotKept>;
    /// A key made of a secret that others may have too.
    async fn key_of(&self, secret: &[u8; 32]) -> Result<Self::Key, NotKept>;
    /// Seals bytes; they open with the same `bound` only.
    async fn seal(&self, key: &Self::Key, bound: &str, bytes: &[u8]) -> Result<Vec<u8>, NotKept>;
    async fn open(
        &self,
        key: &Self::Key,
        bound: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, NotKept>;

    async fn make_pair(&self) -> Result<Self::Pair, NotKept>;
    /// What the other side needs, and anybody may see: a point of P-256, uncompressed.
    fn shown(&self, pair: &Self::Pair) -> Vec<u8>;
    /// The key that the other side gets as well; `info` says what it is for.
    async fn agree(
        &self,
        pair: &Self::Pair,
        theirs: &[u8],
        info: &str,
    ) -> Result<Self::Key, NotKept>;

    /// A new signer, and the point that anybody may know, uncompressed.
    async fn make_signer(&self) -> Result<(Self::Signer, Vec<u8>), NotKept>;
    async fn sign(&self, signer: &Self::Signer, text: &str) -> Result<Vec<u8>, NotKept>;
    /// Keeps a signer in a record of this name, and a text about it.
    async fn keep_signer(
        &self,
        name: &str,
        text: &str,
        signer: &Self::Signer,
    ) -> Result<(), NotKept>;
    async fn find_signer(&self, name: &str) -> Result<Option<Self::Signer>, NotKept>;
    /// Whether `key`, the JSON text of a public JWK, made the signature over the text. `name` is the algorithm's in a
    /// header.
    async fn verify(
        &self,
        name: &str,
        key: &str,
        text: &str,
        signature: &[u8],
    ) -> Result<bool, Unchecked>;
}

/// Why a signature could not be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unchecked {
    /// This browser has not the algorithm, or no WebCrypto at all.
    Unsupported,
    /// The key is none.
    BadKey,
}

/// Seconds after which somebody else may take a lease: longer than anything that is done under one.
const LEASE: u32 = 90;
/// How often a lease is looked at, in milliseconds.
const LOOK: u32 = 200;

/// The other pages of this origin.
pub trait Tabs: Records {
    /// A lock of this origin: given back when this is dropped, and when the page dies.
    type Lock: 'static;

    /// Whether the browser has locks.
    fn has_locks(&self) -> bool;
    /// Waits for a lock, at most so many milliseconds; 0 for ever.
    async fn lock(&self, name: &str, milliseconds: u32) -> Option<Self::Lock>;
    /// The names of the locks that are held by whichever page, in one text; `None` where nobody knows.
    async fn held_locks(&self) -> Option<String>;

    /// Begins to listen to the channel; what is said before is not heard.
    fn listen(&self);
    /// The next message of another page, anybody's who runs script there: its text and its bytes. Messages that begin
    /// with [`ANSWER`] are not among them. `None`: nothing can be heard here. For one caller at a time.
    async fn hear(&self) -> Option<(String, Vec<u8>)>;
    /// The bytes of the first message that begins with `mark`, which begins with [`ANSWER`], if it comes in time.
    /// Listens from now on, not only when polled.
    fn answer(
        &self,
        mark: &str,
        milliseconds: u32,
    ) -> impl Future<Output = Option<Vec<u8>>> + 'static;
    /// Tells every other page that listens.
    fn tell(&self, text: &str, bytes: &[u8]);

    /// Does something while nobody else of this origin does anything under the same name. Where the browser has no
    /// locks, a lease says until when it is taken. `None`: it was not to be had in time.
    async fn alone<T>(
        &self,
        name: &str,
        milliseconds: u32,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        if self.has_locks() {
            let _lock = self.lock(name, milliseconds).await?;
            return Some(work.await);
        }
        let mut waited = 0;
        while !self.lease(name, LEASE).await.ok()? {
            if waited >= milliseconds {
                return None;
            }
            self.sleep(LOOK).await;
            waited += LOOK;
        }
        let done = work.await;
        let _ = self.end_lease(name).await;
        Some(done)
    }
}

/// How a message begins that answers another one.
pub const ANSWER: &str = "{\"to\":";

/// Windows and frames that this page opens, and what a page in one of them has to tell.
pub trait Windows: Browser {
    /// A window or a frame of ours, which is closed when this is dropped.
    type Window: 'static;

    /// A frame that nobody sees.
    fn frame(&self) -> Self::Window;
    /// Shows an address, and waits for what a page there says under this name.
    async fn show(
        &self,
        window: &Self::Window,
        url: &str,
        name: &str,
        milliseconds: u32,
    ) -> Result<String, WindowError>;
    /// Tells the page that waits under this name. Whether it has heard.
    async fn deliver(&self, name: &str, text: &str) -> bool;
    /// Closes this window, where it is one that a page has opened.
    fn close_own(&self);
}

/// Why nothing came from a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowError {
    Closed,
    Timeout,
}
