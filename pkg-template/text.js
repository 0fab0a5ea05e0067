// Texts that stand in modules of their own, and what is made of them. Each is checked against its SHA-256 (FIPS 180-4)
// before anybody reads it: an import map or a service worker that comes late could put another one in its place, and a
// server that of another release. In JavaScript, for WebCrypto is missing where a page came by plain http.

import { Uint8Array, bufferOf, byteLength, charCodeAt, copyInto, soon } from '../src/browser/natives.js'

const { Int32Array } = globalThis
const { pow } = Math
// The alphabet of a part's text; see xtask/src/text.rs.
const FREE = '!#$%&*+0123456789;<=>?@[]^{|}~'
const COMMON = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 20, 24, 27, 28, 33, 34, 35, 36, 48, 54, 55, 64, 127, 128, 192]
const FIRST = 39
const SECOND = 96

/** The bytes of an ASCII text; undefined if it is none. */
const ascii = text => {
  if (typeof text !== 'string') return
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const code = charCodeAt(text, i)
    if (code > 127) return
    bytes[i] = code
  }
  return bytes
}

const K = new Int32Array(64)
const H = new Int32Array(8)
const rotate = (word, by) => (word >>> by) | (word << (32 - by))
const fraction = (prime, root) => pow(prime, 1 / root) * 4294967296

const isPrime = n => {
  for (let i = 2; i * i <= n; i++) if (n % i === 0) return false
  return true
}
for (let n = 2, i = 0; i < 64; n++) {
  if (!isPrime(n)) continue
  H[i] = fraction(n, 2)
  K[i++] = fraction(n, 3)
}

/** Whether the SHA-256 of the bytes begins with these four words. */
export const isDigest = (bytes, words) => {
  const size = byteLength(bytes)
  const padded = new Uint8Array(((size + 8) >> 6 << 6) + 64)
  const end = byteLength(padded)
  copyInto(padded, bytes)
  padded[size] = 128
  for (let i = 0; i < 4; i++) padded[end - 1 - i] = (size * 8) >>> (i * 8)
  const w = new Int32Array(64)
  // The standard's d to a, and h to e, one more of each in every round: nothing need move.
  const a = new Int32Array(68)
  const e = new Int32Array(68)
  for (let i = 0; i < 4; i++) {
    a[i] = H[3 - i]
    e[i] = H[7 - i]
  }
  for (let at = 0; at < end; at += 64) {
    for (let i = 0; i < 64; i++) {
      if (i < 16) {
        const p = at + i * 4
        w[i] = (padded[p] << 24) | (padded[p + 1] << 16) | (padded[p + 2] << 8) | padded[p + 3]
      } else {
        const x = w[i - 15]
        const y = w[i - 2]
        w[i] = w[i - 16] + w[i - 7] + (rotate(x, 7) ^ rotate(x, 18) ^ (x >>> 3)) + (rotate(y, 17) ^ rotate(y, 19) ^ (y >>> 10))
      }
      const x = e[i + 3]
      const y = a[i + 3]
      const one = e[i] + (rotate(x, 6) ^ rotate(x, 11) ^ rotate(x, 25)) + ((x & e[i + 2]) ^ (~x & e[i + 1])) + K[i] + w[i]
      e[i + 4] = a[i] + one
      a[i + 4] = one + (rotate(y, 2) ^ rotate(y, 13) ^ rotate(y, 22)) + ((y & a[i + 2]) ^ (y & a[i + 1]) ^ (a[i + 2] & a[i + 1]))
    }
    for (let i = 0; i < 4; i++) {
      a[i] += a[i + 64]
      e[i] += e[i + 64]
    }
  }
  for (let i = 0; i < 4; i++) if (a[3 - i] !== (words[i] | 0)) return false
  return true
}

/** What the text of a part stands for. */
export const decoded = text => {
  const ones = new Uint8Array(127)
  const pairs = new Uint8Array(184)
  const isOne = new Uint8Array(256)
  for (let code = 32; code < 127; code++) {
    if (code !== 34 && code !== 92 && code !== FIRST && code !== SECOND) isOne[(ones[code] = code)] = 1
  }
  for (let i = 0; i < 30; i++) isOne[charCodeAt(FREE, i)] = 0
  for (let i = 0; i < 30; i++) isOne[(ones[charCodeAt(FREE, i)] = COMMON[i])] = 1
  for (let byte = 0, at = 0; byte < 256; byte++) {
    // A backslash is no second character.
    if (!isOne[byte]) pairs[at === 57 || at === 149 ? ++at : at] = byte, at++
  }
  const bytes = new Uint8Array(text.length)
  let size = 0
  for (let i = 0; i < text.length; i++) {
    const code = charCodeAt(text, i)
    const page = code === FIRST ? 35 : code === SECOND ? -57 : 0
    bytes[size++] = page ? pairs[charCodeAt(text, ++i) - page] : ones[code]
  }
  return new Uint8Array(bufferOf(bytes), 0, size)
}

/**
 * A text that is loaded when it is wanted: `load` is `() => import('./file.js')`, which every bundler follows. What it
 * gives may be any thenable by then, and the page's own.
 */
export const apart = (file, load, words) => (done, failed) => {
  // What the page's own code calls may have it on the stack.
  const next = f => value => soon(() => f(value))
  const got = next(module => {
    const text = module && module.default
    const bytes = ascii(text)
    bytes && isDigest(bytes, words) ? done(text) : failed(file + ' is not the one of this release')
  })
  const lost = next(() => failed(file + ' cannot be had: offline, not served as JavaScript, or blocked by script-src'))
  try {
    load().then(got, lost)
  } catch {
    lost()
  }
}

/** A text that is there. */
export const inside = text => done => done(text)
