// What this library needs of the platform, in a page and in a worker alike, taken while the module is evaluated:
// whatever the page replaces or patches afterwards never sees a value of ours. Four rules keep it so:
//
// - Methods are taken off their prototypes and called by `uncurry`: `promise.then(..)` would look `then` up again.
// - Objects that are written to or handed to the platform have no prototype, where a setter or getter could wait.
// - No promise of ours shows its value: `then` hides its `constructor`, and what the platform resolves a promise
//   with has a `then` of its own, which is nothing.
// - No code of the page's runs, and no error it can see is made, while the module is on the stack: a stack trace
//   can name the instance. Whatever could do so waits for the next turn (`later`).

const { AbortController, AbortSignal, Array, BroadcastChannel, DOMException, Date, Error, Headers, JSON, MessageEvent, Object } = globalThis
const { ReadableStream, RegExp, Request, Response, String, TextEncoder, TypeError, URL, Uint8Array, WeakMap, WebAssembly } = globalThis
const { WritableStream, Zone, crypto, document, performance } = globalThis
const { create, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, keys, prototype: everything, setPrototypeOf } = Object
const { parse, stringify } = JSON
const { isArray } = Array
const { ceil, max, min } = Math

export { BroadcastChannel, Error, Uint8Array, WebAssembly, clearTimeout, crypto, document, everything, getPrototypeOf, keys, setTimeout }

/** uncurry(f)(self, ...rest) is f.call(self, ...rest), whatever becomes of Function.prototype.call. */
export const uncurry = Function.prototype.bind.bind(Function.prototype.call)

// zone.js, which came first where it is at all (Angular), keeps what it replaces under a name of its own.
const nameOfOriginal = Zone && Zone.__symbol__

/** A function of the page as the platform made it. */
export const original = name => (nameOfOriginal && globalThis[nameOfOriginal(name)]) || globalThis[name]

/**
 * A method or a getter of a prototype, or of what that inherits from (a test environment may subclass); undefined where
 * the platform has none (Node, old browsers).
 */
export const member = (prototype, name) => {
  for (; prototype; prototype = getPrototypeOf(prototype)) {
    const unpatched = nameOfOriginal && getOwnPropertyDescriptor(prototype, nameOfOriginal(name))
    const found = unpatched || getOwnPropertyDescriptor(prototype, name)
    if (found) return uncurry(found.get || found.value)
  }
}
export const of = (type, name) => member(type && type.prototype, name)

const fetch = original('fetch')
const setTimeout = original('setTimeout')
const clearTimeout = original('clearTimeout')

/** An object whose properties are its own and nobody else's. */
export const record = properties => {
  const names = keys(properties)
  const result = create(null)
  for (let i = 0; i < names.length; i++) result[names[i]] = properties[names[i]]
  return result
}

export const own = (object, name, value, enumerable) =>
  defineProperty(object, name, record({ value, enumerable, writable: true, configurable: true }))

/** The JSON text of a list of ours, which inherits nothing: JSON would look for a `toJSON` on it. */
export const listed = list => stringify(setPrototypeOf(list, null))

const nothing = record({ value: undefined })
const { Instance, Module } = WebAssembly || {}
/** What the platform resolves promises with: looking for a `then` on it meets nothing, and not the page's. */
export const hide = types => {
  for (let i = 0; i < types.length; i++) types[i] && defineProperty(types[i].prototype, 'then', nothing)
}
hide([Response, Instance, Module])

/**
 * The engine's promises. The global `Promise` may be another's (zone.js, bluebird), and so is an async function's where
 * a build tool has rewritten it, as Angular's does; a stream's is not.
 */
export const { constructor: Promise } = getPrototypeOf(
  (() => {
    try {
      return new ReadableStream().cancel()
    } catch {
      return globalThis.Promise.resolve()
    }
  })(),
)

const chain = of(Promise, 'then')
const linked = (promise, done, failed) => chain(defineProperty(promise, 'constructor', nothing), done, failed)
export const then = (promise, done, failed) => {
  try {
    linked(promise, done, failed)
  } catch {
    // Not the engine's: of a `fetch` that the page had replaced before.
    linked(new Promise(resolve => resolve(promise)), done, failed)
  }
}

