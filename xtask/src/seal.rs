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
use std::collections::{BTreeMap, BTreeSet};
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

/// A part of the library as wasm-bindgen gives it.
pub struct Bound {
    pub glue: String,
    pub wasm: Vec<u8>,
}

/// What the build makes of them.
pub struct Sealed {
    /// `start(part, module, done, failed)`, whose `done` gets the function of the module; nothing else. It has what any of
    /// the parts imports.
    pub glue: String,
    /// `pkg-template/memory.js`, with the places of the functions; the same for every module.
    pub memory: String,
    /// The modules, with short names for their imports and no exports.
    pub wasm: Vec<Vec<u8>>,
}

/// What the parts have in common, as far as it is known.
#[derive(Default)]
struct Glue {
    /// Functions that the generated text imports by their names.
    imports: BTreeSet<String>,
    /// The functions of the modules, by name.
    functions: BTreeMap<String, String>,
    /// What the modules import, each once: the text of a function, or one of ours.
    table: Vec<String>,
    /// The names of what the modules export, by their places in the table of functions.
    places: Vec<String>,
    /// Of memory, and of the table of references: enough for each.
    pages: u64,
    references: u64,
}

/// Seals the glue over `memory` (`pkg-template/memory.js`).
pub fn seal(parts: &[Bound], memory: &str) -> Result<Sealed> {
    let mut all = Glue {
        places: KNOWN.iter().map(|name| (*name).to_owned()).collect(),
        ..Glue::default()
    };
    let mut modules = Vec::new();
    for part in parts {
        modules.push(all.add(part)?);
    }
    for module in &mut modules {
        hide_functions(module, &all.places)?;
    }
    let (glue, memory) = all.sealed(memory)?;
    Ok(Sealed {
        glue,
        memory,
        wasm: modules.iter_mut().map(Module::emit_wasm).collect(),
    })
}

impl Glue {
    /// Adds what a part needs. Its module, with short names for its imports.
    fn add(&mut self, part: &Bound) -> Result<Module> {
        let mut namespaces = Vec::new();
        let mut exported = Vec::new();
        let mut table = String::new();
        for chunk in chunks(&part.glue) {
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
                    None => {
                        for name in names.trim_matches(['{', '}', ' ']).split(", ") {
                            let line = format!("import {{ {name} }} from '#src/{file}'");
                            self.imports.insert(line);
                        }
                    }
                }
            } else if let Some(rest) = chunk.strip_prefix("export function ") {
                let name = rest.split('(').next().unwrap_or_default().to_owned();
                let text = clean(chunk.trim_start_matches("export "));
                let known = self.functions.entry(name.clone()).or_insert(text.clone());
                ensure!(*known == text, "{name} differs from part to part");
                exported.push(name);
            } else if chunk.starts_with("function __wbg_get_imports(") {
                table = chunk;
            }
        }
        exported.retain(|name| name != RESUME);
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
        let table = entries(table)?;

        let mut module = Module::from_buffer(&part.wasm)?;
        let (pages, references) = import_memory_and_table(&mut module)?;
        self.pages = self.pages.max(pages);
        self.references = self.references.max(references);
        for export in module.exports.iter() {
            let is_function = matches!(export.item, ExportItem::Function(_));
            if is_function && !self.places.contains(&export.name) {
                self.places.push(export.name.clone());
            }
        }
        for import in module.imports.iter_mut() {
            if import.module == OWN {
                continue;
            }
            let text = match table.get(&import.name) {
                Some(text) => clean(text),
                None => {
                    let file = namespaces.iter().find(|(path, _)| *path == import.module);
                    let (_, file) =
                        file.with_context(|| format!("no import for {}", import.name))?;
                    let name = format!("import_{}", import.name);
                    let line = format!("import {{ {} as {name} }} from '#src/{file}'", import.name);
                    self.imports.insert(line);
                    name
                }
            };
            let place = match self.table.iter().position(|known| *known == text) {
                Some(place) => place,
                None => {
                    self.table.push(text);
                    self.table.len() - 1
                }
            };
            import.module = "a".into();
            import.name = short_name(place);
        }
        Ok(module)
    }

    /// The glue and what it stands on.
    fn sealed(&self, memory: &str) -> Result<(String, String)> {
        let mut body: String = self.functions.values().map(String::as_str).collect();
        body.push_str("const imports = {\n        __proto__: null,\n");
        for (place, text) in self.table.iter().enumerate() {
            let text = text.trim_end().trim_end_matches(',');
            writeln!(body, "        {}: {text},", short_name(place))?;
        }
        body.push_str("    }\n");
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
        let imports: String = self
            .imports
            .iter()
            .map(|line| format!("{line}\n"))
            .collect();
        let functions: String = self.functions.values().map(String::as_str).collect();
        let known = format!("{OURS}{imports}{functions}{of_heap}");
        for name in called(&body) {
            let there = words(&known).any(|word| word == name);
            ensure!(there, "the glue calls {name}, which memory.js lacks");
        }
        let mut memory = memory.to_owned();
        for (n, name) in self.places.iter().enumerate() {
            let (long, short) = (format!("wasm.{name}"), format!("wasm[{n}]"));
            body = rename(&body, &long, &short);
            memory = rename(&memory, &long, &short);
        }
        for script in [&body, &memory] {
            let left = script.split("wasm.").nth(1).map(|rest| words(rest).next());
            ensure!(left.is_none(), "no function {left:?} in the module");
        }
        let (pages, references, count) = (self.pages, self.references, self.places.len());
        let glue = format!(
            "{OURS}{imports}import {{ connect }} from '#src/browser/natives.js'\n\
             export const start = (part, module, done, failed) => {{\n\
             const {{ {of_heap} }} = heap({pages}, {references}, {count})\n\
             {body}\
             connect({RESUME}, CRASHED, part)\n\
             open(module, imports, () => done(ask), failed)\n\
             }}\n"
        );
        Ok((glue, memory))
    }
}

