// What outlives a page, or is handed from one to another: items in IndexedDB, and bytes that are sealed with keys which
// nobody can read, not even this module (WebCrypto, not extractable). The natives are taken while the module is
// evaluated (see natives.js). A key pair comes in an object of the platform's making, whose `then` a page could put on
// Object.prototype: it would get a key that it cannot read, for one agreement that it could have asked for itself.

import {
  Uint8Array,
  bufferOf,
  byteLength,
  copyInto,
  crypto,
  encoder,
  fill,
  getRandomValues as random,
  hide,
  listen,
  member,
  nameOf,
  of,
  ownValue,
  record,
  slice,
  soon,
  then,
  toJson,
  wake,
  wallClock,
} from './natives.js'

const { ArrayBuffer, CryptoKey, IDBDatabase, IDBFactory, IDBKeyRange, IDBObjectStore, IDBRequest, IDBTransaction } = globalThis
const { SubtleCrypto, TextEncoder, Uint32Array } = globalThis
export const subtle = crypto && crypto.subtle
const factory = (() => {
  try {
    return globalThis.indexedDB
  } catch {
    // Blocked: merely touching it throws.
  }
})()
hide([ArrayBuffer, CryptoKey])

const openDatabase = of(IDBFactory, 'open')
const createStore = of(IDBDatabase, 'createObjectStore')
const closeDatabase = of(IDBDatabase, 'close')
const transaction = of(IDBDatabase, 'transaction')
const abortWork = of(IDBTransaction, 'abort')
const storeOf = of(IDBTransaction, 'objectStore')
const getItem = of(IDBObjectStore, 'get')
const getItems = of(IDBObjectStore, 'getAll')
const putItem = of(IDBObjectStore, 'put')
const deleteItem = of(IDBObjectStore, 'delete')
const resultOf = of(IDBRequest, 'result')
const between = IDBKeyRange && IDBKeyRange.bound.bind(IDBKeyRange)
const encode = of(TextEncoder, 'encode')
const [decrypt, deriveBits, deriveKey, encrypt, exportKey, generateKey, importKey] = [
  'decrypt',
  'deriveBits',
  'deriveKey',
  'encrypt',
  'exportKey',
  'generateKey',
  'importKey',
].map(name => member(SubtleCrypto && SubtleCrypto.prototype, name))

const ITEMS = 'items'
const IV = 12
const GCM = 'AES-GCM'
const HKDF = 'HKDF'
const SEALING = record({ name: GCM, length: 256 })
const AGREEING = record({ name: 'ECDH', namedCurve: 'P-256' })

export const utf8 = text => encode(encoder, text)
const nowhere = record({ name: 'NotKept' })

export const copyOf = bytes => {
  const copy = new Uint8Array(byteLength(bytes))
  copyInto(copy, bytes)
  return copy
}

// Items: `{name, text, one, two, value}`; two parts of bytes, and a value that can be cloned.

export const canKeep = () => !!factory

let database

const opened = (done, failed) => {
  if (database) return done()
  const request = openDatabase(factory, 'oauth-wasm', 1)
  listen(request, 'upgradeneeded', () => createStore(resultOf(request), ITEMS))
  listen(request, 'error', () => failed(nowhere))
  listen(request, 'success', () => {
    database = resultOf(request)
    const shut = () => {
      closeDatabase(database)
      database = undefined
    }
    listen(database, 'versionchange', shut)
    listen(database, 'close', shut)
    done()
  })
}

/**
 * Runs `work(store, give)` as one transaction; `done` gets what it gave when all of it is kept. A connection may be gone
 * without a word (Safari ends those of a page in the background): the work is then done once more, over another.
 */
const within = (mode, work, done, failed) => {
  const run = otherwise => {
    let over
    let running
    const broken = () => {
      if (over) return
      over = true
      database = undefined
      try {
        abortWork(running)
      } catch {
        // It has ended, or never began.
      }
      otherwise()
    }
    const attempt = f => {
      try {
        f()
      } catch {
        broken()
      }
    }
    const begin = () => {
      running = transaction(database, ITEMS, mode)
      let given
      listen(running, 'complete', () => over || done(given))
      listen(running, 'abort', broken)
      work(storeOf(running, ITEMS), value => {
        given = value
      })
    }
    attempt(() => opened(() => attempt(begin), failed))
  }
  run(() => run(() => failed(nowhere)))
}

