//! The simulated browser of one page.

use crate::server::LIFE;
use crate::server::{self, Mood};
use crate::world::{self, Scripted, Seen, Slot, World, after, later};
use oauth_wasm::browser::port::{
    ANSWER, Browser, Keys, NotKept, NotStored, OwnRequest, OwnResponse, Record, Records, Tabs,
    Task, Unanswered, Unchecked, WindowError, Windows,
};
use oauth_wasm::client::Held;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::rc::Rc;
use zeroize::Zeroizing;

pub const ORIGIN: &str = "https://app.example";
/// The API of the first provider.
pub const API: &str = "https://api.example";
pub type PageId = usize;

#[derive(Clone, Copy)]
pub struct Page {
    world: World,
    pub id: PageId,
    held: &'static Held<Page>,
}

impl oauth_wasm::client::Page for Page {
    fn held(&self) -> &Held<Page> {
        self.held
    }
}

/// A call of the application's.
#[derive(Clone, Debug)]
pub struct Call {
    pub url: String,
    pub method: &'static str,
    /// When it began.
    began: u64,
    /// The tokens that it was sent with.
    pub sent: Rc<RefCell<Vec<String>>>,
}

impl Call {
    pub fn new(method: &'static str, url: String, began: u64) -> Self {
        let sent = Rc::default();
        Self {
            url,
            method,
            began,
            sent,
        }
    }
}

pub struct Reply {
    status: u16,
    challenge: &'static str,
}

/// A key is what it was made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Key(String);

pub struct Pair(String);

pub struct LockHeld {
    world: World,
    name: String,
    id: u64,
}

impl Drop for LockHeld {
    fn drop(&mut self) {
        world::release(self.world, &self.name, Some(self.id));
    }
}

impl Page {
    pub fn new(world: World, id: PageId, held: &'static Held<Page>) -> Self {
        Self { world, id, held }
    }

    /// Whether it lives and is not in the back/forward cache.
    pub fn is_shown(&self) -> bool {
        let page = &self.world.borrow().pages[self.id];
        page.alive && !page.frozen
    }

    pub fn spawn_task(&self, task: Task) {
        world::spawn(self.world, self.id, task);
    }

    fn records<T: 'static>(
        &self,
        effect: impl FnOnce(&mut world::Inner) -> T + 'static,
    ) -> Slot<Result<T, NotKept>> {
        later(self.world, self.id, |inner| {
            let part = inner.faults.records;
            match inner.faults.has_no_records || inner.rng.chance(part) {
                true => Err(NotKept),
                false => Ok(effect(inner)),
            }
        })
    }

    /// Sends something; what the server makes of it comes back, or nothing does.
    fn exchange<T: 'static>(
        &self,
        milliseconds: Option<u32>,
        serve: impl FnOnce(&mut world::Inner) -> Option<T> + 'static,
        read: impl FnOnce(&mut world::Inner, &T) + 'static,
    ) -> Slot<Result<T, Unanswered>> {
        let slot = Slot::new();
        let (there, back, lost_there, lost_back) = {
            let inner = &mut *self.world.borrow_mut();
            let faults = inner.faults.clone();
            let dead = faults.offline || faults.captive;
            (
                inner.delay(),
                inner.delay(),
                dead || inner.rng.chance(faults.lost_request),
                inner.rng.chance(faults.lost_answer),
            )
        };
        let id = self.id;
        let timeout = slot.clone();
        if let Some(milliseconds) = milliseconds {
            after(self.world, milliseconds.into(), move |_| {
                timeout.set(Err(Unanswered::Timeout));
            });
        }
        let answered = slot.clone();
        after(self.world, there, move |world| {
            if lost_there {
                return answered.set(Err(Unanswered::Network));
            }
            {
                // What was given up, or whose page has died, is cut off where it is: unless it is nearly there.
                let inner = &mut *world.borrow_mut();
                let is_dead = !inner.pages[id].alive && (there > 100 || inner.rng.chance(500));
                if answered.is_set() || is_dead {
                    return;
                }
            }
            let answer = serve(&mut world.borrow_mut());
            after(world, back, move |world| {
                let Some(answer) = answer.filter(|_| !lost_back) else {
                    return answered.set(Err(Unanswered::Network));
                };
                {
                    let inner = &mut *world.borrow_mut();
                    if inner.pages[id].alive && !answered.is_set() {
                        read(inner, &answer);
                    }
                }
                answered.set(Ok(answer));
            });
        });
        slot
    }
}

