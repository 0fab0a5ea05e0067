//! What is outside of a page: time, tabs, storage, records, locks, the channel, the network. One value, one thread, and a
//! seed that chooses what happens next.

use crate::page::{Page, PageId};
use crate::rng::Rng;
use crate::server::{Grant, Mood, Provider, Server};
use oauth_wasm::browser::port::{Record, Task};
use oauth_wasm::client::Held;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

/// Milliseconds since 1970 at which the simulation begins.
pub const BEGIN: u64 = 1_764_000_000_000;

thread_local! {
    /// The last things that happened.
    static TRACE: RefCell<VecDeque<String>> = const { RefCell::new(VecDeque::new()) };
}

/// From now on a panic is followed by what happened before it.
pub fn trace_panics(run: String) {
    TRACE.with_borrow_mut(VecDeque::clear);
    std::panic::set_hook(Box::new(move |panic| {
        TRACE.with_borrow(|trace| trace.iter().for_each(|line| eprintln!("{line}")));
        eprintln!("{panic}\n{run}");
    }));
}

/// The last things that happened in this thread.
pub fn trace() -> Vec<String> {
    TRACE.with_borrow(|trace| trace.iter().cloned().collect())
}

/// A run's own, until [`end`].
pub type World = &'static RefCell<Inner>;
/// What is said on the channel: a text and bytes.
type Message = (String, Vec<u8>);
type Event = Box<dyn FnOnce(World)>;
/// Pages and tasks that can go on.
type Ready = Arc<Mutex<Vec<(PageId, usize)>>>;

