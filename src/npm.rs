//! What the npm package's module has instead of the standard library: a small allocator, and a panic that
//! formats nothing. No panic is reachable from outside input; this one is for bugs.

#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}