/// The access token of an answer.
fn access_token(body: &str) -> Option<String> {
    let (_, rest) = body.split_once(r#""access_token":""#)?;
    Some(rest.split_once('"')?.0.to_string())
}

/// Whose session a record has: the clients are named after their providers.
pub fn client_of(record: &Record) -> Option<server::Provider> {
    (0..server::PROVIDERS).find(|provider| {
        let name = format!(r#""clientId":"{}""#, client_id(*provider));
        record.text.contains(&name)
    })
}

/// The client of the page at a provider.
pub fn client_id(provider: server::Provider) -> String {
    match provider {
        0 => "c".to_string(),
        _ => format!("c{provider}"),
    }
}

/// Whether as many pages have written that they were about to send its refresh token as may: two, or one where the client
/// forbids a second time.
pub fn is_spent(record: &Record) -> bool {
    let sent = |times| record.text.contains(times);
    sent(r#""sent":2"#) || (sent(r#""sent":1"#) && client_of(record) == Some(server::GIVES_BACK))
}

/// What must hold of what a page sends.
impl world::Inner {
    /// A refresh token is sent: not ahead of time, and not while the server wants to be left alone.
    fn is_due(&self, id: PageId, token: &str) {
        let page = &self.pages[id];
        // A page counts whole seconds, and a session is renewed in the last half minute.
        if let Some((access, _)) = self.server.access_beside(token)
            && let Some(until) = page.got.get(access)
            && !page.refused.contains(access)
        {
            assert!(self.now + 32_000 >= *until, "{token} is sent ahead of time");
        }
        if let Some((_, until)) = page.waits.get(token) {
            assert!(self.now + 1_000 >= *until, "{token} is sent too soon");
        }
    }

    /// A server was too busy for a refresh token: it says how long, and each time the page waits longer by itself.
    fn waits(&mut self, id: PageId, token: &str, retry_after: Option<u32>) {
        let now = self.now;
        let (times, until) = self.pages[id].waits.entry(token.to_string()).or_default();
        let wait = match *times {
            0 => 0,
            times => 1 << (times - 1).min(6),
        };
        *times += 1;
        *until = now + 1_000 * u64::from(retry_after.unwrap_or(0).max(wait));
    }

    /// A token goes to an API: the newest that the page has, and none that is over.
    fn lives(&self, id: PageId, grant: server::Grant, token: &str, began: u64) {
        let page = &self.pages[id];
        let number = |token: &str| token.rsplit('.').next()?.parse::<u32>().ok();
        let newer = page.had.keys().find(|had| {
            let same = self.server.grant_of(had) == Some(grant);
            same && number(had) > number(token)
        });
        assert!(newer.is_none(), "{token} is sent after {newer:?}");
        let over = page
            .got
            .get(token)
            .is_some_and(|until| self.now > until + 1_000);
        // What a renewal has just given is used by those who waited for it, however late it came.
        let again = page.had.get(token).is_some_and(|first| *first < began);
        assert!(!over || !again, "{token} is over and sent again");
    }

    /// A token or a grant is given back: once, and where it is from.
    fn is_given_back(&mut self, id: PageId, url: &str, form: &str, authorization: &str) {
        let (provider, token) = match server::at("api", url) {
            Some(provider) => {
                let (_, token) = authorization.split_once(' ').expect("a scheme");
                (provider, token.to_string())
            }
            None => {
                assert_eq!(authorization, "", "the token stands in the form");
                let provider = server::at("as", url).expect("an authorization server");
                assert_ne!(provider, server::GIVES_BACK, "its API takes it");
                (provider, server::parameters(form)["token"].clone())
            }
        };
        self.server.revoke(provider, &token);
        let page = &mut self.pages[id];
        assert!(
            page.gave_back.insert(token.clone()),
            "{token} is given back twice"
        );
    }
}

impl Browser for Page {
    type Value = &'static str;
    type Callback = Rc<dyn Fn(&str)>;
    type Request = Call;
    type Response = Reply;

    fn origin(&self) -> String {
        ORIGIN.to_string()
    }

    fn is_framed(&self) -> bool {
        false
    }

    fn navigate(&self, url: &str) {
        let wall = self.wall();
        self.world.borrow_mut().pages[self.id].leaving = Some((url.to_string(), wall));
    }

    async fn shown_again(&self) {
        let slot = Slot::new();
        self.world.borrow_mut().pages[self.id]
            .shown
            .push(slot.clone());
        slot.await;
    }

    async fn call(
        &self,
        callback: &Self::Callback,
        text: &str,
    ) -> Result<Self::Value, Self::Value> {
        callback(text);
        Ok("")
    }

    fn emit(&self, text: &str) {
        assert!(!text.contains("tk."), "a token in an event: {text}");
        let inner = &mut *self.world.borrow_mut();
        let id = self.id;
        inner.note(|| format!("page {id} hears {}", text.get(..60).unwrap_or(text)));
        if text.contains(r#""type":"ended""#) {
            // What comes back after that has been kept, without an access token.
            inner.pages[id].got.clear();
        }
        inner.pages[id].events.push(text.to_string());
    }

    fn has_storage(&self) -> bool {
        true
    }

    fn load(&self, key: &str) -> Option<String> {
        let inner = self.world.borrow();
        inner.tabs[inner.pages[self.id].tab]
            .storage
            .get(key)
            .cloned()
    }

    fn store(&self, key: &str, value: &str) -> Result<(), NotStored> {
        assert!(!value.contains("tk."), "a token in sessionStorage");
        let inner = &mut *self.world.borrow_mut();
        let tab = inner.pages[self.id].tab;
        if inner.rng.chance(inner.faults.storage) {
            return Err(match inner.rng.chance(500) {
                true => NotStored::Blocked,
                false => NotStored::Full,
            });
        }
        inner.tabs[tab]
            .storage
            .insert(key.to_string(), value.to_string());
        Ok(())
    }

    fn remove(&self, key: &str) {
        let inner = &mut *self.world.borrow_mut();
        let tab = inner.pages[self.id].tab;
        inner.tabs[tab].storage.remove(key);
    }

    fn keys(&self, prefix: &str) -> Vec<String> {
        let inner = self.world.borrow();
        let storage = &inner.tabs[inner.pages[self.id].tab].storage;
        storage
            .keys()
            .filter(|key| key.starts_with(prefix))
            .cloned()
            .collect()
    }

    fn wall(&self) -> u32 {
        let inner = self.world.borrow();
        let now = (world::BEGIN + inner.now).saturating_add_signed(inner.wrong);
        (now / 1000) as u32
    }

    fn elapsed(&self) -> u32 {
        let inner = self.world.borrow();
        ((inner.now - inner.pages[self.id].began) / 1000) as u32
    }

    async fn sleep(&self, milliseconds: u32) {
        let slot = Slot::new();
        let same = slot.clone();
        after(self.world, milliseconds.into(), move |_| same.set(()));
        slot.await;
    }

    fn entropy<const N: usize>(&self) -> Option<[u8; N]> {
        let inner = &mut *self.world.borrow_mut();
        Some(std::array::from_fn(|_| inner.rng.next() as u8))
    }

    fn spawn(&self, task: Task) {
        world::spawn_now(self.world, self.id, task);
    }

    fn is_online(&self) -> bool {
        !self.world.borrow().faults.offline
    }

    async fn ask(
        &self,
        request: Box<OwnRequest<'_>>,
        _: u32,
        milliseconds: u32,
    ) -> Result<OwnResponse, Unanswered> {
        let id = self.id;
        let form = request.form.to_string();
        let url = request.url.to_string();
        let token = server::parameters(&form).remove("refresh_token");
        {
            let inner = &mut *self.world.borrow_mut();
            if let Some(token) = &token {
                let twice = inner
                    .pages
                    .iter()
                    .any(|page| page.outstanding.contains(token));
                assert!(!twice, "{token} is in two requests at once");
                inner.pages[id].outstanding.push(token.clone());
                let grant = inner.server.grant_of(token).expect("a token of ours");
                let provider = inner.server.provider_of(grant);
                inner.pages[id].meant.insert(provider, grant);
                inner.pages[id].asked.insert(grant);
                inner.server.attempt(token);
                inner.is_due(id, token);
            }
            inner.note(|| format!("page {id} asks {url} {}", token.as_deref().unwrap_or("")));
        }
        let sent = token.clone();
        let asked = self.world.borrow().now;
        let seen = Seen {
            method: request.method.to_string(),
            url: url.clone(),
            form: server::parameters(&form),
            authorization: request.authorization.to_string(),
            proof: match request.more {
                ("dpop", ref proof) => proof.clone(),
                _ => String::new(),
            },
        };
        let is_bound = !seen.proof.is_empty();
        let authorization = seen.authorization.clone();
        let serve = move |inner: &mut world::Inner| {
            inner.seen.push(seen);
            let mood = inner.mood();
            let scripted = inner.scripted(&url);
            let is_lost = matches!(scripted, Some(Scripted::LostAfterWork));
            match scripted {
                Some(Scripted::Unreadable) => return None,
                Some(Scripted::Says(status, content_type, _, body)) => {
                    let answer = server::Answer {
                        status,
                        content_type,
                        retry_after: None,
                        body,
                        refresh: None,
                        grant: None,
                    };
                    return Some((answer, mood));
                }
                Some(Scripted::LostAfterWork) | None => {}
            }
            let authorization_server = server::at("as", &url);
            let answer = match authorization_server.filter(|_| url.ends_with("/token")) {
                Some(provider) => {
                    let now = inner.now;
                    let unwritten = match inner.faults.records {
                        0 => Vec::new(),
                        _ => (inner.pages.iter())
                            .flat_map(|page| page.unwritten.clone())
                            .collect(),
                    };
                    let had = &inner.pages[id].had;
                    let known_to = server::Knowledge {
                        had,
                        unwritten,
                        asked,
                    };
                    let mut answer = inner.server.token(provider, &form, mood, now, known_to);
                    if is_bound {
                        answer.body = answer.body.replace("Bearer", "DPoP");
                    }
                    inner.note(|| {
                        let sent = answer.refresh.as_deref().unwrap_or("code");
                        format!("the server answers {sent}: {} {mood:?}", answer.status)
                    });
                    answer
                }
                None => {
                    inner.is_given_back(id, &url, &form, &authorization);
                    server::Answer {
                        status: 200,
                        content_type: "text/plain",
                        retry_after: None,
                        body: String::new(),
                        refresh: None,
                        grant: None,
                    }
                }
            };
            (!is_lost).then_some((answer, mood))
        };
        let read = move |inner: &mut world::Inner, (answer, mood): &(server::Answer, Mood)| {
            if *mood != Mood::Garbage {
                inner.used(id, answer.grant);
            }
            if let (Some(grant), Mood::Good | Mood::SameToken | Mood::Echo) = (answer.grant, *mood)
            {
                inner.server.delivered(grant);
                if let Some(token) = access_token(&answer.body) {
                    let until = asked + LIFE;
                    inner.pages[id].got.insert(token, until);
                }
            }
            if let Some(token) = &answer.refresh {
                let is_recorded = inner.is_recorded(token);
                if answer.grant.is_some() {
                    for page in &mut inner.pages {
                        page.waits.remove(token);
                    }
                }
                inner.pages[id].unwritten.push(token.clone());
                if matches!(answer.status, 429 | 503) {
                    inner.waits(id, token, answer.retry_after);
                    match is_recorded {
                        false => inner.server.not_taken(token),
                        true => inner.pages[id].not_taken.push(token.clone()),
                    }
                }
                inner
                    .server
                    .read(token, answer.status, *mood == Mood::Garbage);
            }
        };
        let answer = self.exchange(Some(milliseconds), serve, read).await;
        if let Some(token) = &sent {
            let outstanding = &mut self.world.borrow_mut().pages[id].outstanding;
            outstanding.retain(|known| known != token);
        }
        let (answer, _) = answer?;
        Ok(OwnResponse {
            status: answer.status,
            content_type: answer.content_type.to_string(),
            retry_after: answer.retry_after,
            body: Zeroizing::new(answer.body.into_bytes()),
            wanted: String::new(),
        })
    }

    async fn reach(&self, url: &str, milliseconds: u32) -> bool {
        let seen = Seen {
            method: "HEAD".to_string(),
            url: url.to_string(),
            form: BTreeMap::new(),
            authorization: String::new(),
            proof: String::new(),
        };
        let serve = move |inner: &mut world::Inner| {
            inner.seen.push(seen);
            (!inner.faults.hides).then_some(())
        };
        let reached = self.exchange(Some(milliseconds), serve, |_, ()| {});
        reached.await.is_ok()
    }

    fn inspect(&self, request: &Call) -> String {
        let (url, method) = (&request.url, request.method);
        format!("\n{method}\n{url}\n")
    }

    async fn send(
        &self,
        request: &Call,
        headers: [(&str, &str); 3],
        _: bool,
    ) -> Result<Reply, &'static str> {
        let header = |wanted| {
            let found = headers.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| value.to_string())
        };
        let authorization = header("authorization").expect("an authorization header");
        let proof = header("dpop").unwrap_or_default();
        let scheme = match proof.as_str() {
            "" => "Bearer ",
            _ => "DPoP ",
        };
        let token = authorization.strip_prefix(scheme);
        let token = token.expect("a token of its type").to_string();
        {
            let inner = self.world.borrow();
            let grant = inner.server.grant_of(&token);
            let grant = grant.unwrap_or_else(|| panic!("page {} sends {token:?}", self.id));
            let left = &inner.pages[self.id].left;
            assert!(
                !left.contains(&grant),
                "{token} outlives the logout of its page"
            );
            let provider = inner.server.provider_of(grant);
            assert_eq!(
                server::at("api", &request.url),
                Some(provider),
                "{token} goes to its own API only"
            );
            drop(inner);
            let inner = &mut *self.world.borrow_mut();
            inner.lives(self.id, grant, &token, request.began);
            inner.used(self.id, Some(grant));
            inner.pages[self.id].meant.insert(provider, grant);
            let now = inner.now;
            inner.pages[self.id].had.entry(token.clone()).or_insert(now);
            let sent = &mut *request.sent.borrow_mut();
            assert!(
                !sent.contains(&token),
                "{token} is sent again though it was refused"
            );
            sent.push(token.clone());
            let most = if request.method == "GET" { 2 } else { 1 };
            assert!(sent.len() <= most, "a call is sent {} times", sent.len());
        }
        let id = self.id;
        self.world
            .borrow_mut()
            .note(|| format!("page {id} calls with {token}"));
        let seen = Seen {
            method: request.method.to_string(),
            url: request.url.clone(),
            form: BTreeMap::new(),
            authorization,
            proof,
        };
        let refusable = token.clone();
        let serve = move |inner: &mut world::Inner| {
            let now = inner.now;
            let scripted = inner.scripted(&seen.url);
            inner.seen.push(seen);
            let status = inner.server.judge(&token, now);
            let odd = inner.odd().filter(|_| status == 200);
            match scripted {
                None => Some(odd.unwrap_or((status, ""))),
                Some(Scripted::Says(status, _, challenge, _)) => Some((status, challenge)),
                Some(Scripted::LostAfterWork | Scripted::Unreadable) => None,
            }
        };
        let read = move |inner: &mut world::Inner, (status, _): &(u16, &'static str)| {
            if *status == 401 {
                inner.pages[id].refused.insert(refusable);
            }
        };
        match self.exchange(None, serve, read).await {
            Ok((status, challenge)) => Ok(Reply { status, challenge }),
            Err(_) => Err("TypeError: Failed to fetch"),
        }
    }

    fn status(&self, response: &Reply) -> u16 {
        response.status
    }

    fn header(&self, response: &Reply, name: &str) -> String {
        match name {
            "www-authenticate" => response.challenge.to_string(),
            _ => String::new(),
        }
    }

    fn retry_after(&self, _: &Reply) -> Option<u32> {
        None
    }
}

impl Records for Page {
    fn has_records(&self) -> bool {
        !self.world.borrow().faults.has_no_records
    }

    async fn find(&self, name: &str) -> Result<Option<Record>, NotKept> {
        let name = name.to_string();
        self.records(move |inner| inner.records.get(&name).cloned())
            .await
    }

    async fn take(&self, name: &str) -> Result<Option<Record>, NotKept> {
        let name = name.to_string();
        self.records(move |inner| inner.records.remove(&name)).await
    }

    async fn find_all(&self, prefix: &str) -> Result<Vec<(String, String)>, NotKept> {
        let prefix = prefix.to_string();
        self.records(move |inner| {
            let all = inner.records.iter();
            all.filter(|(name, _)| name.starts_with(&prefix))
                .map(|(name, record)| (name.clone(), record.text.clone()))
                .collect()
        })
        .await
    }

    async fn replace(
        &self,
        name: &str,
        expected: &str,
        text: &str,
        one: Option<&[u8]>,
        two: Option<&[u8]>,
    ) -> Result<bool, NotKept> {
        assert!(!text.contains("tk."), "a token in a label: {text}");
        let kept = String::from_utf8_lossy(two.unwrap_or_default()).into_owned();
        assert!(!kept.contains("tk.at"), "an access token is kept");
        let (name, expected, text) = (name.to_string(), expected.to_string(), text.to_string());
        let (one, two) = (one.map(<[u8]>::to_vec), two.map(<[u8]>::to_vec));
        let id = self.id;
        let written = self.records(move |inner| {
            if inner.faults.keeps_nothing {
                return Err(NotKept);
            }
            let before = inner.records.get(&name);
            if before.map_or("", |record| &record.text) != expected {
                inner.note(|| format!("page {id} finds another record {name}"));
                return Ok(false);
            }
            inner.note(|| format!("page {id} writes {name} {text}"));
            // What it had not left to the others yet, of this session.
            if let Some(before) = inner.records.get(&name) {
                let page = &mut inner.pages[id];
                page.unwritten.retain(|token| !world::has(before, token));
                let said: Vec<_> = (page.not_taken)
                    .extract_if(.., |token| world::has(before, token))
                    .collect();
                for token in said {
                    inner.server.not_taken(&token);
                }
            }
            let record = inner.records.entry(name).or_default();
            record.text = text;
            record.one = one.unwrap_or(std::mem::take(&mut record.one));
            record.two = two.unwrap_or(std::mem::take(&mut record.two));
            Ok(true)
        });
        written.await?
    }

    async fn discard(&self, name: &str) -> Result<(), NotKept> {
        let name = name.to_string();
        let id = self.id;
        self.records(move |inner| {
            inner.note(|| format!("page {id} discards {name}"));
            let record = inner.records.remove(&name);
            if let Some(record) = record.filter(is_spent) {
                inner.gave_up.extend(client_of(&record));
            }
        })
        .await
    }

    async fn lease(&self, name: &str, seconds: u32) -> Result<bool, NotKept> {
        let (name, id) = (name.to_string(), self.id);
        let wall = u64::from(self.wall());
        let leased = self.records(move |inner| {
            if inner.faults.keeps_nothing {
                return Err(NotKept);
            }
            let until = wall + u64::from(seconds);
            let taken = inner.leases.get(&name);
            let respected = taken.is_some_and(|(_, other)| *other > wall && *other <= until);
            if !respected {
                inner.leases.insert(name, (id, until));
            }
            Ok(!respected)
        });
        leased.await?
    }

    async fn end_lease(&self, name: &str) -> Result<(), NotKept> {
        let (name, id) = (name.to_string(), self.id);
        self.records(move |inner| {
            if inner
                .leases
                .get(&name)
                .is_some_and(|(holder, _)| *holder == id)
            {
                inner.leases.remove(&name);
            }
        })
        .await
    }
}

fn sealed(key: &Key, bound: &str, bytes: &[u8]) -> Vec<u8> {
    let mut out = format!("{}|{bound}|", key.0).into_bytes();
    out.extend(bytes);
    out
}

impl Keys for Page {
    type Key = Key;
    type Pair = Pair;
    type Signer = String;

    fn has_keys(&self) -> bool {
        true
    }

    async fn kept_key(&self, salt: &str) -> Result<Key, NotKept> {
        let salt = salt.to_string();
        self.records(move |_| Key(format!("kept {salt}"))).await
    }

    async fn key_of(&self, secret: &[u8; 32]) -> Result<Key, NotKept> {
        let key = Key(format!("secret {secret:?}"));
        Ok(later(self.world, self.id, |_| key).await)
    }

    async fn seal(&self, key: &Key, bound: &str, bytes: &[u8]) -> Result<Vec<u8>, NotKept> {
        let bytes = sealed(key, bound, bytes);
        Ok(later(self.world, self.id, |_| bytes).await)
    }

    async fn open(
        &self,
        key: &Key,
        bound: &str,
        bytes: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, NotKept> {
        let begin = sealed(key, bound, &[]);
        let opened = bytes.strip_prefix(begin.as_slice()).map(<[u8]>::to_vec);
        let opened = later(self.world, self.id, |_| opened).await;
        opened.map(Zeroizing::new).ok_or(NotKept)
    }

    async fn make_pair(&self) -> Result<Pair, NotKept> {
        let pair = later(self.world, self.id, |inner| inner.name("pair")).await;
        Ok(Pair(pair))
    }

    fn shown(&self, pair: &Pair) -> Vec<u8> {
        let mut point = pair.0.clone().into_bytes();
        point.resize(65, b' ');
        point
    }

    async fn agree(&self, pair: &Pair, theirs: &[u8], info: &str) -> Result<Key, NotKept> {
        let theirs = String::from_utf8_lossy(theirs).trim().to_string();
        let mut both = [pair.0.clone(), theirs];
        both.sort();
        let key = Key(format!("{both:?} {info}"));
        Ok(later(self.world, self.id, |_| key).await)
    }

    async fn make_signer(&self) -> Result<(String, Vec<u8>), NotKept> {
        let name = later(self.world, self.id, |inner| inner.name("signer")).await;
        let mut point = vec![4];
        point.extend(name.bytes());
        point.resize(65, b' ');
        Ok((name, point))
    }

    async fn sign(&self, signer: &String, text: &str) -> Result<Vec<u8>, NotKept> {
        let signed = format!("{signer} signs {}", text.len()).into_bytes();
        Ok(later(self.world, self.id, |_| signed).await)
    }

    async fn keep_signer(&self, name: &str, text: &str, signer: &String) -> Result<(), NotKept> {
        let record = Record {
            text: text.to_string(),
            one: signer.clone().into_bytes(),
            two: Vec::new(),
        };
        let name = name.to_string();
        let kept = self.records(move |inner| match inner.faults.keeps_nothing {
            true => Err(NotKept),
            false => {
                inner.records.insert(name, record);
                Ok(())
            }
        });
        kept.await?
    }

    async fn find_signer(&self, name: &str) -> Result<Option<String>, NotKept> {
        let name = name.to_string();
        self.records(move |inner| {
            let found = inner.records.get(&name)?;
            Some(String::from_utf8_lossy(&found.one).into_owned())
        })
        .await
    }

    async fn verify(&self, _: &str, _: &str, _: &str, _: &[u8]) -> Result<bool, Unchecked> {
        Err(Unchecked::Unsupported)
    }
}

impl Tabs for Page {
    type Lock = LockHeld;

    fn has_locks(&self) -> bool {
        !self.world.borrow().faults.has_no_locks
    }

    async fn lock(&self, name: &str, milliseconds: u32) -> Option<LockHeld> {
        let slot = Slot::new();
        let id = {
            let inner = &mut *self.world.borrow_mut();
            inner.made += 1;
            let id = inner.made;
            let page = self.id;
            inner.note(|| format!("page {page} wants {name} {id}"));
            inner.wanted.insert(name.to_string(), inner.now);
            let lock = inner.locks.entry(name.to_string()).or_default();
            match lock.holder {
                None => {
                    lock.holder = Some((self.id, id));
                    slot.set(true);
                }
                Some(_) => lock.queue.push_back((self.id, id, slot.clone())),
            }
            id
        };
        if milliseconds > 0 {
            let name = name.to_string();
            let waiting = slot.clone();
            after(self.world, milliseconds.into(), move |world| {
                let gone = {
                    let inner = &mut *world.borrow_mut();
                    let lock = inner.locks.get_mut(&name);
                    lock.is_some_and(|lock| {
                        let before = lock.queue.len();
                        lock.queue.retain(|(_, waiter, _)| *waiter != id);
                        lock.queue.len() < before
                    })
                };
                if gone {
                    waiting.set(false);
                }
            });
        }
        // Given back even where the task that waits for it is dropped.
        let held = LockHeld {
            world: self.world,
            name: name.to_string(),
            id,
        };
        slot.await.then_some(held)
    }

    async fn held_locks(&self) -> Option<String> {
        if !self.has_locks() {
            return None;
        }
        let names = later(self.world, self.id, |inner| {
            let names = inner.locks.keys().cloned().collect::<Vec<_>>();
            names.join("\n")
        });
        Some(names.await)
    }

    fn listen(&self) {
        self.world.borrow_mut().pages[self.id].listening = true;
    }

    async fn hear(&self) -> Option<(String, Vec<u8>)> {
        let slot = Slot::new();
        {
            let inner = &mut *self.world.borrow_mut();
            let page = &mut inner.pages[self.id];
            match page.inbox.pop_front() {
                Some(message) => slot.set(Some(message)),
                None => page.hears = Some(slot.clone()),
            }
        }
        slot.await
    }

    fn answer(
        &self,
        mark: &str,
        milliseconds: u32,
    ) -> impl Future<Output = Option<Vec<u8>>> + 'static {
        let slot: Slot<Option<Vec<u8>>> = Slot::new();
        let late = slot.clone();
        self.world.borrow_mut().pages[self.id]
            .answers
            .push((mark.to_string(), slot.clone()));
        after(self.world, milliseconds.into(), move |_| late.set(None));
        slot
    }

    fn tell(&self, text: &str, bytes: &[u8]) {
        let id = self.id;
        self.world
            .borrow_mut()
            .note(|| format!("page {id} tells {text}"));
        tell(self.world, Some(self.id), text, bytes);
    }
}

/// Says something on the channel: a page, or somebody who is none of ours.
pub fn tell(world: World, from: Option<PageId>, text: &str, bytes: &[u8]) {
    assert!(!text.contains("tk."), "a token on the channel");
    if world.borrow().faults.is_deaf {
        return;
    }
    let is_answered = {
        let inner = &mut *world.borrow_mut();
        let question = text.strip_prefix(r#"{"ask":""#).filter(|_| from.is_some());
        if let Some((nonce, _)) = question.and_then(|question| question.split_once('"')) {
            inner.overheard = nonce.to_string();
        }
        question.is_some() && inner.rng.chance(inner.faults.overhears)
    };
    if is_answered {
        answer_overheard(world);
    }
    let count = world.borrow().pages.len();
    for to in (0..count).filter(|to| Some(*to) != from) {
        let delay = {
            let inner = &mut *world.borrow_mut();
            if !inner.pages[to].alive || !inner.pages[to].listening {
                continue;
            }
            let at = (inner.now + inner.rng.below(20)).max(inner.pages[to].last_message);
            inner.pages[to].last_message = at;
            at - inner.now
        };
        let (text, bytes) = (text.to_string(), bytes.to_vec());
        after(world, delay, move |world| {
            let heard = {
                let inner = &mut *world.borrow_mut();
                let page = &mut inner.pages[to];
                if !page.alive || page.frozen {
                    return;
                }
                if text.starts_with(ANSWER) {
                    let found = page
                        .answers
                        .iter()
                        .position(|(mark, _)| text.starts_with(mark));
                    found.map(|at| (Some(page.answers.swap_remove(at).1), None))
                } else if let Some(slot) = page.hears.take() {
                    Some((None, Some(slot)))
                } else {
                    page.inbox.push_back((text.clone(), bytes.clone()));
                    None
                }
            };
            match heard {
                Some((Some(answer), _)) => answer.set(Some(bytes)),
                Some((_, Some(hears))) => hears.set(Some((text, bytes))),
                _ => {}
            }
        });
    }
}

/// Somebody who is none of ours answers the last question that he has heard.
pub fn answer_overheard(world: World) {
    let (text, bytes) = {
        let inner = &mut *world.borrow_mut();
        let length = inner.rng.below(200) as usize;
        let text = format!(r#"{ANSWER}"{}"}}"#, inner.overheard);
        (text, vec![7; length])
    };
    world
        .borrow_mut()
        .note(|| format!("a stranger tells {text}"));
    tell(world, None, &text, &bytes);
}

impl Windows for Page {
    type Window = ();

    fn frame(&self) {}

    async fn show(&self, _: &(), _: &str, _: &str, _: u32) -> Result<String, WindowError> {
        Err(WindowError::Closed)
    }

    async fn deliver(&self, _: &str, _: &str) -> bool {
        false
    }

    fn close_own(&self) {}
}