pub struct Inner {
    /// Milliseconds since the simulation began.
    pub now: u64,
    pub rng: Rng,
    order: u64,
    events: BTreeMap<(u64, u64), Event>,
    ready: Ready,
    pub pages: Vec<PageState>,
    pub tabs: Vec<Tab>,
    pub records: BTreeMap<String, Record>,
    pub leases: BTreeMap<String, (PageId, u64)>,
    /// What marks the answer to the last question on the channel.
    pub overheard: String,
    pub locks: BTreeMap<String, Lock>,
    /// When each lock was wanted last.
    pub wanted: BTreeMap<String, u64>,
    pub server: Server,
    /// What has arrived at servers, in its order.
    pub seen: Vec<Seen>,
    /// Answers that a script has written, for the next request each whose address ends so.
    pub scripted: Vec<(&'static str, Scripted)>,
    pub faults: Faults,
    /// How wrong the device's clock is, in milliseconds.
    pub wrong: i64,
    pub made: u64,
    /// When somebody last logged out; a page without a session ends what it could have restored.
    pub last_logout: Option<u64>,
    /// At whom a record was discarded whose refresh token may have been sent twice: the pages that have its session yet
    /// have nothing left to renew it with, wherever the two requests got.
    pub gave_up: BTreeSet<Provider>,
    /// What has happened so far, counted.
    pub steps: u64,
}

#[derive(Default)]
pub struct Tab {
    /// sessionStorage.
    pub storage: BTreeMap<String, String>,
    /// What the tab shows.
    pub page: Option<PageId>,
    /// A page that was left and waits in the back/forward cache.
    pub frozen: Option<PageId>,
}

pub struct PageState {
    /// What its flows hold.
    pub held: &'static Held<Page>,
    /// What they held before its sessions moved to another part of the library: what was under way there goes on.
    pub before: Option<&'static Held<Page>>,
    /// Whether its sessions move now, and who waits until they have.
    pub moves: bool,
    pub moved: Vec<Slot<()>>,
    pub tab: usize,
    pub alive: bool,
    pub frozen: bool,
    pub began: u64,
    tasks: Vec<Option<Task>>,
    pub listening: bool,
    pub inbox: VecDeque<Message>,
    pub hears: Option<Slot<Option<Message>>>,
    /// Marks of answers that are waited for.
    pub answers: Vec<(String, Slot<Option<Vec<u8>>>)>,
    /// When the last message to it arrives: they keep their order.
    pub last_message: u64,
    pub shown: Vec<Slot<()>>,
    /// Where the page goes, and when by its clock: a login of its own, once `navigate` was called.
    pub leaving: Option<(String, u32)>,
    /// The refresh tokens of requests that are on their way.
    pub outstanding: Vec<String>,
    /// The refresh tokens whose answers it has read, and not yet left to other pages.
    pub unwritten: Vec<String>,
    /// Those of which it has read that they were not taken, and has not yet said so.
    pub not_taken: Vec<String>,
    /// The grant of the last token that it sent anywhere, for each provider.
    pub meant: BTreeMap<Provider, Grant>,
    /// Access tokens that it has sent, and when first.
    pub had: BTreeMap<String, u64>,
    /// Access tokens that it has got from a token endpoint itself, and when they are over.
    pub got: BTreeMap<String, u64>,
    /// Those that an API has refused.
    pub refused: BTreeSet<String>,
    /// Refresh tokens that a server was too busy for: how often, and until when it is left alone.
    pub waits: BTreeMap<String, (u32, u64)>,
    /// Tokens that it has given back.
    pub gave_back: BTreeSet<String>,
    /// Grants that it has tried to renew.
    pub asked: BTreeSet<Grant>,
    /// Grants whose access tokens the page has had.
    pub used: Vec<Grant>,
    /// Grants whose tokens the page must not send any more, as it has logged out.
    pub left: BTreeSet<Grant>,
    /// Grants that it has begun to log out of for all, and those whose logout is done.
    pub leaves: BTreeSet<Grant>,
    pub has_left: BTreeSet<Grant>,
    /// What the listeners of the page were told.
    pub events: Vec<String>,
}

#[derive(Default)]
pub struct Lock {
    pub holder: Option<(PageId, u64)>,
    pub queue: VecDeque<(PageId, u64, Slot<bool>)>,
}

/// What goes wrong, in parts of a thousand, and for how long.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    pub lost_request: u64,
    pub lost_answer: u64,
    pub slow: u64,
    pub mood: u64,
    /// How often an API wants something else than a token that lives.
    pub odd: u64,
    pub records: u64,
    /// How often nothing can be written to sessionStorage.
    pub storage: u64,
    pub has_no_locks: bool,
    pub has_no_records: bool,
    pub offline: bool,
    /// The device says it is online although nothing gets through.
    pub captive: bool,
    /// No page waits long for its turn.
    pub is_prompt: bool,
    /// Nothing is written to records any more.
    pub keeps_nothing: bool,
    /// How often a stranger on the channel answers what a page asks the others.
    pub overhears: u64,
    /// Nobody hears what others say on the channel.
    pub is_deaf: bool,
    /// The server answers requests, and not the question whether it is there.
    pub hides: bool,
}

/// A request as it arrives at a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub method: String,
    pub url: String,
    pub form: BTreeMap<String, String>,
    pub authorization: String,
    /// The proof beside the token, of the header `dpop`.
    pub proof: String,
}

/// What a script has a server answer.
#[derive(Clone, Debug)]
pub enum Scripted {
    /// The server does its work, and its answer is lost.
    LostAfterWork,
    /// Something before the server answers, in a way that a page cannot read.
    Unreadable,
    /// Status, content type, challenge, body; the server does nothing besides.
    Says(u16, &'static str, &'static str, String),
}

/// Something that will be there.
pub struct Slot<T>(Rc<RefCell<Inside<T>>>);

struct Inside<T> {
    value: Option<T>,
    /// Whether it was ever there.
    was_set: bool,
    waker: Option<Waker>,
}

impl<T> Clone for Slot<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Slot<T> {
    pub fn new() -> Self {
        Self(Rc::new(RefCell::new(Inside {
            value: None,
            was_set: false,
            waker: None,
        })))
    }

