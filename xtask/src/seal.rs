//! Closes the generated glue.
//!
//! wasm-bindgen's glue hands out the instance (`init()` returns it, memory and all) and reaches the memory through
//! methods that the page can replace (`decoder.decode(view)`, `memory.buffer`, `table.set(..)`). Of the generated
//! text we keep the table of imports and the exported functions; what touches memory and tables is
//! `pkg-template/memory.js`. What is kept is checked: it may name nothing of the platform's.

use anyhow::{Context as _, Result, bail, ensure};
use std::fmt::Write as _;
use walrus::{ExportItem, Module};

/// What `pkg-template/memory.js` puts in the place of the generated functions.
const OURS: &str = "import { CRASHED, Error, WASM_VECTOR_LEN, addToExternrefTable0, getArrayU8FromWasm0, getRandomValues, getStringFromWasm0, \
    giveText, handleError, isLikeNone, open, passArray8ToWasm0, passStringToWasm0, setTableEntry, setWord, \
    wasm } from '#memory'\n";

/// Calls of the generated text, and ours for them.
const REPLACED: &[(&str, &str)] = &[
    ("globalThis.crypto.getRandomValues(", "getRandomValues("),
    ("const table = wasm.__wbindgen_externrefs;", ""),
    ("table.set(", "setTableEntry("),
    ("getDataViewMemory0().setInt32(", "setWord("),
    (", true);\n        }", ");\n        }"),
    (", true);\n            setWord", ");\n            setWord"),
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

/// How the generated text hands a text over, and one that may be missing.
const TEXTS: &[&str] = &[
    "const ptr1 = passStringToWasm0(ret, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
            const len1 = WASM_VECTOR_LEN;
            setWord((arg0 >>> 0) + 4 * 1, len1);
            setWord((arg0 >>> 0) + 4 * 0, ptr1);",
    "var ptr1 = isLikeNone(ret) ? 0 : passStringToWasm0(ret, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
            var len1 = WASM_VECTOR_LEN;
            setWord((arg0 >>> 0) + 4 * 1, len1);
            setWord((arg0 >>> 0) + 4 * 0, ptr1);",
];

/// What the build makes of the generated module.
pub struct Sealed {
    /// The functions of the package and `start(module)`, nothing else.
    pub glue: String,
    /// `pkg-template/memory.js`, with the module's names.
    pub memory: String,
    /// The module, with short names for its imports and exports.
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
            functions.push_str(&chunk);
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
    let (pages, entries) = import_memory_and_table(&mut module)?;
    let mut memory = memory
        .replace("MEMORY_PAGES", &pages.to_string())
        .replace("TABLE_SIZE", &entries.to_string());
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

    let mut body = format!(
        "{functions}const imports = {{\n    __proto__: null,\n    a: {{\n        __proto__: null,\n{table}    }},\n}}\n"
    );
    body = body
        .lines()
        .filter(|line| !line.trim_start().starts_with(['/', '*']))
        .map(|line| format!("{line}\n"))
        .collect();
    for (theirs, ours) in REPLACED {
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
    let known = format!("{sealed}{functions}");
    for name in called(&body) {
        let there = words(&known).any(|word| word == name);
        ensure!(there, "the glue calls {name}, which memory.js lacks");
    }
    for text in TEXTS {
        body = body.replace(text, "giveText(arg0 >>> 0, ret);");
    }
    for (n, export) in module.exports.iter_mut().enumerate() {
        let (long, short) = (
            format!("wasm.{}", export.name),
            format!("wasm.{}", short_name(n)),
        );
        body = rename(&body, &long, &short);
        memory = rename(&memory, &long, &short);
        export.name = short_name(n);
    }
    sealed.push_str(&body);
    writeln!(
        sealed,
        "import {{ connect }} from '#src/browser/natives.js'
\
         connect({RESUME}, CRASHED)
\
         export const start = (module, done, failed) => open(module, imports, done, failed)"
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
