// What this library needs of the platform, in a page and in a worker alike, taken while the module is evaluated:
// whatever the page replaces or patches afterwards never sees a value of ours. Methods are taken off their
// prototypes and called by `uncurry`, since `promise.then(...)` would look `then` up again; objects that are
// written to have no prototype, since a setter on Object.prototype would be called.

const { Date, Error, JSON, Object, Promise, performance, fetch, AbortSignal, Headers, ReadableStream, Request, Response, Uint8Array } =
  globalThis
const { create, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, keys } = Object
const { parse, stringify } = JSON

/** uncurry(f)(self, ...rest) is f.call(self, ...rest), whatever becomes of Function.prototype.call. */
export const uncurry = Function.prototype.bind.bind(Function.prototype.call)

/** A method or a getter of a prototype; undefined where the platform has none (Node, old browsers). */
export const member = (prototype, name) => {
  const found = prototype && getOwnPropertyDescriptor(prototype, name)
  return found && uncurry(found.get || found.value)
}
const of = (type, name) => member(type && type.prototype, name)

export const then = of(Promise, 'then')
const hasOwn = uncurry(Object.prototype.hasOwnProperty)
const typedArray = getPrototypeOf(Uint8Array.prototype)
const byteLength = member(typedArray, 'byteLength')
const buffer = member(typedArray, 'buffer')
const copyInto = member(typedArray, 'set')
const fill = member(typedArray, 'fill')
const timeout = AbortSignal && AbortSignal.timeout && AbortSignal.timeout.bind(AbortSignal)
const getHeader = of(Headers, 'get')
const setHeader = of(Headers, 'set')
const hasHeader = of(Headers, 'has')
const requestHeaders = of(Request, 'headers')
const responseHeaders = of(Response, 'headers')
const responseBody = of(Response, 'body')
const getReader = of(ReadableStream, 'getReader')
const reader = globalThis.ReadableStreamDefaultReader
const readChunk = of(reader, 'read')
const cancelReader = of(reader, 'cancel')
const resolved = Promise.resolve()
const now = performance && performance.now.bind(performance)

/** An object whose properties are its own and nobody else's. */
const record = properties => {
  const names = keys(properties)
  const result = create(null)
  for (let i = 0; i < names.length; i++) result[names[i]] = properties[names[i]]
  return result
}

const own = (object, name, value, enumerable) =>
  defineProperty(object, name, record({ value, enumerable, writable: true, configurable: true }))

// Clocks, in milliseconds.

export const wallClock = Date.now
export const monotonicClock = () => (now ? now() : wallClock())

// Tasks: promises given out under a number, and promises waited for under a number.

const givenOut = create(null)
let resume

export const connect = callback => {
  resume = callback
}

export const promise = id =>
  new Promise((resolve, reject) => {
    givenOut[id] = record({ resolve, reject })
  })

export const settle = (id, ok, value) => {
  const { resolve, reject } = givenOut[id]
  delete givenOut[id]
  ok ? resolve(value) : reject(value)
}

const answer = (id, promise) => {
  then(
    promise,
    result => resume(id, true, result),
    reason => resume(id, false, reason),
  )
}

/** Calls a function of the caller's, which may throw, or give a promise or any other value. */
export const callWith = (id, callback, value) => answer(id, new Promise(resolve => resolve(callback(value))))

// Values.

export const fromJson = text => parse(text)

/** The JSON text of a value; empty where there is none: undefined, a function, a cycle, a getter that throws. */
export const toJson = value => {
  try {
    return stringify(value) || ''
  } catch {
    return ''
  }
}

/** A function that stands in `object` itself. */
export const ownFunction = (object, name) => {
  const value = hasOwn(object, name) && object[name]
  return typeof value === 'function' ? value : undefined
}

/** A real Error with the members of the JSON text. Its stack would name the page's URL, so it has none. */
export const error = text => {
  const members = parse(text)
  const result = new Error(members.message)
  own(result, 'name', members.name, false)
  own(result, 'stack', members.name + ': ' + members.message, false)
  const names = keys(members)
  for (let i = 0; i < names.length; i++) {
    if (names[i] !== 'name' && names[i] !== 'message') own(result, names[i], members[names[i]], true)
  }
  return result
}

