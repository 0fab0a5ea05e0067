// The part of wasm-bindgen's glue that touches the module's memory and tables, written again over captured
// natives: generated, it would call `decoder.decode(view)` or `memory.buffer` and hand the whole memory to whoever
// has patched them. `xtask/src/seal.rs` puts the generated import table on top of this.

import { byteLength, copyInto, member, of, record, then, uncurry } from '#src/browser/natives.js'

const { DataView, Error, TextDecoder, TextEncoder, Uint8Array, WebAssembly, crypto } = globalThis
const { Instance, Memory, Table, instantiate } = WebAssembly || {}

const exportsOf = of(Instance, 'exports')
const bufferOf = of(Memory, 'buffer')
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

/** The module's exports: functions. Its memory and its table are ours and imported, so no instance leads to them. */
export let wasm
let memory
let table
let bytes
let words

/** Instantiates the compiled module. */
export const open = (module, imports, done, failed) => {
  memory = imports.a.memory = new Memory(record({ initial: MEMORY_PAGES }))
  table = imports.a.table = new Table(record({ element: 'externref', initial: TABLE_SIZE }))
  bytes = undefined
  const started = instance => {
    try {
      wasm = exportsOf(instance)
      wasm.__wbindgen_start()
    } catch {
      return failed()
    }
    done()
  }
  then(instantiate(module, imports), started, failed)
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

export const getArrayU8FromWasm0 = part
export const getStringFromWasm0 = (pointer, length) => decode(decoder, part(pointer, length))
export const setWord = (pointer, value) => (view(), setInt32(words, pointer, value, true))
export const setTableEntry = (index, value) => setEntry(table, index, value)

export const addToExternrefTable0 = value => {
  const index = wasm.__externref_table_alloc()
  setTableEntry(index, value)
  return index
}

export let WASM_VECTOR_LEN = 0

export const passArray8ToWasm0 = (array, malloc) => {
  const length = byteLength(array)
  const pointer = malloc(length, 1) >>> 0
  copyInto(view(), array, pointer)
  WASM_VECTOR_LEN = length
  return pointer
}

export const passStringToWasm0 = (text, malloc, realloc) => {
  let size = text.length
  let pointer = malloc(size, 1) >>> 0
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
    pointer = realloc(pointer, size, room, 1) >>> 0
    done += encodeInto(encoder, rest, part(pointer + done, room - done)).written
    pointer = realloc(pointer, room, done, 1) >>> 0
  }
  WASM_VECTOR_LEN = done
  return pointer
}

/** Leaves the address and the length of a text, or of nothing, where the module wants them. */
export const giveText = (to, text) => {
  const pointer = isLikeNone(text) ? 0 : passStringToWasm0(text, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc)
  setWord(to + 4, WASM_VECTOR_LEN)
  setWord(to, pointer)
}

export const handleError = (f, args) => {
  try {
    return f(args[0], args[1], args[2], args[3], args[4], args[5])
  } catch (e) {
    wasm.__wbindgen_exn_store(addToExternrefTable0(e))
  }
}

export const isLikeNone = x => x === undefined || x === null
