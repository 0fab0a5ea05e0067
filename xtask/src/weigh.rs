//! `cargo xtask weigh`: where the bytes of a part are.
//!
//! Weighed as wasm-opt leaves them, before brotli: which function is dear is seen there, and what it costs on the wire is
//! about 0.4 of it: the first line says what the whole costs there. What wasm-bindgen adds and the seal takes away is not in it.

use crate::size::Size;
use anyhow::Result;
use std::collections::BTreeMap;
use walrus::{FunctionKind, Module};

/// How many of the largest functions are printed.
const LARGEST: usize = 100;

pub fn run(args: &[String]) -> Result<()> {
    let part = args.first().map_or("start", String::as_str);
    let wasm = crate::package::named(part)?;
    let module = Module::from_buffer(&wasm)?;
    let mut functions = Vec::new();
    let mut subjects = BTreeMap::<String, usize>::new();
    for function in module.funcs.iter() {
        let FunctionKind::Local(local) = &function.kind else {
            continue;
        };
        let size = local
            .original_range
            .as_ref()
            .map_or(0, ExactSizeIterator::len);
        let name = function.name.as_deref().unwrap_or("without a name");
        let name = format!("{:#}", rustc_demangle::demangle(name));
        *subjects.entry(subject(&name)).or_default() += size;
        functions.push((size, name));
    }
    let data: usize = module.data.iter().map(|data| data.value.len()).sum();
    subjects.insert("data".into(), data);
    let mut subjects: Vec<_> = subjects
        .into_iter()
        .map(|(name, size)| (size, name))
        .collect();
    for list in [&mut subjects, &mut functions] {
        list.sort_by(|a, b| b.cmp(a));
    }
    let bare = without_custom_sections(&wasm);
    println!(
        "{part}: {} bytes, {} as brotli of its text, {} functions\n",
        bare.len(),
        Size::of(crate::text::of_module(&bare)?.as_bytes())?.brotli,
        functions.len()
    );
    for (size, name) in subjects.iter().chain(&[(0, String::new())]) {
        println!("{size:>7} {name}");
    }
    for (size, name) in functions.iter().take(LARGEST) {
        println!("{size:>7} {name}");
    }
    Ok(())
}

/// The module without names and what else stands in custom sections, and with the sections as they are.
fn without_custom_sections(wasm: &[u8]) -> Vec<u8> {
    let mut out = Vec::from(&wasm[..8]);
    let mut at = 8;
    while at < wasm.len() {
        let from = at;
        let id = wasm[at];
        let (mut size, mut shift) = (0, 0);
        loop {
            at += 1;
            size |= usize::from(wasm[at] & 127) << shift;
            shift += 7;
            if wasm[at] < 128 {
                break;
            }
        }
        at += 1 + size;
        if id != 0 {
            out.extend(&wasm[from..at]);
        }
    }
    out
}

/// The module that a function is of: for ours two names deep, for others the crate.
fn subject(name: &str) -> String {
    let path = name.trim_start_matches(['<', '&']);
    let path = path.split([' ', '<', '>']).next().unwrap_or(path);
    let depth = if path.starts_with("oauth_wasm::") {
        3
    } else {
        2
    };
    path.split("::").take(depth).collect::<Vec<_>>().join("::")
}
