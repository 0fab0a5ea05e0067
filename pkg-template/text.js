// Texts that stand in modules of their own, and what is made of them. Each is checked against its SHA-256 (FIPS 180-4)
// before anybody reads it: an import map or a service worker that comes late could put another one in its place, and a
// server that of another release. In JavaScript, for WebCrypto is missing where a page came by plain http.

import { Uint8Array, byteLength, charCodeAt, copyInto, soon } from '../src/browser/natives.js'

const { Int32Array } = globalThis
const { pow } = Math
// The alphabet of a part's text; see xtask/src/text.rs.
const FREE = '!#$%&*+0123456789;<=>?@[]^{|}~'
const COMMON = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 16, 20, 24, 27, 28, 33, 34, 35, 36, 48, 54, 55, 64, 127, 128, 192]
const FIRST = 39
const SECOND = 96
// The stream that the operand of each operation is in; 0: there is none.
const OPERANDS = '00:::00000007770800000000000000033399000666666666666666666666660044'
// The alignments of 0x28 to 0x3e that are natural; see xtask/src/pack.rs.
const NATURAL = '23230011001122232301012'

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

/** A module that was packed (xtask/src/pack.rs): its code is in streams, operations apart from operands. */
const unpacked = packed => {
  let at = 0
  const number = () => {
    let n = 0
    for (let shift = 0, byte = 128; byte > 127; shift += 7) n |= ((byte = packed[at++]) & 127) << shift
    return n
  }
  const out = new Uint8Array(number())
  let functions = number()
  const starts = new Int32Array(13)
  for (let i = 0; i < 12; i++) starts[i + 1] = number()
  starts[0] = at
  for (let i = 0; i < 12; i++) starts[i + 1] += starts[i]
  const body = new Uint8Array(byteLength(out))
  let size = 0
  let end = 0
  const take = stream => (body[end++] = packed[starts[stream]++])
  const leb = stream => {
    while (take(stream) > 127);
  }
  while (starts[0] < starts[1]) out[size++] = packed[starts[0]++]
  while (functions--) {
    end = 0
    for (let groups = take(11); groups--; take(11)) leb(11)
    for (let depth = 1; depth; ) {
      const operation = take(2)
      if (operation === 239) {
        end--
        take(2)
        for (let count = packed[starts[11]++]; count--; ) take(11)
        continue
      }
      let stream = charCodeAt(OPERANDS, operation) - 48
      if (operation === 238) {
        end--
        take(2)
        take(5)
        stream = 6
      } else if (stream === 6) body[end++] = charCodeAt(NATURAL, operation - 40) - 48
      else if (stream === 10) depth++
      else if (operation === 11) depth--
      // Past the table is NaN.
      if (stream > 0) for (let count = operation === 14 ? take(7) : 0; count >= 0; count--) leb(stream)
    }
    let rest = end
    for (; rest > 127; rest >>= 7) out[size++] = rest | 128
    out[size++] = rest
    for (let i = 0; i < end; i++) out[size++] = body[i]
  }
  for (let i = starts[1]; i < starts[2]; i++) out[size++] = packed[i]
  return out
}

/** The module that the text of a part stands for. */
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
  return unpacked(bytes)
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
