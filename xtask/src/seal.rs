//! Closes the generated glue.
//!
//! wasm-bindgen's glue hands out the instance (`init()` returns it, memory and all) and reaches the memory through
//! methods that the page can replace (`decoder.decode(view)`, `memory.buffer`, `table.set(..)`). Of the generated
//! text we keep nothing but what it says: which function of ours an import is, and how its values cross. All of it must be
//! of a form that is known here. What does it is `pkg-template/memory.js`; each import's signature is its name in the
//! module, so that the entry carries a list of functions and no text for each.
//!
//! An instance can be had (a V8 stack trace names it), so it is made worth nothing: the module exports nothing. What it
//! exported is in a table of functions that it imports, as its memory and its table of references are.

use anyhow::{Context as _, Result, ensure};
use std::collections::{BTreeMap, BTreeSet};
use walrus::ir::Value;
use walrus::{ConstExpr, ElementItems, ElementKind, ExportItem, FunctionId, Module, RefType};

/// The functions that `memory.js` calls: the first of the table, in this order, in every module.
const KNOWN: &[&str] = &[
    "__wbindgen_start",
    "__wbindgen_malloc",
    "__wbindgen_realloc",
    "__externref_table_alloc",
    "__wbindgen_exn_store",
    "ask",
    "resume",
];

/// What wasm-bindgen brings along, by its name: the generated text, the function of `memory.js` that does the same, and its
/// signature.
const BROUGHT: &[(&str, &str, &str, &str)] = &[
    (
        "__wbindgen_boolean_get",
        "const v = arg0; const ret = typeof(v) === 'boolean' ? v : undefined; return isLikeNone(ret) ? 0xFFFFFF : ret ? 1 : 0;",
        "asBoolean",
        "r",
    ),
    (
        "__wbindgen_is_falsy",
        "const ret = !arg0; return ret;",
        "isFalsy",
        "r",
    ),
    (
        "__wbindgen_is_undefined",
        "const ret = arg0 === undefined; return ret;",
        "isUndefined",
        "r",
    ),
    (
        "__wbindgen_string_get",
        "const obj = arg1; const ret = typeof(obj) === 'string' ? obj : undefined; var ptr1 = isLikeNone(ret) ? 0 : passStringToWasm0(ret, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc); var len1 = WASM_VECTOR_LEN; getDataViewMemory0().setInt32((arg0 >>> 0) + 4 * 1, len1, true); getDataViewMemory0().setInt32((arg0 >>> 0) + 4 * 0, ptr1, true);",
        "asText",
        "tv",
    ),
    (
        "__wbindgen_throw",
        "throw new Error(getStringFromWasm0(arg0, arg1));",
        "fail",
        "rt",
    ),
    (
        "getRandomValues",
        "globalThis.crypto.getRandomValues(getArrayU8FromWasm0(arg0, arg1)); }, arguments);",
        "getRandomValues",
        "cb",
    ),
];

/// The import that sets the first entries of the table of references, and what it must do: the last four are constants.
const INITIAL: (&str, &str) = (
    "__wbindgen_init_externref_table",
    "const table = wasm.__wbindgen_externrefs; table.set(0, undefined); table.set(1024, undefined); table.set(1025, null); table.set(1026, true); table.set(1027, false);",
);
const REFERENCES: u64 = 1028;

/// The function of the modules that `memory.js` gives to the entry, as it is generated.
const ASK: &str = "function ask(name, first, second, value) { let ptr0, len0, ptr1, len1, ptr2, len2; try { ptr0 = passStringToWasm0(name, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc); len0 = WASM_VECTOR_LEN; ptr1 = passStringToWasm0(first, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc); len1 = WASM_VECTOR_LEN; ptr2 = passStringToWasm0(second, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc); len2 = WASM_VECTOR_LEN; } catch (e) { if (ptr2) { wasm.__wbindgen_free(ptr2, len2 * 1, 1); } if (ptr1) { wasm.__wbindgen_free(ptr1, len1 * 1, 1); } if (ptr0) { wasm.__wbindgen_free(ptr0, len0 * 1, 1); } throw e; } const ret = wasm.ask(ptr0, len0, ptr1, len1, ptr2, len2, value); return ret; }";
/// The one that it gives to `natives.js` and to nobody else.
const RESUME: &str = "function resume(id, ok, value) { wasm.resume(id, ok, value); }";