const textMethod = name => uncurry(String.prototype[name])
export const charCodeAt = textMethod('charCodeAt')
export const indexOf = textMethod('indexOf')
export const slice = textMethod('slice')
export const startsWith = textMethod('startsWith')
const split = textMethod('split')
const exec = of(RegExp, 'exec')
export const lowerCase = textMethod('toLowerCase')
const upperCase = textMethod('toUpperCase')
export const encoder = TextEncoder && new TextEncoder()
export const getRandomValues = crypto && crypto.getRandomValues.bind(crypto)
const base = document && member(globalThis.Node.prototype, 'baseURI')
const baseURI = () => (base ? base(document) : undefined)
const hasOwn = uncurry(Object.prototype.hasOwnProperty)
const typedArray = getPrototypeOf(Uint8Array.prototype)
export const byteLength = member(typedArray, 'byteLength')
export const bufferOf = member(typedArray, 'buffer')
export const copyInto = member(typedArray, 'set')
export const fill = member(typedArray, 'fill')
const signalFrom = of(AbortController, 'signal')
const abort = of(AbortController, 'abort')
/** A signal that aborts by itself; browsers before 2022 have no `AbortSignal.timeout`. */
export const timeout =
  AbortSignal && AbortSignal.timeout
    ? AbortSignal.timeout.bind(AbortSignal)
    : milliseconds => {
        if (!AbortController) return
        const controller = new AbortController()
        setTimeout(() => abort(controller), milliseconds)
        return signalFrom(controller)
      }
const getHeader = of(Headers, 'get')
const setHeader = of(Headers, 'set')
const hasHeader = of(Headers, 'has')
const requestHeaders = of(Request, 'headers')
const responseHeaders = of(Response, 'headers')
const responseBody = of(Response, 'body')
const pipeTo = of(ReadableStream, 'pipeTo')
const resolved = defineProperty(new Promise(resolve => resolve()), 'constructor', nothing)
// What is said to the other pages of this origin.
export const post = of(BroadcastChannel, 'postMessage')
export const dataOf = of(MessageEvent, 'data')

/** Calls it in the next turn. */
export const soon = f => chain(resolved, f)

// Clocks, in milliseconds.

export const wallClock = Date.now
const parseDate = Date.parse
export const monotonicClock = performance ? performance.now.bind(performance) : wallClock

// Tasks: promises given out under a number, and promises waited for under a number.

const givenOut = create(null)
const resumes = create(null)
let crashed

/**
 * Each module that is open has a number, which its tasks' numbers begin with (`task.rs`). `text` is the JSON text of the
 * error that a trap is shown as.
 */
export const connect = (callback, text, module = 0) => {
  resumes[module] = callback
  crashed = text
}
const moduleOf = id => id >>> 24

/** If the module traps, which is a bug of ours, nobody is left waiting, and nobody sees the trap's own error. */
export const guarded = (module, f, reject) => {
  try {
    f()
  } catch (e) {
    if (!crashed) throw e
    const ids = keys(givenOut)
    for (let i = 0; i < ids.length; i++) if (moduleOf(ids[i]) === module) settleWith(ids[i], false, crashed)
    reject && reject(error(crashed))
  }
}

export const wake = (id, ok, value) => {
  const module = moduleOf(id)
  guarded(module, () => resumes[module](id, ok, value))
}

// Bytes on their way from one module to another.

let handed
/** Keeps a copy: what is given may be a view of a module's memory. */
export const handOn = bytes => {
  handed = new Uint8Array(byteLength(bytes))
  copyInto(handed, bytes)
}
/** The bytes, which are gone with the next turn. */
export const handedOn = () => {
  const bytes = handed
  handed = undefined
  return handOver(bytes || new Uint8Array(0))
}

const same = reason => reason

/**
 * Starts something when the module is off the stack, and wakes the task with what becomes of it; `read` makes of a reason
 * what the module gets.
 */
export const later = (id, start, read = same) =>
  soon(() => {
    const failed = reason => wake(id, false, read(reason))
    let started
    try {
      started = start()
    } catch (e) {
      return failed(e)
    }
    then(started, result => wake(id, true, result), failed)
  })

