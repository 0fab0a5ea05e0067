// The part of wasm-bindgen's glue that touches the module's memory and tables, written again over captured
// natives: generated, it would call `decoder.decode(view)` or `memory.buffer` and hand the whole memory to whoever
// has patched them. `xtask/src/seal.rs` puts the generated import table on top of this.
//
// The module exports nothing, for a stack trace can name its instance (`CallSite.getThis` of V8). It puts its functions
// into a table that it imports; only this closure has the table, and takes them from there.

import { byteLength, copyInto, of, record, then, uncurry } from '#src/browser/natives.js'

const { DataView, Error, TextDecoder, TextEncoder, Uint8Array, WebAssembly, crypto } = globalThis
const { Memory, Table, instantiate } = WebAssembly || {}

const bufferOf = of(Memory, 'buffer')
const entryOf = of(Table, 'get')
const setEntry = of(Table, 'set')
const setInt32 = of(DataView, 'setInt32')
const charCodeAt = uncurry(String.prototype.charCodeAt)
const slice = uncurry(String.prototype.slice)
const decoder = TextDecoder && new TextDecoder('utf-8', record({ ignoreBOM: true }))
const decode = of(TextDecoder, 'decode')
const encoder = TextEncoder && new TextEncoder()
const encodeInto = of(TextEncoder, 'encodeInto')

export { Error }
export const getRandomValues = crypto && crypto.getRandomValues.bind(crypto)

/** What a trap of the module is shown as. */
export const CRASHED =
  '{"name":"OAuthError","code":"internal_error","message":"the library has failed","remedy":"Reload the page, and report it","retryable":false}'

export const isLikeNone = x => x === undefined || x === null

/** What a module stands on, of so many pages of memory, references and functions: one for each that is opened. */
export const heap = (pages, references, count) => {
  const memory = new Memory(record({ initial: pages }))
  const table = new Table(record({ element: 'externref', initial: references }))
  const functions = new Table(record({ element: 'anyfunc', initial: count }))
  // By their places in the table.
  const wasm = record({})
  let bytes
  let words
  let vectorLength = 0

  /** Instantiates the compiled module. */
  const open = (module, imports, done, failed) => {
    imports.memory = memory
    imports.table = table
    imports.functions = functions
    const started = () => {
      try {
        for (let i = 0; i < count; i++) wasm[i] = entryOf(functions, i)
        wasm.__wbindgen_start()
      } catch {
        return failed()
      }
      done()
    }
    then(instantiate(module, record({ a: imports })), started, failed)
  }

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

  const setWord = (pointer, value) => (view(), setInt32(words, pointer, value, true))
  const setTableEntry = (index, value) => setEntry(table, index, value)

  const addToExternrefTable0 = value => {
    const index = wasm.__externref_table_alloc()
    setTableEntry(index, value)
    return index
  }

  const passArray8ToWasm0 = array => {
    const length = byteLength(array)
    const pointer = wasm.__wbindgen_malloc(length, 1) >>> 0
    copyInto(view(), array, pointer)
    vectorLength = length
    return pointer
  }

  const passStringToWasm0 = text => {
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

  /** Leaves the address and the length of what was passed last where the module wants them. */
  const give = (to, pointer) => {
    setWord(to + 4, vectorLength)
    setWord(to, pointer)
  }

  return record({
    wasm,
    open,
    getArrayU8FromWasm0: part,
    getStringFromWasm0: (pointer, length) => decode(decoder, part(pointer, length)),
    setTableEntry,
    addToExternrefTable0,
    passArray8ToWasm0,
    passStringToWasm0,
    passedLength: () => vectorLength,
    /** A text, or nothing. */
    giveText: (to, text) => give(to, isLikeNone(text) ? 0 : passStringToWasm0(text)),
    giveBytes: (to, array) => give(to, passArray8ToWasm0(array)),
    handleError: (f, args) => {
      try {
        return f(args[0], args[1], args[2], args[3], args[4], args[5])
      } catch (e) {
        wasm.__wbindgen_exn_store(addToExternrefTable0(e))
      }
    },
  })
}