/// How the generated text ends that hands over a text, or one that may be missing, and bytes.
const GIVEN: &[(&str, char)] = &[
    (
        "const ptr1 = passStringToWasm0(ret, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc); const len1 = WASM_VECTOR_LEN; getDataViewMemory0().setInt32((arg0 >>> 0) + 4 * 1, len1, true); getDataViewMemory0().setInt32((arg0 >>> 0) + 4 * 0, ptr1, true);",
        't',
    ),
    (
        "var ptr1 = isLikeNone(ret) ? 0 : passStringToWasm0(ret, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc); var len1 = WASM_VECTOR_LEN; getDataViewMemory0().setInt32((arg0 >>> 0) + 4 * 1, len1, true); getDataViewMemory0().setInt32((arg0 >>> 0) + 4 * 0, ptr1, true);",
        't',
    ),
    (
        "const ptr1 = passArray8ToWasm0(ret, wasm.__wbindgen_malloc); const len1 = WASM_VECTOR_LEN; getDataViewMemory0().setInt32((arg0 >>> 0) + 4 * 1, len1, true); getDataViewMemory0().setInt32((arg0 >>> 0) + 4 * 0, ptr1, true);",
        'b',
    ),
    ("return ret;", 'r'),
    ("", 'r'),
];
/// How many values `memory.js` hands on.
const MOST: usize = 8;

/// A part of the library as wasm-bindgen gives it.
pub struct Bound {
    pub glue: String,
    pub wasm: Vec<u8>,
}

/// What the build makes of them.
pub struct Sealed {
    /// `start(number, module, done, failed)`, whose `done` gets the function of the module; nothing else. It has what any
    /// of the parts imports.
    pub glue: String,
    /// `pkg-template/memory.js`, with the places of the functions; the same for every module.
    pub memory: String,
    /// The modules, with signatures for their imports and no exports.
    pub wasm: Vec<Vec<u8>>,
}

/// What the parts have in common, as far as it is known.
#[derive(Default)]
struct Glue {
    /// What the list's functions are imported by.
    imports: BTreeSet<String>,
    /// The functions that modules import, each once.
    list: Vec<String>,
    /// The names of what the modules export, by their places in the table of functions.
    places: Vec<String>,
    /// Of memory: enough for each.
    pages: u64,
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
    Ok(Sealed {
        glue: all.glue(),
        memory: all.memory(memory)?,
        wasm: modules.iter_mut().map(Module::emit_wasm).collect(),
    })
}

