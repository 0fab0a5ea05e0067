//! Closes the generated glue.
//!
//! wasm-bindgen's glue hands out the instance (`init()` returns it, memory and all) and reaches the memory through
//! methods that the page can replace (`decoder.decode(view)`, `memory.buffer`, `table.set(..)`). Of the generated
//! text we keep the table of imports and the exported functions; what touches memory and tables is
//! `pkg-template/memory.js`. What is kept is checked: it may name nothing of the platform's.
//!
//! An instance can be had (a V8 stack trace names it), so it is made worth nothing: the module exports nothing. What it
//! exported is in a table of functions that it imports, as its memory and its table of references are.

use anyhow::{Context as _, Result, bail, ensure};
use std::fmt::Write as _;
use walrus::ir::Value;
use walrus::{ConstExpr, ElementItems, ElementKind, ExportItem, FunctionId, Module, RefType};

/// What `pkg-template/memory.js` has for every module.
const OURS: &str = "import { CRASHED, Error, getRandomValues, heap, isLikeNone } from '#memory'\n";

/// What its `heap` gives for one.
const OF_HEAP: &[&str] = &[
    "addToExternrefTable0",
    "getArrayU8FromWasm0",
    "getStringFromWasm0",
    "giveBytes",
    "giveText",
    "handleError",
    "open",
    "passArray8ToWasm0",
    "passStringToWasm0",
    "passedLength",
    "setTableEntry",
    "wasm",
];

/// The functions that `memory.js` calls: the first of the table, in this order, in every module.
const KNOWN: &[&str] = &[
    "__wbindgen_start",
    "__wbindgen_malloc",
    "__wbindgen_realloc",
    "__externref_table_alloc",
    "__wbindgen_exn_store",
];

/// Calls of the generated text, and ours for them.
const REPLACED: &[(&str, &str)] = &[
    ("globalThis.crypto.getRandomValues(", "getRandomValues("),
    ("const table = wasm.__wbindgen_externrefs;", ""),
    ("table.set(", "setTableEntry("),
    ("getDataViewMemory0().setInt32(", "setWord("),
    (", true);\n        }", ");\n        }"),
    (", true);\n            setWord", ");\n            setWord"),
    (", wasm.__wbindgen_malloc, wasm.__wbindgen_realloc)", ")"),
    (", wasm.__wbindgen_malloc)", ")"),
];

/// The function that `natives.js` calls with answers; nobody else gets it.
const RESUME: &str = "resume";

/// What no line that is kept may contain.
const FORBIDDEN: &[&str] = &[
    "globalThis",
    "window",
    "self.",
    "WebAssembly",
    "memory",
    "externrefs",
    "TextDecoder",
    "TextEncoder",
    "Uint8Array",
    "DataView",
    "FinalizationRegistry",
    "Reflect",
    "Object",
    "Promise",
    "Symbol",
    ".call(",
    ".apply(",
    ".bind(",
    ".then(",
    ".prototype",
    "eval",
    "import(",
    "...",
    "async ",
    "await ",
    "for (",
    "new Function",
    "export {",
    "export default",
];

/// How the generated text hands over a text, one that may be missing, and bytes.
const GIVEN: &[(&str, &str)] = &[
    (
        "const ptr1 = passStringToWasm0(ret);
            const len1 = WASM_VECTOR_LEN;
            setWord((arg0 >>> 0) + 4 * 1, len1);
            setWord((arg0 >>> 0) + 4 * 0, ptr1);",
        "giveText(arg0 >>> 0, ret);",
    ),
    (
        "var ptr1 = isLikeNone(ret) ? 0 : passStringToWasm0(ret);
            var len1 = WASM_VECTOR_LEN;
            setWord((arg0 >>> 0) + 4 * 1, len1);
            setWord((arg0 >>> 0) + 4 * 0, ptr1);",
        "giveText(arg0 >>> 0, ret);",
    ),
    (
        "const ptr1 = passArray8ToWasm0(ret);
            const len1 = WASM_VECTOR_LEN;
            setWord((arg0 >>> 0) + 4 * 1, len1);
            setWord((arg0 >>> 0) + 4 * 0, ptr1);",
        "giveBytes(arg0 >>> 0, ret);",
    ),
    ("WASM_VECTOR_LEN", "passedLength()"),
];

/// What the build makes of the generated module.
pub struct Sealed {
    /// `start(module, done, failed)`, whose `done` gets the function of the module; nothing else.
    pub glue: String,
    /// `pkg-template/memory.js`, with the places of the functions; the same for every module.
    pub memory: String,
    /// The module, with short names for its imports and no exports.
    pub wasm: Vec<u8>,
}

