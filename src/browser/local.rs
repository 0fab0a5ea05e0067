//! What one page (one wasm instance, one thread) holds.

use core::cell::RefCell;

/// A value that is used by one caller at a time. Whoever comes back while it is in use stops the module: a mistake of ours,
/// never two references to one value. Without a message it costs a few bytes a place.
#[derive(Debug)]
pub struct Local<T>(RefCell<T>);

// SAFETY: the module is compiled without threads; one instance is entered by one thread only.
#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
#[allow(unsafe_code, reason = "a static of a single-threaded module")]
unsafe impl<T> Sync for Local<T> {}

impl<T> Local<T> {
    pub const fn new(value: T) -> Self {
        Self(RefCell::new(value))
    }

    /// Runs `f` on the value. `f` neither awaits nor calls the page, so it does not come back here.
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        #[cfg(any(debug_assertions, not(target_family = "wasm")))]
        assert!(
            self.0.try_borrow_mut().is_ok(),
            "Local::with is entered twice"
        );
        let Ok(mut value) = self.0.try_borrow_mut() else {
            stop();
        };
        f(&mut value)
    }
}

#[cfg(target_family = "wasm")]
fn stop() -> ! {
    core::arch::wasm32::unreachable()
}

#[cfg(not(target_family = "wasm"))]
fn stop() -> ! {
    loop {
        core::hint::spin_loop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec;
    use std::vec::Vec;

    #[test]
    fn what_is_changed_is_there_the_next_time() {
        let local = Local::new(vec![1]);
        assert_eq!(local.with(|list| core::mem::replace(&mut list[0], 2)), 1);
        local.with(|list| list.push(3));
        assert_eq!(local.with(|list| list.clone()), [2, 3]);
    }

    #[test]
    #[should_panic(expected = "entered twice")]
    fn coming_back_is_a_mistake_that_tests_stop_at() {
        let local: Local<Vec<u8>> = Local::new(Vec::new());
        local.with(|_| local.with(|list| list.push(1)));
    }
}