impl Glue {
    /// Adds what a part needs. Its module, whose imports are named by their signatures and their places in the list.
    fn add(&mut self, part: &Bound) -> Result<Module> {
        // The functions that are imported by name, and the files whose functions are taken as they are.
        let mut named = BTreeMap::new();
        let mut files = BTreeMap::new();
        let mut exported = BTreeSet::new();
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
                if names.starts_with("* as ") {
                    files.insert(path.to_owned(), file.to_owned());
                    continue;
                }
                for name in names.trim_matches(['{', '}', ' ']).split(", ") {
                    named.insert(name.to_owned(), file.to_owned());
                }
            } else if let Some(function) = chunk.strip_prefix("export ")
                && function.starts_with("function ")
            {
                exported.insert(plain(function));
            } else if chunk.starts_with("function __wbg_get_imports(") {
                table = chunk;
            }
        }
        let known = BTreeSet::from([ASK.to_owned(), RESUME.to_owned()]);
        ensure!(
            exported == known,
            "the glue exports {exported:?} and not ask and resume as they are known"
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
        ensure!(
            references == REFERENCES,
            "{references} references at first, and not {REFERENCES}"
        );
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
            if import.name == INITIAL.0 {
                let text = table.get(&import.name).map(|text| body(text));
                ensure!(
                    text.as_deref() == Some(INITIAL.1),
                    "{}: {text:?}",
                    INITIAL.0
                );
                import.module = OWN.into();
                import.name = "initial".into();
                continue;
            }
            let (name, file, signature) = match table.get(&import.name) {
                Some(text) => match brought(&import.name, text)? {
                    Some((ours, signature)) => (ours, None, signature),
                    None => {
                        let (name, signature) =
                            call(text).with_context(|| format!("{}: {text}", import.name))?;
                        let file = named.get(&name).context("a function of no file")?;
                        (name, Some(file), signature)
                    }
                },
                None => {
                    let file = files.get(&import.module);
                    let file = file.with_context(|| format!("no import for {}", import.name))?;
                    (import.name.clone(), Some(file), "r".to_owned())
                }
            };
            let from = file.map_or("#memory".to_owned(), |file| format!("#src/{file}"));
            let (stem, _) = from.rsplit_once('.').unwrap_or((&from, ""));
            let stem: String = stem
                .rsplit(['/', '#'])
                .next()
                .unwrap_or_default()
                .to_owned();
            let local = format!("{stem}_{name}");
            self.imports
                .insert(format!("import {{ {name} as {local} }} from '{from}'\n"));
            let place = match self.list.iter().position(|known| *known == local) {
                Some(place) => place,
                None => {
                    self.list.push(local);
                    self.list.len() - 1
                }
            };
            import.module = signature;
            import.name = place.to_string();
        }
        Ok(module)
    }

    fn glue(&self) -> String {
        let imports: String = self.imports.iter().map(String::as_str).collect();
        let list = self.list.join(", ");
        let (pages, count) = (self.pages, self.places.len());
        format!(
            "import {{ open }} from '#memory'\n{imports}\
             export const start = (number, module, done, failed) =>\n\
             open([{list}], {pages}, {REFERENCES}, {count}, number, module, done, failed)\n"
        )
    }

    /// What the glue stands on: the functions of the modules by their places.
    fn memory(&self, memory: &str) -> Result<String> {
        let mut memory = memory.to_owned();
        for (n, name) in self.places.iter().enumerate() {
            let (long, short) = (format!("wasm.{name}"), format!("wasm[{n}]"));
            memory = rename(&memory, &long, &short);
        }
        let left = memory.split("wasm.").nth(1);
        ensure!(left.is_none(), "no such function in the module: {left:?}");
        Ok(memory)
    }
}

/// What wasm-bindgen brings along: the name of ours for it, and the signature.
fn brought(name: &str, text: &str) -> Result<Option<(String, String)>> {
    let name = name.strip_prefix("__wbg_").unwrap_or(name);
    let (name, _) = name.rsplit_once('_').unwrap_or((name, ""));
    let Some((_, theirs, ours, signature)) = BROUGHT.iter().find(|(known, ..)| *known == name)
    else {
        return Ok(None);
    };
    let text = body(text);
    let caught = "return handleError(function (arg0, arg1) { ";
    let text = text.strip_prefix(caught).unwrap_or(&text);
    ensure!(text == *theirs, "{name} is not as it was: {text}");
    Ok(Some(((*ours).to_owned(), (*signature).to_owned())))
}