/// Seals the glue over `memory` (`pkg-template/memory.js`).
pub fn seal(glue: &str, memory: &str, wasm: &[u8]) -> Result<Sealed> {
    let mut sealed = String::from(OURS);
    let mut namespaces = Vec::new();
    let mut exported = Vec::new();
    let mut functions = String::new();
    let mut table = String::new();
    for chunk in chunks(glue) {
        let first = chunk.lines().next().unwrap_or_default();
        if let Some(rest) = first.strip_prefix("import ") {
            let (names, path) = rest
                .split_once(" from ")
                .context("an import without from")?;
            let path = path.trim_end_matches(';').trim_matches(['\'', '"']);
            let (_, file) = path
                .split_once("/src/")
                .context("an import from outside src/")?;
            match names.strip_prefix("* as ") {
                Some(_) => namespaces.push((path.to_owned(), file.to_owned())),
                None => writeln!(sealed, "import {names} from '#src/{file}'")?,
            }
        } else if let Some(rest) = chunk.strip_prefix("export function ") {
            exported.push(rest.split('(').next().unwrap_or_default().to_owned());
            functions.push_str(chunk.trim_start_matches("export "));
        } else if chunk.starts_with("function __wbg_get_imports(") {
            table = chunk;
        }
    }
    exported.retain(|name| name != RESUME);
    exported.sort();
    ensure!(
        exported == ["ask"],
        "the glue exports {exported:?} and not only ask"
    );
    let (_, table) = table
        .split_once("__proto__: null,\n")
        .context("the import table")?;
    let (table, _) = table
        .split_once("\n    };\n    return {")
        .context("its end")?;
    let mut table = format!("{table}\n");

    let mut module = Module::from_buffer(wasm)?;
    let (pages, references) = import_memory_and_table(&mut module)?;
    let places = hide_functions(&mut module)?;
    for (n, import) in module.imports.iter_mut().enumerate() {
        if import.module == OWN {
            import.module = "a".into();
            continue;
        }
        let short = short_name(n);
        let long = format!("        {}: function(", import.name);
        if table.contains(&long) {
            table = table.replace(&long, &format!("        {short}: function("));
        } else {
            let file = namespaces.iter().find(|(path, _)| *path == import.module);
            let (_, file) = file.with_context(|| format!("no import for {}", import.name))?;
            writeln!(
                sealed,
                "import {{ {} as import_{short} }} from '#src/{file}'",
                import.name
            )?;
            writeln!(table, "        {short}: import_{short},")?;
        }
        import.module = "a".into();
        import.name = short;
    }

    let mut body =
        format!("{functions}const imports = {{\n        __proto__: null,\n{table}    }}\n");
    body = body
        .lines()
        .filter(|line| !line.trim_start().starts_with(['/', '*']))
        .map(|line| format!("{line}\n"))
        .collect();
    for (theirs, ours) in REPLACED {
        body = body.replace(theirs, ours);
    }
    for (theirs, ours) in GIVEN {
        body = body.replace(theirs, ours);
    }
    for line in body.lines() {
        if let Some(word) = FORBIDDEN.iter().find(|word| line.contains(**word)) {
            bail!(
                "the glue says {word:?} where memory.js should: {}",
                line.trim()
            );
        }
    }
    let of_heap: Vec<_> = OF_HEAP
        .iter()
        .copied()
        .filter(|name| *name == "open" || words(&body).any(|word| word == *name))
        .collect();
    let of_heap = of_heap.join(", ");
    let known = format!("{sealed}{functions}{of_heap}");
    for name in called(&body) {
        let there = words(&known).any(|word| word == name);
        ensure!(there, "the glue calls {name}, which memory.js lacks");
    }
    let mut memory = memory.to_owned();
    for (n, name) in places.iter().enumerate() {
        let (long, short) = (format!("wasm.{name}"), format!("wasm[{n}]"));
        body = rename(&body, &long, &short);
        memory = rename(&memory, &long, &short);
    }
    for script in [&body, &memory] {
        let left = script.split("wasm.").nth(1).map(|rest| words(rest).next());
        ensure!(left.is_none(), "no function {left:?} in the module");
    }
    let count = places.len();
    write!(
        sealed,
        "import {{ connect }} from '#src/browser/natives.js'\n\
         export const start = (module, done, failed) => {{\n\
         const {{ {of_heap} }} = heap({pages}, {references}, {count})\n\
         {body}\
         connect({RESUME}, CRASHED)\n\
         open(module, imports, () => done(ask), failed)\n\
         }}\n"
    )?;
    Ok(Sealed {
        glue: sealed,
        memory,
        wasm: module.emit_wasm(),
    })
}