const answering = (id, mode, work) =>
  soon(() =>
    within(
      mode,
      work,
      value => wake(id, true, value),
      reason => wake(id, false, reason),
    ),
  )

const found = (store, name, done) => {
  const request = getItem(store, name)
  listen(request, 'success', () => done(resultOf(request)))
}

/** Wakes the task with an item, or undefined. */
export const find = (id, name) => answering(id, 'readonly', (store, give) => found(store, name, give))

/** Wakes the task with an item that is there no more. */
export const take = (id, name) =>
  answering(id, 'readwrite', (store, give) =>
    found(store, name, item => {
      give(item)
      deleteItem(store, name)
    }),
  )

/** Wakes the task with the items whose names begin so. */
export const findAll = (id, prefix) =>
  answering(id, 'readonly', (store, give) => {
    const request = getItems(store, between(prefix, prefix + '\uffff'))
    listen(request, 'success', () => give(resultOf(request)))
  })

/** Whether an item is there whose name begins so, and whose rest of the name, text and first part are right; undefined where nothing can be kept. */
export const anyItem = (prefix, isRight, done) => {
  if (!factory) return done()
  let any = false
  const look = store => {
    const request = getItems(store, between(prefix, prefix + '\uffff'))
    listen(request, 'success', () => {
      const items = resultOf(request)
      for (let i = 0; i < items.length; i++) {
        any ||= isRight(slice(ownValue(items[i], 'name'), prefix.length), textOfItem(items[i]), ownValue(items[i], 'one'))
      }
    })
  }
  within('readonly', look, () => done(any), () => done())
}

/**
 * Puts an item in the place of the one whose text is `expected` (empty: there is none), and wakes the task with whether
 * it could. Parts that are not given stay as they were.
 */
export const replace = (id, name, expected, text, one, two) => {
  const parts = [one && copyOf(one), two && copyOf(two)]
  answering(id, 'readwrite', (store, give) =>
    found(store, name, item => {
      const fits = textOfItem(item) === expected
      give(fits)
      if (!fits) return
      const part = (given, name) => given || ownValue(item, name)
      putItem(store, record({ name, text, one: part(parts[0], 'one'), two: part(parts[1], 'two') }), name)
    }),
  )
}

/** Keeps a value that can be cloned, a key for example, and a text about it. */
export const keepValue = (id, name, text, value) =>
  answering(id, 'readwrite', store => putItem(store, record({ name, text, value }), name))

const me = random && toJson(random(new Uint32Array(4)))

/** Wakes the task with whether something is now this page's alone, for so many seconds at the most. */
export const lease = (id, name, seconds) =>
  answering(id, 'readwrite', (store, give) =>
    found(store, name, item => {
      const now = wallClock()
      const longest = now + seconds * 1000
      const until = valueOf(item)
      // One that lasts longer was made by another clock.
      const free = !(until > now && until <= longest)
      give(free)
      if (free) putItem(store, record({ name, text: me, value: longest }), name)
    }),
  )

export const endLease = (id, name) =>
  answering(id, 'readwrite', store =>
    found(store, name, item => {
      if (textOfItem(item) === me) deleteItem(store, name)
    }),
  )

export const valueOf = item => ownValue(item, 'value')

export const drop = (id, name) => answering(id, 'readwrite', store => deleteItem(store, name))

const textIn = (item, name) => {
  const text = ownValue(item, name)
  return typeof text === 'string' ? text : ''
}
export const textOfItem = item => textIn(item, 'text')
export const nameOfItem = item => textIn(item, 'name')
/** The nth of a list of items; undefined after the last. */
export const nthItem = (items, n) => (n < items.length ? items[n] : undefined)
/** The bytes of an item's part; none where there is no such part, or somebody has put something else there. */
export const partOf = (item, name) => {
  try {
    return copyOf(ownValue(item, name))
  } catch {
    return new Uint8Array(0)
  }
}

// Keys and what they seal.

export const canSeal = () => !!subtle

/**
 * Wakes the task with what a chain of promises ends with, or the reason's name; `start` is called when the module is off the stack. No promise
 * is resolved with what comes of it: it would look for a `then` on the bytes.
 */