/// The function that the text of an import calls, and the signature (`wrapped` in memory.js): r where nothing but values
/// cross, which need no help.
fn call(text: &str) -> Result<(String, String)> {
    let body = body(text);
    let body = body.strip_prefix("const ret = ").unwrap_or(&body);
    let (called, rest) = body.split_once(");").context("a call")?;
    let (name, values) = called.split_once('(').context("its values")?;
    let (_, gives) = GIVEN
        .iter()
        .find(|(end, _)| *end == rest.trim())
        .with_context(|| format!("what it gives is of no known form: {rest}"))?;
    let mut signature = gives.to_string();
    let mut next = usize::from(*gives != 'r');
    let mut values = values;
    while !values.is_empty() {
        let (first, second) = (next, next + 1);
        let pair = format!("(arg{first}, arg{second})");
        let forms = [
            (format!("getStringFromWasm0{pair}"), 't', 2),
            (format!("getArrayU8FromWasm0{pair}"), 'b', 2),
            (
                format!("arg{first} === 0 ? undefined : getArrayU8FromWasm0{pair}"),
                'b',
                2,
            ),
            // Our numbers are far from their sign, and nobody asks whether a flag is `true`.
            (format!("arg{first} >>> 0"), 'v', 1),
            (format!("arg{first} !== 0"), 'v', 1),
            (format!("arg{first}"), 'v', 1),
        ];
        let (rest, form, size) = forms
            .iter()
            .find_map(|(form, kind, size)| {
                let rest = values.strip_prefix(form.as_str())?;
                let rest = rest
                    .strip_prefix(", ")
                    .or(rest.is_empty().then_some(rest))?;
                Some((rest, kind, size))
            })
            .with_context(|| format!("a value of no known form: {values}"))?;
        signature.push(*form);
        next += size;
        values = rest;
    }
    ensure!(signature.len() <= MOST + 1, "more than {MOST} values");
    if signature.chars().all(|c| c == 'r' || c == 'v') {
        signature.truncate(1);
    }
    Ok((name.to_owned(), signature))
}

/// In one line, without comments.
fn plain(script: &str) -> String {
    let lines = script.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with(['/', '*']));
    lines.collect::<Vec<_>>().join(" ")
}

/// What stands between the braces of a function.
fn body(function: &str) -> String {
    let text = plain(function);
    let inner = text.split_once(") {").map_or("", |(_, inner)| inner);
    inner
        .trim_end_matches(',')
        .trim_end_matches('}')
        .trim()
        .to_owned()
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
const OWN: &str = "";

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_says_how_values_cross() {
        let given = |end: &str| {
            format!("function(arg0, arg1, arg2) {{\n const ret = f(arg1, arg2);\n {end}\n }},")
        };
        for (text, signature) in [
            ("function() {\n f();\n },".to_owned(), "r"),
            (
                "function(arg0, arg1) {\n const ret = f(arg0 >>> 0, arg1 !== 0);\n return ret;\n },".to_owned(),
                "r",
            ),
            (
                "function(arg0, arg1, arg2) {\n f(arg0 >>> 0, getStringFromWasm0(arg1, arg2));\n },".to_owned(),
                "rvt",
            ),
            (
                "function(arg0, arg1, arg2) {\n f(arg0 === 0 ? undefined : getArrayU8FromWasm0(arg0, arg1), arg2);\n },".to_owned(),
                "rbv",
            ),
            (given(GIVEN[0].0), "tvv"),
            (given(GIVEN[1].0), "tvv"),
            (given(GIVEN[2].0), "bvv"),
        ] {
            let found = call(&text).expect(&text);
            assert_eq!(found, ("f".to_owned(), signature.to_owned()), "{text}");
        }
    }

    #[test]
    fn generated_text_of_another_form_is_refused() {
        for text in [
            "function(arg0) { f(arg0, globalThis); },",
            "function(arg0) { f(arg1); },",
            "function(arg0, arg1) { f(getStringFromWasm0(arg1, arg0)); },",
            "function(arg0) { const ret = f(arg0); return ret.then; },",
            "function(arg0) { const ret = arg0.f; return ret; },",
            "function(arg0) { f(arg0); g(arg0); },",
            "function(...args) { f(...args); },",
            "function(arg0) { f(takeObject(arg0)); },",
            "function(a) { f(arg0, arg1, arg2, arg3, arg4, arg5, arg6, arg7, arg8); },",
        ] {
            assert!(call(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_wasm_bindgen_brings_along_must_be_as_it_was() {
        let (name, text, ours, signature) = BROUGHT[2];
        let name = format!("__wbg_{name}_be5b34249ff1fc15");
        let function = |body: &str| format!("function(arg0) {{\n {body}\n }},");
        let found = brought(&name, &function(text)).expect("it is as it was");
        assert_eq!(found, Some((ours.to_owned(), signature.to_owned())));
        assert!(brought(&name, &function("return true;")).is_err());
        let other = brought("__wbg_send_bd22d9fdf00db195", &function(text));
        assert_eq!(other.expect("ours"), None);
    }
}