    pub fn set(&self, value: T) {
        let waker = {
            let mut inner = self.0.borrow_mut();
            if !std::mem::replace(&mut inner.was_set, true) {
                inner.value = Some(value);
            }
            inner.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub fn is_set(&self) -> bool {
        self.0.borrow().was_set
    }
}

impl<T> Future for Slot<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut inner = self.0.borrow_mut();
        match inner.value.take() {
            Some(value) => Poll::Ready(value),
            None => {
                inner.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

struct TaskWaker {
    ready: Ready,
    page: PageId,
    task: usize,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        let mut ready = self.ready.lock().expect("one thread");
        if !ready.contains(&(self.page, self.task)) {
            ready.push((self.page, self.task));
        }
    }
}

pub fn new(seed: u64, tabs: usize, faults: Faults) -> World {
    Box::leak(Box::new(RefCell::new(Inner {
        now: 0,
        rng: Rng::new(seed),
        order: 0,
        events: BTreeMap::new(),
        ready: Ready::default(),
        pages: Vec::new(),
        tabs: (0..tabs).map(|_| Tab::default()).collect(),
        records: BTreeMap::new(),
        leases: BTreeMap::new(),
        overheard: String::new(),
        locks: BTreeMap::new(),
        wanted: BTreeMap::new(),
        server: Server::default(),
        seen: Vec::new(),
        scripted: Vec::new(),
        faults,
        wrong: 0,
        made: 0,
        last_logout: None,
        gave_up: BTreeSet::new(),
        steps: 0,
    })))
}

/// Frees a run.
///
/// # Safety
///
/// Nobody may use the world, its pages or their clients after this.
#[allow(unsafe_code, reason = "a million runs would not fit into memory")]
pub unsafe fn end(world: World) {
    let (events, pages) = {
        let inner = &mut *world.borrow_mut();
        (std::mem::take(&mut inner.events), inner.pages.len())
    };
    drop(events);
    for page in 0..pages {
        die(world, page);
    }
    let held: Vec<_> = {
        let inner = world.borrow();
        let pages = inner.pages.iter();
        pages
            .flat_map(|page| [Some(page.held), page.before])
            .flatten()
            .collect()
    };
    // SAFETY: each was leaked by `open`, `make_another_part` or `new` once; the caller promises the rest.
    unsafe {
        for held in held {
            drop(Box::from_raw(std::ptr::from_ref(held).cast_mut()));
        }
        drop(Box::from_raw(std::ptr::from_ref(world).cast_mut()));
    }
}

impl Inner {
    pub fn note(&mut self, what: impl FnOnce() -> String) {
        let text = format!("{:>9} {}", self.now, what());
        TRACE.with_borrow_mut(|trace| {
            if trace.len() == 400 {
                trace.pop_front();
            }
            trace.push_back(text);
        });
    }

    pub fn name(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("{kind}{}", self.made)
    }

    /// The answer that a script has for this address.
    pub fn scripted(&mut self, url: &str) -> Option<Scripted> {
        let at = (self.scripted.iter()).position(|(end, _)| url.ends_with(end))?;
        Some(self.scripted.remove(at).1)
    }

    pub fn mood(&mut self) -> Mood {
        if !self.rng.chance(self.faults.mood) {
            return Mood::Good;
        }
        match self.rng.below(5) {
            0 => Mood::SameToken,
            1 => Mood::Garbage,
            2 => Mood::Unavailable,
            3 => Mood::Echo,
            _ => Mood::SlowDown(self.rng.below(200) as u32),
        }
    }

    /// What an API says besides looking at the token.
    pub fn odd(&mut self) -> Option<(u16, &'static str)> {
        if !self.rng.chance(self.faults.odd) {
            return None;
        }
        Some(match self.rng.below(4) {
            0 => (403, ""),
            1 => (403, r#"Bearer error="insufficient_scope", scope="w""#),
            2 => (
                401,
                r#"Bearer error="insufficient_user_authentication", max_age=5"#,
            ),
            _ => (503, ""),
        })
    }

    /// Whether a record has this refresh token: then what became of it is left there to the other pages.
    pub fn is_recorded(&self, token: &str) -> bool {
        self.records.values().any(|record| has(record, token))
    }

    /// How many pages there were, and how many live.
    pub fn population(&self) -> (usize, usize) {
        let alive = self.pages.iter().filter(|page| page.alive);
        (self.pages.len(), alive.count())
    }

    /// Whether a page has got the session of a record since.
    pub fn was_held(&self, name: &str, since: u64) -> bool {
        let part = format!(".{}.", name.trim_start_matches("session."));
        let mut later = self.wanted.iter().filter(|(_, at)| **at >= since);
        later.any(|(lock, _)| lock.contains(&part))
    }

    /// The records of sessions that are kept on the device, and of which no page is left.
    pub fn orphans(&self) -> BTreeSet<String> {
        let is_held = |name: &str| {
            let name = name.trim_start_matches("session.");
            let part = format!(".{name}.");
            self.locks.keys().any(|lock| lock.contains(&part))
        };
        let kept =
            (self.records.iter()).filter(|(_, record)| record.text.contains(r#""keep":"device""#));
        kept.map(|(name, _)| name.clone())
            .filter(|name| !is_held(name))
            .collect()
    }

    /// Milliseconds until something is done.
    pub fn delay(&mut self) -> u64 {
        match self.rng.chance(self.faults.slow) {
            true => self.rng.below(40_000),
            false => self.rng.below(30),
        }
    }

    /// A page has had a token of this grant.
    pub fn used(&mut self, page: PageId, grant: Option<Grant>) {
        let used = &mut self.pages[page].used;
        used.retain(|known| Some(*known) != grant);
        used.extend(grant);
    }
}

/// Whether a record has this refresh token. What is sealed can be read here.
pub fn has(record: &Record, token: &str) -> bool {
    let quoted = format!("\"{token}\"");
    let has = |part: &[u8]| {
        part.windows(quoted.len())
            .any(|part| part == quoted.as_bytes())
    };
    has(&record.one) || has(&record.two)
}

/// Does something after so many milliseconds.
pub fn after(world: World, delay: u64, event: impl FnOnce(World) + 'static) {
    let mut inner = world.borrow_mut();
    inner.order += 1;
    let at = (inner.now + delay, inner.order);
    inner.events.insert(at, Box::new(event));
}

/// Does something later and gives what comes of it; what a page that has died asked for is done or not.
pub fn later<T: 'static>(
    world: World,
    page: PageId,
    effect: impl FnOnce(&mut Inner) -> T + 'static,
) -> Slot<T> {
    let slot = Slot::new();
    let same = slot.clone();
    let delay = world.borrow_mut().rng.below(5);
    after(world, delay, move |world| {
        let value = {
            let mut inner = world.borrow_mut();
            if !inner.pages[page].alive && inner.rng.chance(500) {
                return;
            }
            effect(&mut inner)
        };
        same.set(value);
    });
    slot
}

/// Begins a task when its turn comes.
pub fn spawn(world: World, page: PageId, task: Task) {
    let mut inner = world.borrow_mut();
    let tasks = &mut inner.pages[page].tasks;
    let id = tasks.len();
    tasks.push(Some(task));
    inner.ready.lock().expect("one thread").push((page, id));
}

/// Begins a task at once, in the middle of whoever asks for it, as the port says and `browser/task.rs` does.
pub fn spawn_now(world: World, page: PageId, task: Task) {
    let id = {
        let mut inner = world.borrow_mut();
        let tasks = &mut inner.pages[page].tasks;
        tasks.push(Some(task));
        tasks.len() - 1
    };
    run_task(world, page, id);
}

/// Opens a page in a tab, which leaves the one it shows.
pub fn open(world: World, tab: usize) -> Page {
    let before = world.borrow().tabs[tab].page;
    if let Some(before) = before {
        leave(world, before);
    }
    let mut inner = world.borrow_mut();
    let id = inner.pages.len();
    let began = inner.now;
    let held: &'static Held<Page> = Box::leak(Box::new(Held::new()));
    inner.pages.push(PageState {
        held,
        before: None,
        moves: false,
        moved: Vec::new(),
        tab,
        alive: true,
        frozen: false,
        began,
        tasks: Vec::new(),
        listening: false,
        inbox: VecDeque::new(),
        hears: None,
        answers: Vec::new(),
        last_message: 0,
        shown: Vec::new(),
        leaving: None,
        outstanding: Vec::new(),
        unwritten: Vec::new(),
        not_taken: Vec::new(),
        meant: BTreeMap::new(),
        had: BTreeMap::new(),
        got: BTreeMap::new(),
        refused: BTreeSet::new(),
        waits: BTreeMap::new(),
        gave_back: BTreeSet::new(),
        asked: BTreeSet::new(),
        used: Vec::new(),
        left: BTreeSet::new(),
        leaves: BTreeSet::new(),
        has_left: BTreeSet::new(),
        events: Vec::new(),
    });
    inner.tabs[tab].page = Some(id);
    inner.note(|| format!("tab {tab} opens page {id}"));
    drop(inner);
    Page::new(world, id, held)
}

/// Another part of the library in a page, which has no sessions yet.
pub fn make_another_part(world: World, page: PageId) -> Page {
    let held: &'static Held<Page> = Box::leak(Box::new(Held::new()));
    let state = &mut world.borrow_mut().pages[page];
    state.before = Some(std::mem::replace(&mut state.held, held));
    state.moves = true;
    Page::new(world, page, held)
}

/// The sessions of a page have moved.
pub fn have_moved(world: World, page: PageId) {
    let waiting = {
        let inner = &mut *world.borrow_mut();
        inner.note(|| format!("the sessions of page {page} have moved"));
        inner.pages[page].moves = false;
        std::mem::take(&mut inner.pages[page].moved)
    };
    for slot in waiting {
        slot.set(());
    }
}

/// The part of the library in a page that has its sessions, once they are there.
pub async fn part_of(world: World, page: PageId) -> Page {
    let slot = Slot::new();
    {
        let state = &mut world.borrow_mut().pages[page];
        match state.moves {
            true => state.moved.push(slot.clone()),
            false => slot.set(()),
        }
    }
    slot.await;
    let held = world.borrow().pages[page].held;
    Page::new(world, page, held)
}

/// A page is left: into the back/forward cache where the browser takes it, or it dies.
fn leave(world: World, page: PageId) {
    let freeze = {
        let mut inner = world.borrow_mut();
        let holds = |lock: &Lock| {
            lock.holder.is_some_and(|(holder, _)| holder == page)
                || lock.queue.iter().any(|(waiter, ..)| *waiter == page)
        };
        let busy = !inner.pages[page].outstanding.is_empty() || inner.locks.values().any(holds);
        !busy && inner.rng.chance(500)
    };
    if !freeze {
        return die(world, page);
    }
    let before = {
        let mut inner = world.borrow_mut();
        inner.pages[page].frozen = true;
        for token in std::mem::take(&mut inner.pages[page].unwritten) {
            inner.server.unread(&token);
        }
        inner.note(|| format!("page {page} freezes"));
        let tab = inner.pages[page].tab;
        inner.tabs[tab].page = None;
        inner.tabs[tab].frozen.replace(page)
    };
    if let Some(before) = before {
        die(world, before);
    }
}

/// The user goes back: the page in the back/forward cache is shown again, in the place of the one there is.
pub fn go_back(world: World, tab: usize) {
    let (shown, frozen) = {
        let mut inner = world.borrow_mut();
        let tab = &mut inner.tabs[tab];
        (tab.page, tab.frozen.take())
    };
    let Some(frozen) = frozen else {
        return;
    };
    if let Some(shown) = shown {
        die(world, shown);
    }
    let slots = {
        let mut inner = world.borrow_mut();
        inner.tabs[tab].page = Some(frozen);
        inner.pages[frozen].frozen = false;
        inner.note(|| format!("page {frozen} is shown again"));
        std::mem::take(&mut inner.pages[frozen].shown)
    };
    for slot in slots {
        slot.set(());
    }
}

/// A page dies, at whatever its tasks are waiting for.
pub fn die(world: World, page: PageId) {
    let (tasks, answers, hears) = {
        let mut inner = world.borrow_mut();
        let state = &mut inner.pages[page];
        if !state.alive {
            return;
        }
        state.alive = false;
        state.outstanding.clear();
        let unwritten = std::mem::take(&mut state.unwritten);
        let dropped = (
            std::mem::take(&mut state.tasks),
            std::mem::take(&mut state.answers),
            state.hears.take(),
        );
        let tab = state.tab;
        for token in unwritten {
            inner.server.unread(&token);
        }
        let tab = &mut inner.tabs[tab];
        if tab.page == Some(page) {
            tab.page = None;
        }
        if tab.frozen == Some(page) {
            tab.frozen = None;
        }
        inner.note(|| format!("page {page} dies"));
        dropped
    };
    drop((tasks, answers, hears));
    let names = {
        let mut inner = world.borrow_mut();
        for lock in inner.locks.values_mut() {
            lock.queue.retain(|(waiter, ..)| *waiter != page);
        }
        let held = |lock: &Lock| lock.holder.is_some_and(|(holder, _)| holder == page);
        let held = inner.locks.iter().filter(|(_, lock)| held(lock));
        held.map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    for name in names {
        release(world, &name, None);
    }
}

/// Gives a lock to the next who waits. `by`: only where this one holds it.
pub fn release(world: World, name: &str, by: Option<u64>) {
    let next = {
        let mut inner = world.borrow_mut();
        let Some(lock) = inner.locks.get_mut(name) else {
            return;
        };
        let holder = lock.holder.map(|(_, id)| id);
        if by.is_some() && holder != by {
            lock.queue.retain(|(_, waiter, _)| Some(*waiter) != by);
            return;
        }
        lock.holder = None;
        let next = lock.queue.pop_front();
        if let Some((page, id, _)) = &next {
            lock.holder = Some((*page, *id));
        }
        let free = lock.holder.is_none();
        if free {
            inner.locks.remove(name);
        }
        next
    };
    if let Some((_, _, slot)) = next {
        slot.set(true);
    }
}

/// Whether a task of a page that is shown can go on now.
pub fn is_busy(world: World) -> bool {
    let inner = world.borrow();
    let ready = inner.ready.lock().expect("one thread");
    let mut able = ready.iter().map(|(page, _)| &inner.pages[*page]);
    able.any(|page| page.alive && !page.frozen)
}

/// One step: a task goes on, or what comes next comes. False: nothing will ever happen.
pub fn step(world: World) -> bool {
    let chosen = {
        let mut inner = world.borrow_mut();
        inner.steps += 1;
        let ready = inner.ready.clone();
        let mut ready = ready.lock().expect("one thread");
        ready.retain(|(page, _)| inner.pages[*page].alive);
        let able: Vec<_> = (0..ready.len())
            .filter(|at| !inner.pages[ready[*at].0].frozen)
            .collect();
        let next = inner
            .events
            .keys()
            .next()
            .map(|(at, _)| at.saturating_sub(inner.now));
        // A page may have to wait for its turn, for long but rarely.
        let patience = match next {
            Some(0..50) => 900,
            Some(_) if inner.faults.is_prompt => 1000,
            Some(_) => 998,
            None => 1000,
        };
        let runs = !able.is_empty() && inner.rng.chance(patience);
        match runs {
            true => {
                let at = able[inner.rng.index(able.len())];
                Some(ready.swap_remove(at))
            }
            false => None,
        }
    };
    let Some((page, task)) = chosen else {
        let event = {
            let mut inner = world.borrow_mut();
            let Some(((at, _), event)) = inner.events.pop_first() else {
                return false;
            };
            inner.now = inner.now.max(at);
            event
        };
        event(world);
        return true;
    };
    run_task(world, page, task);
    true
}

/// Runs a task until it must wait.
fn run_task(world: World, page: PageId, task: usize) {
    let (future, ready) = {
        let mut inner = world.borrow_mut();
        (inner.pages[page].tasks[task].take(), inner.ready.clone())
    };
    let Some(mut future) = future else {
        return;
    };
    let waker = Waker::from(Arc::new(TaskWaker { ready, page, task }));
    let done = future
        .as_mut()
        .poll(&mut Context::from_waker(&waker))
        .is_ready();
    if done {
        return drop(future);
    }
    let mut inner = world.borrow_mut();
    let state = &mut inner.pages[page];
    if state.alive {
        state.tasks[task] = Some(future);
    } else {
        drop(inner);
        drop(future);
    }
}