// Requests of the library's own.

/** Sends a form and resumes with the native response, or with the name of the reason. */
export const post = (id, url, form, milliseconds) => {
  const init = record({
    method: 'POST',
    body: form,
    headers: record({ accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' }),
    cache: 'no-store',
    credentials: 'omit',
    redirect: 'error',
    referrerPolicy: 'no-referrer',
    signal: timeout && timeout(milliseconds),
  })
  answer(id, fetch(url, init))
}

/** Resumes with the bytes of a response; with the name TooLarge if there are more than `limit`. */
export const readBody = (id, response, limit) => {
  const done = bytes => resume(id, true, bytes)
  const stream = responseBody(response)
  if (!stream) return done(new Uint8Array(0))
  const source = getReader(stream)
  let bytes = new Uint8Array(4096)
  let size = 0
  const next = () =>
    then(
      readChunk(source),
      chunk => {
        if (chunk.done) return done(new Uint8Array(buffer(bytes), 0, size))
        const length = byteLength(chunk.value)
        if (size + length > limit) {
          then(cancelReader(source), () => {}, () => {})
          return resume(id, false, record({ name: 'TooLarge' }))
        }
        if (size + length > byteLength(bytes)) {
          const larger = new Uint8Array(2 * (size + length))
          copyInto(larger, bytes)
          fill(bytes, 0)
          bytes = larger
        }
        copyInto(bytes, chunk.value, size)
        fill(chunk.value, 0)
        size += length
        next()
      },
      reason => resume(id, false, reason),
    )
  next()
}

/** The bytes, for the module to copy; what stays here is gone with the next turn. */
export const handOver = bytes => {
  then(resolved, () => fill(bytes, 0))
  return bytes
}

export const nameOf = reason => '' + ((reason && reason.name) || '')

// Requests of the caller's, who sees them as fetch would make them.

export const request = (input, init) => new Request(input, init)

const clone = of(Request, 'clone')
export const cloneRequest = request => {
  try {
    return clone(request)
  } catch {
    // Its body is in use: it cannot be sent twice.
  }
}

const urlOf = of(Request, 'url')
const methodOf = of(Request, 'method')
const modeOf = of(Request, 'mode')

/** What is to be known of a request before it is sent, as JSON text. */
export const inspect = (request, init) =>
  stringify(
    record({
      url: urlOf(request),
      method: methodOf(request),
      mode: modeOf(request),
      authorization: hasHeader(requestHeaders(request), 'authorization'),
      stream: !!init && !!ReadableStream && init.body instanceof ReadableStream,
      idempotent: !!init && hasOwn(init, 'idempotent') && init.idempotent === true,
    }),
  )

const redirectOf = of(Request, 'redirect')
const credentialsOf = of(Request, 'credentials')
const referrerPolicyOf = of(Request, 'referrerPolicy')

/** Sends it with one header more. Where the caller left the platform's default, the careful value stands. */
export const send = (id, request, init, name, value) => {
  const choice = (option, theirs, standard, ours) =>
    theirs !== standard || (init && hasOwn(init, option) && init[option] === standard) ? theirs : ours
  setHeader(requestHeaders(request), name, value)
  answer(
    id,
    fetch(
      request,
      record({
        redirect: choice('redirect', redirectOf(request), 'follow', 'error'),
        credentials: choice('credentials', credentialsOf(request), 'same-origin', 'omit'),
        referrerPolicy: choice('referrerPolicy', referrerPolicyOf(request), '', 'no-referrer'),
      }),
    ),
  )
}

export const isSignal = value => !!AbortSignal && value instanceof AbortSignal

export const status = of(Response, 'status')
export const responseBytes = of(Response, 'arrayBuffer')
export const header = (response, name) => getHeader(responseHeaders(response), name) || ''