export const promise = id =>
  new Promise((resolve, reject) => {
    givenOut[id] = { __proto__: null, resolve, reject }
  })

export const settle = (id, ok, value) => {
  const given = givenOut[id]
  delete givenOut[id]
  soon(() => (ok ? given.resolve : given.reject)(value))
}

/** Settles with the value of a JSON text, or with the error it describes. */
export const settleWith = (id, ok, text) => {
  const given = givenOut[id]
  delete givenOut[id]
  soon(() => (ok ? given.resolve(parse(text)) : given.reject(error(text))))
}

/** Resolves with the error that a JSON text describes: what was asked for, and no failure. */
export const settleMade = (id, text) => {
  const given = givenOut[id]
  delete givenOut[id]
  soon(() => given.resolve(error(text)))
}

/** Calls a function of the caller's, which may throw, or give a promise or any other value. */
export const callWith = (id, callback, value) =>
  later(id, () => step('leave', undefined, new Promise(resolve => resolve(callback(value))), value))

// Events: listeners of the caller's, each called with a value of its own when the module is off the stack.

let listeners = []

/** A function of the caller's, to be called where it was handed over: in the zone that was current then. */
const inZone = f => {
  const { Zone } = globalThis
  return Zone && Zone.current ? Zone.current.wrap(f, 'oauth-wasm') : f
}

/** Adds a listener, until the signal says otherwise or what it returns is called. */
export const listenTo = (listener, signal) => {
  const entry = record({ listener: typeof listener === 'function' ? inZone(listener) : undefined })
  const remove = () => {
    entry.listener = undefined
    const others = []
    for (let i = 0; i < listeners.length; i++) {
      if (listeners[i] !== entry) own(others, others.length, listeners[i], true)
    }
    listeners = others
    if (signal) unlisten(signal, 'abort', remove)
  }
  if (signal && aborted(signal)) return () => {}
  own(listeners, listeners.length, entry, true)
  if (signal) listen(signal, 'abort', remove)
  return remove
}

export const emit = (text, told = listeners) =>
  soon(() => {
    for (let i = 0; i < told.length; i++) {
      const { listener } = told[i]
      try {
        listener && listener(parse(text))
      } catch (e) {
        // The page's to hear of, and no reason for the others not to be called.
        setTimeout(() => {
          throw e
        })
      }
    }
  })

// Steps, for `debug`. What is told of one is made here and nowhere else, of what is no secret: a word of ours, a clock, an
// address's origin, a status, the code of an error of ours. Texts of servers and of errors have no way in.

let watcher
export const watch = listener => {
  watcher = listener
}
const originFrom = of(URL, 'origin')
// A getter of the page's could give what is one address to who judges it, and another to fetch.
const hrefFrom = of(URL, 'href')

const statusOf = value => {
  try {
    return status(value)
  } catch {
    // No response.
  }
}

/** Tells of a step when it is over: when the promise is settled, or at once where there is none. Gives the promise. */
export const step = (kind, name, promise, url) => {
  // A part may be loaded before the page has said that it listens.
  if (!watcher && kind !== 'load') return promise
  const at = monotonicClock()
  const over = code => value =>
    watcher &&
    emit(
      stringify(
        record({
          step: kind,
          name,
          at,
          ms: monotonicClock() - at,
          origin: url && originFrom(new URL(url)),
          status: statusOf(value),
          code: code && isOurs(value) ? value.code : code,
        }),
      ),
      [record({ listener: watcher })],
    )
  promise ? then(promise, over(), over('failed')) : over()()
  return promise
}

// Values.

export const fromJson = text => parse(text)

// JSON would drop a function, and its name with it, which may be misspelt.
const kept = (name, value) => (typeof value === 'function' && name !== 'navigate' ? null : value)

/** The JSON text of a value; empty where there is none: undefined, a cycle, a getter that throws. */
export const toJson = value => {
  try {
    return stringify(value, kept) || ''
  } catch {
    return ''
  }
}

/** A function that stands in `object` itself. */
export const ownFunction = (object, name) => {
  const value = ownValue(object, name)
  return typeof value === 'function' ? inZone(value) : undefined
}

/** A member as text, empty where there is none; undefined where there is no object. */
export const ownText = (object, name) => {
  if (!object || typeof object !== 'object') return
  const value = ownValue(object, name)
  return value === undefined ? '' : '' + value
}

