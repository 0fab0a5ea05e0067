// What stands in for wasm-bindgen's glue, over captured natives: generated, it would call `decoder.decode(view)` or
// `memory.buffer` and hand the whole memory to whoever has patched them. What a module imports says itself how it is
// called: `xtask/src/seal.rs` makes names of that, read from the generated text, and the list of the functions.
//
// The module exports nothing, for a stack trace can name its instance (`CallSite.getThis` of V8). It puts its functions
// into a table that it imports; only this closure has the table, and takes them from there.

import {
  Error,
  Uint8Array,
  WebAssembly,
  byteLength,
  charCodeAt,
  connect,
  copyInto,
  encoder,
  getRandomValues,
  of,
  record,
  slice,
  then,
} from '#src/browser/natives.js'

const { DataView, TextDecoder, TextEncoder } = globalThis
const { Memory, Module, Table, instantiate } = WebAssembly || {}
const { imports: importsOf } = Module || {}

const bufferOf = of(Memory, 'buffer')
const entryOf = of(Table, 'get')
const setEntry = of(Table, 'set')
const setInt32 = of(DataView, 'setInt32')
const decoder = TextDecoder && new TextDecoder('utf-8', record({ ignoreBOM: true }))
const decode = of(TextDecoder, 'decode')
const encodeInto = of(TextEncoder, 'encodeInto')

// What wasm-bindgen brings along.

export const asBoolean = value => (typeof value === 'boolean' ? value : 0xffffff)
export const asText = value => (typeof value === 'string' ? value : undefined)
export const isFalsy = value => !value
export const isUndefined = value => value === undefined
export const fail = text => {
  throw new Error(text)
}
export { getRandomValues }

/** What a trap of the module is shown as. */
const CRASHED =
  '{"name":"OAuthError","code":"internal_error","message":"the library has failed","remedy":"Reload the page, and report it","retryable":false}'

const none = undefined

/**
 * Instantiates a compiled module, by its number, over `list`, the functions that modules import; `done` gets `ask`, its
 * function. It stands on so many pages of memory, references and functions of its own.
 */
export const open = (list, pages, references, count, number, module, done, failed) => {
  const memory = new Memory(record({ initial: pages }))
  const table = new Table(record({ element: 'externref', initial: references }))
  const functions = new Table(record({ element: 'anyfunc', initial: count }))
  // By their places in the table.
  const wasm = record({})
  let bytes
  let words
  let vectorLength = 0

  // Growing the memory detaches its buffer: the old view is then empty.
  const view = () => {
    if (!bytes || byteLength(bytes) === 0) {
      const buffer = bufferOf(memory)
      bytes = new Uint8Array(buffer)
      words = new DataView(buffer)
    }
    return bytes
  }

  const part = (pointer, length) => new Uint8Array(bufferOf(memory), pointer >>> 0, length)

  const passBytes = array => {
    const length = byteLength(array)
    const pointer = wasm.__wbindgen_malloc(length, 1) >>> 0
    copyInto(view(), array, pointer)
    vectorLength = length
    return pointer
  }

  const passText = text => {
    // Nothing but a primitive: of anything else the engine would make one by a method that a page can put there.
    let size = typeof text === 'string' ? text.length : 0
    let pointer = wasm.__wbindgen_malloc(size, 1) >>> 0
    const target = view()
    let done = 0
    for (; done < size; done++) {
      const code = charCodeAt(text, done)
      if (code > 0x7f) break
      target[pointer + done] = code
    }
    if (done !== size) {
      const rest = slice(text, done)
      const room = done + rest.length * 3
      pointer = wasm.__wbindgen_realloc(pointer, size, room, 1) >>> 0
      done += encodeInto(encoder, rest, part(pointer + done, room - done)).written
      pointer = wasm.__wbindgen_realloc(pointer, room, done, 1) >>> 0
    }
    vectorLength = done
    return pointer
  }

  /**
   * A function as a module calls it. The signature: what it gives, then what it takes. Given: r as it is, c too, but what
   * it throws is the module's to see; t a text, or nothing, and b bytes, whose place the module says first. Taken: v a
   * value, t and b an address, 0 for nothing, and a length.
   */
  const wrapped = (f, signature) => (...given) => {
    const gives = signature[0]
    // Each place is there, so that none is looked for on the prototype.
    const taken = [none, none, none, none, none, none, none, none, none]
    let at = gives === 't' || gives === 'b' ? 1 : 0
    for (let i = 1; i < signature.length; i++) {
      const value = given[at++]
      if (signature[i] === 'v') {
        taken[i] = value
        continue
      }
      const length = given[at++]
      if (signature[i] === 't') taken[i] = length ? decode(decoder, part(value, length)) : ''
      else if (value) taken[i] = part(value, length)
    }
    let result
    try {
      result = f(taken[1], taken[2], taken[3], taken[4], taken[5], taken[6], taken[7], taken[8])
    } catch (e) {
      if (gives !== 'c') throw e
      const index = wasm.__externref_table_alloc()
      setEntry(table, index, e)
      wasm.__wbindgen_exn_store(index)
    }
    if (gives === 'r') return result
    if (gives === 'c') return
    // The length first, for the address comes of a call that may move the memory.
    const pointer = result === undefined || result === null ? 0 : gives === 't' ? passText(result) : passBytes(result)
    view()
    setInt32(words, given[0] + 4, vectorLength, true)
    setInt32(words, given[0], pointer, true)
  }

  const initial = () => {
    setEntry(table, 0, undefined)
    setEntry(table, references - 4, undefined)
    setEntry(table, references - 3, null)
    setEntry(table, references - 2, true)
    setEntry(table, references - 1, false)
  }

  const imports = record({ '': record({ memory, table, functions, initial }) })
  const wanted = importsOf(module)
  for (let i = 0; i < wanted.length; i++) {
    const { module: signature, name } = wanted[i]
    const of = (imports[signature] ||= record({}))
    of[name] ||= signature === 'r' ? list[name] : wrapped(list[name], signature)
  }
  const started = () => {
    try {
      for (let i = 0; i < count; i++) wasm[i] = entryOf(functions, i)
      wasm.__wbindgen_start()
    } catch {
      return failed()
    }
    connect(wasm.resume, CRASHED, number)
    done((name, first, second, value) =>
      wasm.ask(passText(name), vectorLength, passText(first), vectorLength, passText(second), vectorLength, value),
    )
  }
  then(instantiate(module, imports), started, failed)
}
