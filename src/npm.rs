//! What the npm package's module has instead of the standard library: a small allocator, and a panic that
//! formats nothing. No panic is reachable from outside input; this one is for bugs.

use lol_alloc::{AssumeSingleThreaded, FreeListAllocator};

// SAFETY: the module is compiled without threads; one instance is entered by one thread only.
#[global_allocator]
#[allow(unsafe_code, reason = "the allocator's word for: single-threaded")]
static ALLOCATOR: AssumeSingleThreaded<FreeListAllocator> =
    unsafe { AssumeSingleThreaded::new(FreeListAllocator::new()) };

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
