//! Takes the panic messages out of the module.
//!
//! The npm build's panic handler says nothing, yet the compiler keeps what it would have to say: messages, source
//! paths and the formatting code. Stable Rust has no switch for that (`panic=immediate-abort` is nightly's), so the
//! functions that only ever panic get `unreachable` for a body, and wasm-opt drops what nobody calls any more.

use anyhow::{Result, bail, ensure};
use walrus::ir::Value;
use walrus::{ConstExpr, DataKind, FunctionBuilder, FunctionKind, Module};

/// Parts of the mangled names of functions that never return.
const NEVER_RETURN: &[&str] = &[
    "4core9panicking",
    "4core4cell22panic_already",
    "4core3str16slice_error_fail",
    "5slice5index16slice_index_fail",
    "6result13unwrap_failed",
    "6option13unwrap_failed",
    "6option13expect_failed",
    "17len_mismatch_fail",
    "13assert_failed",
    "7raw_vec12handle_error",
    "7raw_vec17capacity_overflow",
    "5alloc18handle_alloc_error",
];

/// Part of the names of the formatting code. The library formats nothing in the browser; what is left of this was
/// for panic messages and is held by the function table.
const FORMATTING: &str = "4core3fmt";

/// The module without its panic messages.
pub fn snip(wasm: &[u8]) -> Result<Vec<u8>> {
    let mut module = Module::from_buffer(wasm)?;
    let found: Vec<_> = module
        .funcs
        .iter()
        .filter(|function| {
            let name = function.name.as_deref().unwrap_or("");
            name.contains(FORMATTING) || NEVER_RETURN.iter().any(|part| name.contains(part))
        })
        .map(|function| (function.id(), function.ty()))
        .collect();
    ensure!(
        !found.is_empty(),
        "no panicking function found: have the names changed?"
    );
    for (id, ty) in found {
        let (params, results) = module.types.params_results(ty);
        let (params, results) = (params.to_vec(), results.to_vec());
        let args = params.iter().map(|ty| module.locals.add(*ty)).collect();
        let mut builder = FunctionBuilder::new(&mut module.types, &params, &results);
        builder.func_body().unreachable();
        module.funcs.get_mut(id).kind = FunctionKind::Local(builder.local_func(args));
    }
    let ids: Vec<_> = module.data.iter().map(|data| data.id()).collect();
    for id in ids {
        let data = module.data.get_mut(id);
        let DataKind::Active { offset, .. } = &data.kind else {
            continue;
        };
        let ConstExpr::Value(Value::I32(offset)) = offset else {
            bail!("a data segment at no fixed place");
        };
        forget_locations(&mut data.value, *offset as u32);
    }
    Ok(module.emit_wasm())
}

/// Overwrites source paths and the `core::panic::Location`s (address, length, line, column) that point at them with
/// zeros: nobody reads them any more, and they would name directories of this machine.
fn forget_locations(data: &mut [u8], start: u32) {
    let word = |data: &[u8], at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|i| data[at + i]));
    let mut paths = Vec::new();
    for at in (0..data.len().saturating_sub(15)).step_by(4) {
        let (address, length) = (word(data, at), word(data, at + 4) as usize);
        let (line, column) = (word(data, at + 8), word(data, at + 12));
        let Some(from) = address.checked_sub(start).map(|from| from as usize) else {
            continue;
        };
        let Some(text) = data.get(from..from.saturating_add(length)) else {
            continue;
        };
        if text.ends_with(b".rs") && (1..20_000).contains(&line) && (1..500).contains(&column) {
            paths.push((from, length));
            data[at..at + 16].fill(0);
        }
    }
    for (from, length) in paths {
        data[from..from + length].fill(0);
    }
}