export const ownFlag = (object, name) => ownValue(object, name) === true

/**
 * The JSON text of a list of {method, url}, made from URLs, texts, requests and objects with these members, and whatever
 * else these have; empty where it is no such list.
 */
export const calls = list => {
  const read = []
  try {
    if (!isArray(list)) return ''
    for (let i = 0; i < list.length; i++) {
      const call = list[i]
      const { method, url, ...others } = typeof call === 'object' && !(call instanceof URL) ? call : { url: call }
      const known = { ...others, method: method && upperCase('' + method), url: hrefFrom(new URL(url, baseURI())) }
      own(read, i, record(known), true)
    }
  } catch {
    return ''
  }
  return toJson(read)
}

export const ownValue = (object, name) => (object && hasOwn(object, name) ? object[name] : undefined)

/** What every error of the library is an instance of; the entry names it. */
export function Failure() {
  throw new TypeError('the library makes its errors itself')
}
const PROTOTYPE = create(Error.prototype)
own(PROTOTYPE, 'constructor', Failure, false)
const isOurs = value => value && getPrototypeOf(value) === PROTOTYPE
defineProperty(Failure, 'prototype', record({ value: PROTOTYPE, writable: false }))

/**
 * A real Error with the members of the JSON text; its code stands before its message, for whoever sees it uncaught. Its
 * own stack would be of our frames; `traced` gives it those of the caller.
 */
export const error = text => {
  const members = parse(text)
  const message = members.code + ': ' + members.message
  const result = setPrototypeOf(new Error(message), PROTOTYPE)
  // Seen by JSON too, which logs are.
  own(result, 'message', message, true)
  own(result, 'name', members.name, false)
  own(result, 'stack', members.name + ': ' + message, false)
  const names = keys(members)
  for (let i = 0; i < names.length; i++) {
    if (names[i] !== 'name' && names[i] !== 'message') own(result, names[i], members[names[i]], true)
  }
  return result
}