/// The module of imports that `memory.js` makes itself.
const OWN: &str = "memory.js";

/// Has the module import its memory and its table of references instead of exporting them: a stack trace can name
/// an instance, but not what it imports. Gives their initial sizes.
fn import_memory_and_table(module: &mut Module) -> Result<(u64, u64)> {
    let mut sizes = (0, 0);
    let exported: Vec<_> = module
        .exports
        .iter()
        .map(|export| (export.id(), export.item))
        .collect();
    for (id, item) in exported {
        match item {
            ExportItem::Memory(memory) => {
                let import = module.imports.add(OWN, "memory", memory);
                let memory = module.memories.get_mut(memory);
                memory.import = Some(import);
                sizes.0 = memory.initial;
            }
            ExportItem::Table(table) => {
                let import = module.imports.add(OWN, "table", table);
                let table = module.tables.get_mut(table);
                table.import = Some(import);
                sizes.1 = table.initial;
            }
            _ => continue,
        }
        module.exports.delete(id);
    }
    ensure!(
        sizes.0 > 0 && sizes.1 > 0,
        "a memory and a table: {sizes:?}"
    );
    Ok(sizes)
}

/// Puts the exported functions into a table that the module imports, and exports nothing. Gives their names, by their
/// places in the table.
fn hide_functions(module: &mut Module) -> Result<Vec<String>> {
    let mut functions: Vec<(String, Option<FunctionId>)> = KNOWN
        .iter()
        .map(|name| ((*name).to_owned(), None))
        .collect();
    let exported: Vec<_> = module
        .exports
        .iter()
        .map(|export| (export.id(), export.name.clone(), export.item))
        .collect();
    for (id, name, item) in exported {
        module.exports.delete(id);
        // wasm-bindgen exports globals too, for handlers that the generated glue has not.
        let ExportItem::Function(function) = item else {
            continue;
        };
        match functions.iter_mut().find(|(known, _)| *known == name) {
            Some((_, place)) => *place = Some(function),
            None => functions.push((name, Some(function))),
        }
    }
    let size = functions.len() as u64;
    let kind = RefType::FUNCREF;
    let (table, _) = module.add_import_table(OWN, "functions", false, size, None, kind);
    let items = functions
        .iter()
        .map(|(_, function)| function.map_or(ConstExpr::RefNull(kind), ConstExpr::RefFunc))
        .collect();
    let segment = module.elements.add(
        ElementKind::Active {
            table,
            offset: ConstExpr::Value(Value::I32(0)),
        },
        ElementItems::Expressions(kind, items),
    );
    module.tables.get_mut(table).elem_segments.insert(segment);
    Ok(functions.into_iter().map(|(name, _)| name).collect())
}

/// Replaces a name where it is not the beginning of a longer one.
fn rename(script: &str, long: &str, short: &str) -> String {
    let mut parts = script.split(long);
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let longer = part.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$');
        out.push_str(if longer { long } else { short });
        out.push_str(part);
    }
    out
}

/// The identifiers of a script, in order.
fn words(script: &str) -> impl DoubleEndedIterator<Item = &str> {
    script.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '$')
}

/// What a script calls by its bare name.
fn called(script: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for (at, _) in script.match_indices('(') {
        let before = &script[..at];
        let name = words(before).next_back().unwrap_or_default();
        let method = before[..at - name.len()].ends_with('.');
        if !name.is_empty() && !method && !["function", "typeof", "if", "Error"].contains(&name) {
            names.push(name);
        }
    }
    names
}

/// a, b, .. z, ba, bb, ..
fn short_name(n: usize) -> String {
    let last = char::from(b'a' + (n % 26) as u8);
    match n / 26 {
        0 => last.to_string(),
        more => format!("{}{last}", short_name(more)),
    }
}

/// The statements at the left margin, each with its block.
fn chunks(glue: &str) -> Vec<String> {
    let mut chunks: Vec<String> = Vec::new();
    let mut open = false;
    for line in glue.lines() {
        let starts = !open && !line.is_empty() && !line.starts_with([' ', '*', '/']);
        match chunks.last_mut() {
            Some(last) if open || !starts => last.push_str(line),
            _ => chunks.push(line.to_owned()),
        }
        if let Some(last) = chunks.last_mut() {
            last.push('\n');
        }
        if starts {
            open = line.ends_with('{');
        } else if open && line.starts_with('}') {
            open = false;
        }
    }
    chunks
}
