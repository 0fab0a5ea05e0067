//! Holds requests until a test lets them go, so that no test sleeps.

use tokio::sync::watch;

pub struct Gate(watch::Sender<Held>);

#[derive(Default)]
struct Held {
    path_prefixes: Vec<String>,
    waiting: usize,
}

impl Gate {
    pub fn new() -> Gate {
        Gate(watch::Sender::new(Held::default()))
    }

    pub fn hold(&self, path_prefix: &str) {
        self.0
            .send_modify(|held| held.path_prefixes.push(path_prefix.into()));
    }

    pub fn release(&self) {
        self.0.send_modify(|held| held.path_prefixes.clear());
    }

    pub fn held(&self) -> usize {
        self.0.borrow().waiting
    }

    pub async fn until_held(&self, count: usize) {
        // The sender lives as long as self, so waiting cannot fail.
        let _ = self
            .0
            .subscribe()
            .wait_for(|held| held.waiting >= count)
            .await;
    }

    /// Waits here while this path is held. A caller that hangs up meanwhile is no longer counted.
    pub async fn pass(&self, method: &str, path: &str) {
        let whole = format!("{method} {path}");
        let is_free = |held: &Held| {
            !held
                .path_prefixes
                .iter()
                .any(|prefix| path.starts_with(prefix.as_str()) || whole.starts_with(prefix))
        };
        if is_free(&self.0.borrow()) {
            return;
        }
        let mut changes = self.0.subscribe();
        let _waiting = Waiting::new(&self.0);
        let _ = changes.wait_for(is_free).await;
    }
}

struct Waiting<'a>(&'a watch::Sender<Held>);

impl Waiting<'_> {
    fn new(held: &watch::Sender<Held>) -> Waiting<'_> {
        held.send_modify(|held| held.waiting += 1);
        Waiting(held)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0
            .send_modify(|held| held.waiting = held.waiting.saturating_sub(1));
    }
}
