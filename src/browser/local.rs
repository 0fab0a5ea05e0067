//! What one page (one wasm instance, one thread) holds.

use core::cell::{Cell, UnsafeCell};

/// A value that is used by one caller at a time. Whoever comes back while it is in use stops the module: a mistake of ours,
/// never two references to one value. Without a message, and with one check for all types (a `RefCell` has one for each):
/// half a kilobyte of brotli less in `session`, one in `full`.
pub struct Local<T> {
    is_used: Cell<bool>,
    value: UnsafeCell<T>,
}

// SAFETY: the module is compiled without threads; one instance is entered by one thread only.
#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
#[allow(unsafe_code, reason = "a static of a single-threaded module")]
unsafe impl<T> Sync for Local<T> {}

impl<T> Local<T> {
    pub const fn new(value: T) -> Self {
        Self {
            is_used: Cell::new(false),
            value: UnsafeCell::new(value),
        }
    }

    /// Runs `f` on the value. `f` neither awaits nor calls the page, so it does not come back here.
    #[inline(always)]
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        let _use = Use::begin(&self.is_used);
        // SAFETY: one `Use` of a value is there at a time, and the reference ends before it: `f` takes any lifetime, so
        // it cannot give the reference away.
        #[allow(unsafe_code, reason = "what a RefCell does")]
        f(unsafe { &mut *self.value.get() })
    }
}

/// A value is in use until this is dropped.
struct Use<'a>(&'a Cell<bool>);

impl<'a> Use<'a> {
    #[inline(never)]
    fn begin(is_used: &'a Cell<bool>) -> Self {
        #[cfg(any(debug_assertions, not(target_family = "wasm")))]
        assert!(!is_used.get(), "Local::with is entered twice");
        if is_used.replace(true) {
            stop();
        }
        Self(is_used)
    }
}

impl Drop for Use<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        self.0.set(false);
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

    #[test]
    fn a_panic_leaves_the_value_to_the_next_caller() {
        let local = Local::new(1);
        let panics = || local.with(|_| panic!("a mistake"));
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics));
        assert!(panicked.is_err());
        assert_eq!(local.with(|value| *value), 1);
    }
}
