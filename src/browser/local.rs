//! What one page (one wasm instance, one thread) holds.

use core::cell::{Cell, RefCell};

/// A value that is taken out while it is used and put back afterwards. Whoever came back meanwhile would find the empty
/// one, and what it left there would be lost: a mistake that debug builds stop at, and never two references to one value.
/// A `RefCell` would check it at a kilobyte's cost.
#[derive(Default)]
pub struct Local<T> {
    value: RefCell<T>,
    #[cfg(debug_assertions)]
    busy: Cell<bool>,
}

// SAFETY: the module is compiled without threads; one instance is entered by one thread only.
#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
#[allow(unsafe_code, reason = "a static of a single-threaded module")]
unsafe impl<T> Sync for Local<T> {}

impl<T: Default> Local<T> {
    pub const fn new(value: T) -> Self {
        Self {
            value: RefCell::new(value),
            #[cfg(debug_assertions)]
            busy: Cell::new(false),
        }
    }

    /// Runs `f` on the value. `f` neither awaits nor calls the page, so it does not come back here.
    pub fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        #[cfg(debug_assertions)]
        assert!(!self.busy.replace(true), "Local::with is entered twice");
        let Ok(mut value) = self.value.try_borrow_mut() else {
            #[cfg(target_family = "wasm")]
            core::arch::wasm32::unreachable();
            #[cfg(not(target_family = "wasm"))]
            panic!();
        };
        let result = f(&mut value);
        drop(value);
        #[cfg(debug_assertions)]
        self.busy.set(false);
        result
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
        let local: Local<Vec<u8>> = Local::default();
        local.with(|_| local.with(|list| list.push(1)));
    }
}
