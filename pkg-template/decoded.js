// The wasm that stands in this module as text, written by xtask/src/text.rs: bytes that are printable characters
// stand for themselves, so that brotli finds in the text what it finds in the module; in base64 it would not.

import { bufferOf, uncurry } from '../src/browser/natives.js'
import text from '#wasm'

const { Uint8Array } = globalThis
const ESCAPED = [34, 92, 125, 126, 127]
const charCodeAt = uncurry(String.prototype.charCodeAt)

export const decoded = done => {
  const bytes = new Uint8Array(text.length)
  let size = 0
  let high = 0
  for (let i = 0; i < text.length; i++) {
    let code = charCodeAt(text, i)
    if (code === 126) {
      high = 128
      continue
    }
    if (code === 125) {
      const escaped = charCodeAt(text, ++i)
      code = escaped < 67 ? escaped - 35 : ESCAPED[escaped - 67]
    }
    bytes[size++] = code + high
    high = 0
  }
  done(new Uint8Array(bufferOf(bytes), 0, size))
}