export const chained = (id, start) =>
  soon(() => {
    const failed = reason => wake(id, false, nameOf(reason))
    try {
      start(value => wake(id, true, value), failed)
    } catch (e) {
      failed(e)
    }
  })

const imported = (bytes, algorithm, usages, done, failed) =>
  then(importKey(subtle, 'raw', bytes, algorithm, false, usages), done, failed)

const derived = (base, salt, info, done, failed) =>
  then(
    deriveKey(subtle, record({ name: HKDF, hash: 'SHA-256', salt, info }), base, SEALING, false, ['encrypt', 'decrypt']),
    done,
    failed,
  )

/** The key of this browser and origin from which others are derived; made when it is first wanted. */
const base = (done, failed) => {
  const name = 'key'
  const made = key =>
    within(
      'readwrite',
      (store, give) =>
        found(store, name, item => {
          give(item ? valueOf(item) : key)
          item || putItem(store, record({ name, text: '', value: key }), name)
        }),
      done,
      failed,
    )
  within(
    'readonly',
    (store, give) => found(store, name, give),
    item => {
      if (item) return done(valueOf(item))
      const bytes = random(new Uint8Array(32))
      const wiped = then_ => value => {
        fill(bytes, 0)
        then_(value)
      }
      imported(bytes, HKDF, ['deriveKey'], wiped(made), wiped(failed))
    },
    failed,
  )
}

/** Wakes the task with the key of this browser and origin that goes with `salt`. */
export const keptKey = (id, salt) =>
  chained(id, (done, failed) => base(key => derived(key, utf8(salt), utf8('oauth-wasm'), done, failed), failed))

/** Wakes the task with a key made of 32 bytes. */
export const keyOf = (id, bytes) => {
  const copy = copyOf(bytes)
  chained(id, (done, failed) =>
    imported(
      copy,
      GCM,
      ['encrypt', 'decrypt'],
      key => {
        fill(copy, 0)
        done(key)
      },
      failed,
    ),
  )
}

/** Wakes the task with sealed bytes, which only open with the same `bound`. */
export const seal = (id, key, bound, bytes) => {
  const plain = copyOf(bytes)
  chained(id, (done, failed) => {
    const iv = random(new Uint8Array(IV))
    const options = record({ name: GCM, iv, additionalData: utf8(bound) })
    then(
      encrypt(subtle, options, key, plain),
      buffer => {
        fill(plain, 0)
        const sealed = new Uint8Array(buffer)
        const whole = new Uint8Array(IV + byteLength(sealed))
        copyInto(whole, iv)
        copyInto(whole, sealed, IV)
        done(whole)
      },
      failed,
    )
  })
}

/** Wakes the task with what was sealed. */
export const unseal = (id, key, bound, bytes) => {
  const whole = copyOf(bytes)
  chained(id, (done, failed) => {
    const iv = new Uint8Array(bufferOf(whole), 0, IV)
    const sealed = new Uint8Array(bufferOf(whole), IV)
    const options = record({ name: GCM, iv, additionalData: utf8(bound) })
    then(decrypt(subtle, options, key, sealed), buffer => done(new Uint8Array(buffer)), failed)
  })
}

/** Wakes the task with a key pair for one agreement. */
export const pair = id =>
  chained(id, (done, failed) =>
    then(
      generateKey(subtle, AGREEING, false, ['deriveBits']),
      keys =>
        then(
          exportKey(subtle, 'raw', keys.publicKey),
          buffer => done(record({ own: keys.privateKey, shown: new Uint8Array(buffer) })),
          failed,
        ),
      failed,
    ),
  )

/** The half of a pair that anybody may see. */
export const shownOf = pair => pair.shown

/** Wakes the task with the key that both sides of an agreement get; `info` says what it is for. */
export const agree = (id, pair, theirs, info) => {
  const point = copyOf(theirs)
  chained(id, (done, failed) => {
    const agreed = other =>
      then(
        deriveBits(subtle, record({ name: 'ECDH', public: other }), pair.own, 256),
        buffer => {
          const bytes = new Uint8Array(buffer)
          const wiped = key => {
            fill(bytes, 0)
            derived(key, new Uint8Array(0), utf8(info), done, failed)
          }
          imported(bytes, HKDF, ['deriveKey'], wiped, failed)
        },
        failed,
      )
    imported(point, AGREEING, [], agreed, failed)
  })
}
