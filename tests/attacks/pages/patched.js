// A page that turned hostile after the library's module was evaluated and before its first call: every function it can
// reach is replaced by one that looks at what it is given and gives back. The address says which words to look for
// (`words=a.b,c.d` for `a-b` and `c-d`), which traps to set besides (`traps=then,species`), and which form of the package
// it is about (`form=full`).

import { use } from '/e2e/use.js'

const options = new URLSearchParams(location.search)
const oauth = await import(`/pkg/${options.get('form') ?? 'oauth-wasm'}.js`)
const words = options.get('words').split(',').map(word => word.replaceAll('.', '-'))
const traps = (options.get('traps') ?? '').split(',')

const { apply, construct, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect
const { includes } = String.prototype
const { Array, ArrayBuffer, Function, Headers, Map, Object, Promise, Request, Response, Set, Uint8Array, WebAssembly } = window
const plain = {}
for (const [type, name] of [[Headers, 'entries'], [Map, 'entries'], [Set, 'values'], [Uint8Array, 'subarray']])
  plain[type.name] = type.prototype[name]
const { fromCharCode } = String
const viewBuffer = getOwnPropertyDescriptor(getPrototypeOf(Uint8Array.prototype), 'buffer').get
const responseUrl = getOwnPropertyDescriptor(Response.prototype, 'url').get
const requestHeaders = getOwnPropertyDescriptor(Request.prototype, 'headers').get

/** How often each function ran, and where a word was seen. */
const calls = Object.create(null)
const patched = []
let sightings = []
let looking = false
window.report = () => {
  const report = { calls: { ...calls }, patched, sightings }
  sightings = []
  return report
}

let patience = 0
const look = (where, value) => {
  // What runs while we look runs for us.
  if (looking) return
  looking = true
  patience = 2000
  try {
    inspect(where, value, 0)
  } finally {
    looking = false
  }
}

const text = (where, value) => {
  for (let n = 0; n < words.length; n++) {
    if (apply(includes, value, [words[n]])) sightings[sightings.length] = words[n] + ' in ' + where
  }
}

const bytes = (where, buffer) => {
  const all = new Uint8Array(buffer)
  let found = ''
  for (let at = 0; at < all.length; at += 8192)
    found += apply(fromCharCode, String, apply(plain.Uint8Array, all, [at, at + 8192]))
  text(where, found)
}

const inspect = (where, value, depth) => {
  if (patience-- < 0) return
  if (typeof value === 'string') return text(where, value)
  if (value === null || typeof value !== 'object' || depth > 4 || value === window) return
  try {
    if (value instanceof WebAssembly.Memory && value !== WebAssembly.Memory.prototype)
      return (sightings[sightings.length] = 'the memory in ' + where)
    if (value instanceof ArrayBuffer) return bytes(where, value)
    if (ArrayBuffer.isView(value)) return bytes(where, apply(viewBuffer, value, []))
    if (value instanceof Response && /oauth.token/.test(apply(responseUrl, value, [])))
      return (sightings[sightings.length] = 'the token response in ' + where)
    if (value instanceof Request) return inspect(where, apply(requestHeaders, value, []), depth + 1)
    for (const type of [Headers, Map, Set]) {
      if (value instanceof type) {
        for (const entry of [...apply(plain[type.name], value, [])]) inspect(where, entry, depth + 1)
      }
    }
    const keys = ownKeys(value)
    for (let n = 0; n < keys.length && patience > 0; n++) {
      const own = getOwnPropertyDescriptor(value, keys[n])
      if (typeof keys[n] === 'string') text(where, keys[n])
      if (own && 'value' in own) inspect(where, own.value, depth + 1)
    }
  } catch {
    // Not to be looked into.
  }
}

const wrappers = new WeakSet()
const { has: isWrapper, add: addWrapper } = WeakSet.prototype

const wrap = (original, name) => {
  const wrapper = function (...args) {
    if (looking) return new.target ? construct(original, args, new.target) : apply(original, this, args)
    calls[name] = (calls[name] ?? 0) + 1
    look(name, this)
    look(name, args)
    const result = new.target
      ? construct(original, args, new.target === wrapper ? original : new.target)
      : apply(original, this, args)
    look(name, result)
    return result
  }
  apply(addWrapper, wrappers, [wrapper])
  patched[patched.length] = name
  const names = ownKeys(original)
  for (let n = 0; n < names.length; n++) {
    const own = getOwnPropertyDescriptor(original, names[n])
    if (names[n] !== 'arguments' && names[n] !== 'caller') defineProperty(wrapper, names[n], own)
  }
  return wrapper
}

const patch = (object, name, label) => {
  const own = getOwnPropertyDescriptor(object, name)
  if (!own?.configurable || name === 'constructor') return
  if (typeof own.value === 'function' && !apply(isWrapper, wrappers, [own.value]))
    defineProperty(object, name, { ...own, value: wrap(own.value, label) })
  else if (own.get) {
    const set = own.set && wrap(own.set, label + '=')
    defineProperty(object, name, { ...own, get: wrap(own.get, label), set })
  }
}

const patchAll = (object, label) => {
  const names = ownKeys(object)
  for (let n = 0; n < names.length; n++) patch(object, names[n], label + '.' + String(names[n]))
}

const classes = [
  'AbortController', 'AbortSignal', 'Array', 'ArrayBuffer', 'Blob', 'BroadcastChannel', 'Crypto', 'CryptoKey', 'DataView', 'Date', 'DOMException', 'Error',
  'EventTarget', 'FormData', 'Headers', 'History', 'IDBDatabase', 'IDBFactory', 'IDBKeyRange', 'IDBObjectStore', 'IDBRequest',
  'IDBTransaction', 'Location', 'LockManager', 'Map', 'MessageEvent', 'Number', 'Object', 'Performance', 'Promise', 'Proxy',
  'ReadableStream', 'ReadableStreamDefaultReader', 'RegExp', 'Request', 'Response', 'Set', 'Storage', 'String', 'SubtleCrypto', 'Symbol',
  'TextDecoder', 'TextEncoder', 'Uint8Array', 'URL', 'URLSearchParams', 'WeakMap', 'WeakRef', 'TransformStream',
]
const functions = [
  'atob', 'btoa', 'fetch', 'structuredClone', 'postMessage', 'queueMicrotask', 'setTimeout', 'encodeURIComponent',
  'decodeURIComponent', 'escape', 'unescape', 'parseInt', 'parseFloat',
]

/** Sets every trap: from here on nothing in this page can be trusted. */
const turn = () => {
  for (const name of ['Memory', 'Instance', 'Module', 'Table']) patchAll(WebAssembly[name].prototype, name)
  patchAll(WebAssembly, 'WebAssembly')
  patchAll(getPrototypeOf(Uint8Array.prototype), 'TypedArray.prototype')
  patchAll(getPrototypeOf(Uint8Array), 'TypedArray')
  patchAll(getPrototypeOf([][Symbol.iterator]()), 'ArrayIterator')
  patchAll(JSON, 'JSON')
  patchAll(Math, 'Math')
  patchAll(window.Reflect, 'Reflect')
  for (const name of classes) {
    const type = window[name]
    if (type.prototype) patchAll(type.prototype, name + '.prototype')
    patchAll(type, name)
    patch(window, name, name)
  }
  for (const name of functions) patch(window, name, name)
  patchAll(Function.prototype, 'Function.prototype')
  // A plain assignment to a plain object would come by here.
  for (const name of [
    'access_token', 'accept', 'authorization', 'body', 'cache', 'code', 'credentials', 'done', 'headers', 'length', 'message',
    'method', 'name', 'redirect', 'referrerPolicy', 'refresh_token', 'reject', 'resolve', 'signal', 'stack', 'text', 'token',
    ...Array.from({ length: 100 }, (_, n) => String(n)),
  ]) {
    defineProperty(Object.prototype, name, {
      configurable: true,
      get: () => undefined,
      set(value) {
        look('set ' + name, [this, value])
        defineProperty(this, name, { value, writable: true, enumerable: true, configurable: true })
      },
    })
  }
  if (traps.includes('then')) {
    // A promise that is resolved with an object asks it for `then`.
    defineProperty(Object.prototype, 'then', { configurable: true, get() { look('get then', this) } })
  }
  if (traps.includes('species')) {
    class Spy {
      static get [Symbol.species]() {
        return function (executor) {
          return new Promise((resolve, reject) => executor(value => (look('species', value), resolve(value)), reject))
        }
      }
    }
    defineProperty(Promise.prototype, 'constructor', { configurable: true, get: () => Spy })
  }
}

turn()
use(oauth)