const replace = textMethod('replace')
const FRAME = /^\s*at |@/
// A script in the page itself has the page's address, with what a redirect brought.
const PARAMETERS = /[?#].*?((:\d+)*\)?)$/

/**
 * The frames of whoever called, without ours: the first; without a trace those of who awaits what is settled now. Engines
 * agree on the lines, and on nothing else.
 */
const framesOf = trace => {
  try {
    const lines = split((trace || new Error()).stack, '\n')
    let frames = ''
    let ours = 1
    for (let i = 0; i < lines.length; i++) {
      if (FRAME.test(lines[i]) && (trace ? ours-- <= 0 : indexOf(lines[i], ' async ') > 0)) {
        frames += '\n' + replace(lines[i], PARAMETERS, '$1')
      }
    }
    return frames
  } catch {
    return ''
  }
}

// V8 knows who awaits a promise when it is rejected, which costs a call nothing; others know who calls, when it does.
let late = !!exec(/\n +at /, new Error().stack)

/**
 * The same function; the stack of an error that it gives or rejects with says who called. One that is called `often` finds
 * out when there is an error, where that can be known: until one shows that it is called by who does not await it.
 */
export const traced = (called, often) => (first, second) => {
  // Here, where no module is on the stack; an engine makes text of it only where it is read.
  const trace = often && late ? undefined : new Error()
  const seen = value => {
    if (isOurs(value)) {
      const frames = framesOf(trace)
      if (!frames) late = false
      own(value, 'stack', value.stack + frames, false)
    }
    return value
  }
  let answer
  try {
    answer = called(first, second)
  } catch (e) {
    answer = new Promise((_, reject) => reject(e))
  }
  return linked(answer, seen, reason => {
    throw seen(reason)
  })
}

// Requests of the library's own.

/**
 * Sends a request, with a form where there is one and one header more where that has a name, and wakes the task with the
 * native response, or the reason's name.
 */
export const request = (id, method, url, form, authorization, milliseconds, name, value) =>
  later(id, () => {
    const headers = record({ accept: 'application/json' })
    if (form) headers['content-type'] = 'application/x-www-form-urlencoded'
    if (authorization) headers.authorization = authorization
    if (name) headers[name] = value
    const asked = fetch(
      url,
      record({
        method,
        body: form || undefined,
        headers,
        cache: 'no-store',
        // The cookie is the relay's own (docs/relay.md); nobody else is sent one.
        credentials: name === 'relay-cookie' ? 'include' : 'omit',
        redirect: 'error',
        referrerPolicy: 'no-referrer',
        signal: timeout(milliseconds),
      }),
    )
    return step('request', method, asked, url)
  }, nameOf)

/**
 * Wakes the task when the server has answered anything, which nobody reads. First as the requests that matter are sent,
 * which no header of the answer can hide but CORS's; then as one that CORS says nothing about. Neither is a HEAD: some
 * servers answer one with a body, in which the next answer on the connection gets lost.
 */
export const reach = (id, url, milliseconds) =>
  later(id, () => {
    const asked = more =>
      fetch(
        url,
        record({
          ...more,
          cache: 'no-store',
          credentials: 'omit',
          referrerPolicy: 'no-referrer',
          signal: timeout(milliseconds),
        }),
      )
    return new Promise((resolve, reject) =>
      then(asked({ method: 'POST', redirect: 'error' }), resolve, () =>
        then(asked({ mode: 'no-cors' }), resolve, reject),
      ),
    )
  })

/** Wakes the task after a while. */
export const sleep = (id, milliseconds) => setTimeout(() => wake(id, true), milliseconds)

/** Wakes the task with the bytes of a response, or the reason's name; TooLarge if there are more than `limit`. */
export const readBody = (id, response, limit) =>
  soon(() =>
    readAll(
      response,
      limit,
      bytes => wake(id, true, bytes),
      reason => wake(id, false, nameOf(reason)),
    ),
  )

/** The bytes go through a stream of our own: a reader's promise would resolve with each part of them. */
export const readAll = (response, limit, done, failed) => {
  const stream = responseBody(response)
  let bytes = new Uint8Array(4096)
  let size = 0
  const write = chunk => {
    const length = byteLength(chunk)
    if (size + length > limit) throw record({ name: 'TooLarge' })
    if (size + length > byteLength(bytes)) {
      const larger = new Uint8Array(2 * (size + length))
      copyInto(larger, bytes)
      fill(bytes, 0)
      bytes = larger
    }
    copyInto(bytes, chunk, size)
    fill(chunk, 0)
    size += length
  }
  const end = () => done(new Uint8Array(bufferOf(bytes), 0, size))
  stream ? then(pipeTo(stream, new WritableStream(record({ write }))), end, failed) : end()
}

/** The bytes, for the module to copy; what stays here is gone with the next turn. */
export const handOver = bytes => {
  soon(() => fill(bytes, 0))
  return bytes
}

const nameOfException = of(DOMException, 'name')

/**
 * The name of a reason of the platform's (a DOMException's) or of our own; empty where it is neither. Never while the
 * module is on the stack: an error looks its name up where a page can put a getter.
 */
export const nameOf = reason => {
  try {
    return nameOfException(reason)
  } catch {
    return ownValue(reason, 'name') || ''
  }
}

// Requests of the caller's, who sees them as fetch would make them.

const clone = of(Request, 'clone')
const urlOf = of(Request, 'url')
const methodOf = of(Request, 'method')
const modeOf = of(Request, 'mode')
const redirectOf = of(Request, 'redirect')
const credentialsOf = of(Request, 'credentials')
const referrerOf = of(Request, 'referrer')
const referrerPolicyOf = of(Request, 'referrerPolicy')
const signalOf = of(Request, 'signal')

/** The members of `init` that are not fetch's, but ours, as JSON text. */
const optionsOf = (init, names) => {
  const options = create(null)
  for (let i = 0; i < names.length; i++) {
    const value = ownValue(init, names[i])
    // JSON would lose what these are.
    options[names[i]] = typeof value === 'number' && value - value !== 0 ? '' + value : value
  }
  return stringify(options)
}

const isOneOf = (names, name) => {
  for (let i = 0; i < names.length; i++) if (names[i] === name) return true
}

/** An origin and a slash, as the browser serialises them: the beginning of the address that came last. */
let beginning = ''
/** What may follow them and is serialised as it stands: no dot segment, and nothing that is encoded, dropped or trimmed. */
const FOLLOWING = /^(?!\.)([\w!$&()*+,;=:~.-]|\/(?!\.))*(\?[\w!$&()*+,;=:~./?%-]*)?$/

/**
 * An address as the browser serialises it. One that only repeats an origin, and holds nothing else to be changed, is it
 * already: parsing costs more than the rest of a call's preparation.
 */
const serialised = input => {
  if (beginning && input.length < 999 && startsWith(input, beginning) && exec(FOLLOWING, slice(input, beginning.length))) return input
  const url = new URL(input, baseURI())
  const href = hrefFrom(url)
  beginning = originFrom(url) + '/'
  // Others have an origin that is not their beginning: blob:, data:, a user's name.
  if (!startsWith(href, beginning)) beginning = ''
  return href
}

/**
 * What most calls are: an address, and of fetch's own members no more than a method, headers and a body that are texts.
 * Without a Request, which costs as much as all the rest. Undefined where it is another, for which a Request is made:
 * what goes out is then all of that.
 */
const plain = (input, init, names) => {
  if (typeof input !== 'string' || !base || (init && getPrototypeOf(init) !== everything)) return
  const url = serialised(input)
  // fetch refuses a user's name in it, which a Request says at once.
  if (indexOf(url, '@') >= 0) return
  const headers = { __proto__: null }
  const sent = { __proto__: null, method: 'GET', headers, redirect: 'error', credentials: 'omit', referrerPolicy: 'no-referrer' }
  const members = init ? keys(init) : []
  for (let i = 0; i < members.length; i++) {
    const name = members[i]
    if (isOneOf(names, name)) continue
    const value = init[name]
    if (name === 'headers' && value && getPrototypeOf(value) === everything) {
      const fields = keys(value)
      for (let j = 0; j < fields.length; j++) {
        const field = lowerCase(fields[j])
        const text = value[fields[j]]
        // Two that differ in their letters only are one with both values.
        if (typeof text !== 'string' || headers[field] !== undefined) return
        headers[field] = text
      }
    } else if (typeof value === 'string' && (name === 'body' || (name === 'method' && value === upperCase(value)))) sent[name] = value
    else return
  }
  const { method } = sent
  return { __proto__: null, input: url, init: sent, method, flags: headers.authorization === undefined ? '' : 'a', url }
}

const whole = (input, init) => {
  const request = new Request(input, init)
  const choice = (name, theirs, standard, ours) =>
    theirs !== standard || ownValue(init, name) === standard ? theirs : ours
  return record({
    input: request,
    init: record({
      referrer: referrerOf(request),
      redirect: choice('redirect', redirectOf(request), 'follow', 'error'),
      credentials: choice('credentials', credentialsOf(request), 'same-origin', 'omit'),
      referrerPolicy: choice('referrerPolicy', referrerPolicyOf(request), '', 'no-referrer'),
    }),
    method: methodOf(request),
    flags:
      (hasHeader(requestHeaders(request), 'authorization') ? 'a' : '') +
      (modeOf(request) === 'no-cors' ? 'n' : '') +
      (!!ReadableStream && ownValue(init, 'body') instanceof ReadableStream ? 's' : ''),
    url: urlOf(request),
    signal: signalOf(request),
  })
}

/**
 * What fetch(input, init) would send, and its `text`, what is to be known of it, each in a line: a for a header
 * Authorization, n for the mode no-cors, s for a body that is a stream; the method; the URL; our options, whose names have
 * spaces between them, as JSON text. Nothing of the caller's is read after this. Where the caller left the platform's
 * default, the careful choice stands.
 */
export const prepare = (input, init, names) => {
  const list = split(names, ' ')
  const prepared = plain(input, init, list) || whole(input, init)
  const { flags, method, url } = prepared
  prepared.text = flags + '\n' + method + '\n' + url + '\n' + (init ? optionsOf(init, list) : '')
  prepared.mark = MARK
  return prepared
}

export const textOf = prepared => prepared.text

/** What `prepare` gave has this; nothing of the page's can. */
const MARK = create(null)

/** Adds a header to what was prepared. */
export const addHeader = (prepared, name, value) => {
  // Nobody but `prepare` says where a request goes.
  if (prepared.mark !== MARK) throw record({ name: 'NotPrepared' })
  const { headers } = prepared.init
  if (headers) headers[lowerCase(name)] = value
  else setHeader(requestHeaders(prepared.input), name, value)
}

/** Sends what was prepared with one header more, or two; `again` keeps a copy for once more. */
export const send = (id, prepared, name, value, more, moreValue, again) =>
  later(id, () => {
    const { input, init, method, url } = prepared
    // What has no body is the same after it was sent.
    const lasts = init.headers || method === 'GET' || method === 'HEAD'
    const rest = again && (lasts ? input : clone(input))
    addHeader(prepared, name, value)
    if (more) addHeader(prepared, more, moreValue)
    prepared.input = rest
    return step('fetch', method, fetch(input, init), url)
  })

export const status = of(Response, 'status')
export const header = (response, name) => (name && getHeader(responseHeaders(response), name)) || ''

/** Retry-After, which is a number of seconds or a date, in seconds from now; -1 where there is none. */
export const retryAfter = response => {
  const text = header(response, 'retry-after')
  const date = header(response, 'date')
  const now = date ? parseDate(date) : wallClock()
  const seconds = text && +text === +text ? +text : (parseDate(text) - now) / 1000
  return seconds === seconds ? ceil(max(0, min(seconds, 1e9))) : -1
}

const methods = WeakMap && new WeakMap()
const setMethod = of(WeakMap, 'set')
const getMethod = of(WeakMap, 'get')

/** Remembers what a refusal answers, for `inspect`. */
export const note = (response, prepared) => {
  if (status(response) >= 400) setMethod(methods, response, prepared.method)
}

const responseUrl = of(Response, 'url')
const cloneResponse = of(Response, 'clone')

/** What is to be known of a response, as JSON text; its body goes to `done` as bytes, empty where it is read already. */
export const inspect = (response, limit, done) => {
  const seconds = retryAfter(response)
  const text = stringify(
    record({
      url: responseUrl(response),
      status: status(response),
      method: getMethod(methods, response) || 'GET',
      authenticate: header(response, 'www-authenticate'),
      retryAfter: seconds < 0 ? undefined : seconds,
    }),
  )
  const empty = () => done(text, new Uint8Array(0))
  // What is no refusal may be long, or never end.
  if (status(response) < 400) return empty()
  let copy
  try {
    copy = cloneResponse(response)
  } catch {
    return empty()
  }
  readAll(copy, limit, bytes => done(text, bytes), empty)
}

/** `inspect` for a task. */
export const inspectLater = (id, response) =>
  soon(() => {
    try {
      inspect(response, 65536, (text, bytes) => wake(id, true, record({ text, bytes })))
    } catch (e) {
      wake(id, false, e)
    }
  })
export const bodyOf = found => found.bytes

const aborted = of(AbortSignal, 'aborted')
const reasonOf = of(AbortSignal, 'reason')
const target = globalThis.EventTarget
export const listen = of(target, 'addEventListener')
export const unlisten = of(target, 'removeEventListener')

/** As `fetch` does, rejects when the caller's signal says so, even while a renewal for others goes on. */
export const abortable = (signal, answer) =>
  new Promise((resolve, reject) => {
    const abort = () => reject(reasonOf(signal))
    if (aborted(signal)) return abort()
    listen(signal, 'abort', abort)
    const settled = f => value => {
      unlisten(signal, 'abort', abort)
      f(value)
    }
    then(answer(), settled(resolve), settled(reject))
  })

/**
 * What nothing goes without, and is missing here or not the platform's own: tried as it is used. A server has all of it;
 * imitations of a page (jsdom, happy-dom) lack parts of it, or mix objects of theirs with those of Node.
 */
export const lacking = () => {
  let what = 'WebAssembly'
  try {
    Instance.name
    what = 'Request'
    listen(signalOf(new Request('data:,', record({ signal: signalFrom(new AbortController()) }))), 'abort', same)
    what = 'Response'
    getHeader(responseHeaders(new Response()), status(new Response()))
    what = 'WritableStream'
    new WritableStream(record({ write: same }))
    what = ''
  } catch {
    // It is that.
  }
  return what
}