/// Without comments.
fn clean(script: &str) -> String {
    script
        .lines()
        .filter(|line| !line.trim_start().starts_with(['/', '*']))
        .map(|line| format!("{line}\n"))
        .collect()
}

/// The members of the import table: the text of each function, by its name.
fn entries(table: &str) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let mut last = None;
    for line in table.lines() {
        let member = line
            .strip_prefix("        ")
            .filter(|rest| !rest.starts_with([' ', '}', '/', '*']));
        if let Some((name, text)) = member.and_then(|rest| rest.split_once(": ")) {
            last = Some(name.to_owned());
            found.insert(name.to_owned(), format!("{text}\n"));
            continue;
        }
        let name = last
            .as_ref()
            .context("a table that begins with no member")?;
        let text = found.get_mut(name).context("a member")?;
        text.push_str(line);
        text.push('\n');
    }
    Ok(found)
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

/// Puts the exported functions into a table that the module imports, each at its place, and exports nothing.
fn hide_functions(module: &mut Module, places: &[String]) -> Result<()> {
    let mut functions: Vec<Option<FunctionId>> = vec![None; places.len()];
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
        let at = places.iter().position(|known| *known == name);
        functions[at.context("a function without a place")?] = Some(function);
    }
    let size = functions.len() as u64;
    let kind = RefType::FUNCREF;
    let (table, _) = module.add_import_table(OWN, "functions", false, size, None, kind);
    let items = functions
        .iter()
        .map(|function| function.map_or(ConstExpr::RefNull(kind), ConstExpr::RefFunc))
        .collect();
    let segment = module.elements.add(
        ElementKind::Active {
            table,
            offset: ConstExpr::Value(Value::I32(0)),
        },
        ElementItems::Expressions(kind, items),
    );
    module.tables.get_mut(table).elem_segments.insert(segment);
    for import in module.imports.iter_mut() {
        if import.module == OWN {
            import.module = "a".into();
        }
    }
    Ok(())
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
