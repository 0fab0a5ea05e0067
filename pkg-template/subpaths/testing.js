// `oauth-wasm/testing`: the functions of `oauth-wasm` for the tests of an application, without wasm, network, storage or
// a browser. What they answer is up to the test, by `mock`.

import ERRORS from '#errors'

/** As the real one, which has its message, remedy and `retryable` from the same table. */
export class OAuthError extends Error {
  constructor(code, more) {
    const known = ERRORS[code]
    if (!known) throw new TypeError(`oauth-wasm/testing: there is no error code ${code}`)
    const [message, remedy, retryable] = known
    super(`${code}: ${more?.message ?? message}`)
    const { message: _, ...members } = { code, remedy, retryable, ...more }
    for (const [name, value] of Object.entries(members)) {
      Object.defineProperty(this, name, { value, enumerable: true, configurable: true, writable: true })
    }
  }
}
Object.defineProperty(OAuthError.prototype, 'name', { value: 'OAuthError' })

export const isOAuthError = value =>
  value instanceof Error && value.name === 'OAuthError' && typeof value.code === 'string'

const SESSION = {
  provider: null,
  site: null,
  clientId: 'test-client',
  scope: [],
  expiresAt: null,
  renewable: true,
  state: 'active',
  extra: {},
  returnTo: null,
  appState: null,
  claims: null,
  rateLimit: null,
  keep: null,
  shared: false,
}

const complete = session => session && { ...SESSION, ...session }

const of = config => {
  const { provider = null, site = null, clientId = 'test-client', scope = [], returnTo = null, appState = null } = config
  return {
    provider: provider && typeof provider === 'object' ? (provider.name ?? null) : provider,
    site,
    clientId,
    scope: typeof scope === 'string' ? scope.split(' ').filter(Boolean) : scope,
    returnTo,
    appState,
  }
}

/** jsdom in Jest has no `Response`. */
const response = (status, body, headers) => {
  const text = body === undefined ? '' : typeof body === 'string' ? body : JSON.stringify(body)
  const type = typeof body === 'string' ? 'text/plain' : 'application/json'
  const all = { 'content-type': type, ...headers }
  if (globalThis.Response) {
    const empty = status === 204 || status === 205 || status === 304
    return new globalThis.Response(empty ? null : text, { status, headers: all })
  }
  const lower = new Map(Object.entries(all).map(([name, value]) => [name.toLowerCase(), String(value)]))
  const answer = {
    status,
    statusText: '',
    ok: status >= 200 && status < 300,
    redirected: false,
    type: 'basic',
    url: '',
    headers: {
      get: name => lower.get(name.toLowerCase()) ?? null,
      has: name => lower.has(name.toLowerCase()),
      forEach: visit => lower.forEach(visit),
      entries: () => lower.entries(),
      [Symbol.iterator]: () => lower.entries(),
    },
    body: null,
    bodyUsed: false,
    text: async () => text,
    json: async () => JSON.parse(text),
    clone: () => response(status, body, headers),
  }
  return answer
}

const headersOf = init => {
  const headers = init && init.headers
  if (!headers) return {}
  const pairs = typeof headers.forEach === 'function' && !Array.isArray(headers)
    ? (() => { const list = []; headers.forEach((value, name) => list.push([name, value])); return list })()
    : Array.isArray(headers) ? headers : Object.entries(headers)
  return Object.fromEntries(pairs.map(([name, value]) => [name.toLowerCase(), String(value)]))
}

const call = (input, init) => {
  const isRequest = typeof input === 'object' && input !== null && !('href' in input)
  const request = isRequest ? input : undefined
  return {
    method: ((init && init.method) || (request && request.method) || 'GET').toUpperCase(),
    url: String(request ? request.url : input),
    headers: { ...headersOf(request), ...headersOf(init) },
    body: init && init.body !== undefined ? init.body : request ? request.body : undefined,
    signal: (init && init.signal) || (request && request.signal) || undefined,
  }
}

/** `'https://api.example/x'`, `'POST https://api.example/x'`, `'https://api.example/*'`, or a RegExp over the URL. */
const fits = (pattern, { method, url }) => {
  if (pattern instanceof RegExp) return new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '')).test(url)
  const [, wanted, address] = /^(?:([A-Z]+) )?(.*)$/s.exec(pattern)
  if (wanted && wanted !== method) return false
  return address.endsWith('*') ? url.startsWith(address.slice(0, -1)) : url === address
}

const NAMES = [
  'adoptToken',
  'debug',
  'explain',
  'fetchPrivate',
  'handleRedirect',
  'logout',
  'onSessionChange',
  'restore',
  'scopesFor',
  'session',
  'startLogin',
  'userinfo',
]

/** A library of its own, with its own `mock`: what the module exports is one of these. */
export const createTestLibrary = initial => {
  let current
  let returning
  let failures
  let answers
  let own
  let calls
  const listeners = new Set()
  let watcher

  /** As `debug` is told, of calls only. */
  const watched = (name, promise) => {
    if (!watcher) return promise
    const at = performance.now()
    const over = more => watcher?.({ step: 'call', name, at, ms: performance.now() - at, ...more })
    promise.then(
      value => over(typeof value?.status === 'number' ? { status: value.status } : {}),
      error => over({ code: isOAuthError(error) ? error.code : 'failed' }),
    )
    return promise
  }

  const emit = change => {
    const told = typeof change === 'string' ? { type: change } : change
    if (told.type === 'ended') current = null
    else if (told.session !== undefined) current = complete(told.session)
    else if (!current) current = complete({})
    const whole = { from: 'here', ...told, session: current }
    if (told.type === 'ended' && !told.reason) whole.reason = 'logout'
    for (const listener of [...listeners]) listener(whole)
  }

  const begin = session => {
    emit({ type: 'started', session })
    return current
  }

  const usual = {
    async startLogin(config = {}) {
      const session = of(config)
      if (config.display === 'popup' || config.display === 'iframe') return begin(session)
      returning = session
      if (config.navigate) return await config.navigate('https://login.example/authorize?state=test')
      // The page is being left: as the real one, this stays pending.
      return new Promise(() => {})
    },
    async handleRedirect() {
      if (!returning) return null
      const session = returning
      returning = undefined
      return begin(session)
    },
    restore: async () => current,
    session: async () => current,
    adoptToken: async (token, config = {}) => begin({ ...of(config), clientId: config.clientId ?? null, renewable: false }),
    async fetchPrivate(input, init) {
      const asked = call(input, init)
      if (asked.headers.authorization) {
        throw new OAuthError('invalid_request', { message: "Authorization: the header is the library's own to set" })
      }
      if (!current) throw new OAuthError('login_required')
      if (asked.signal && asked.signal.aborted) throw asked.signal.reason
      const found = answers.find(([pattern]) => fits(pattern, asked))
      if (!found) {
        const { method, url } = asked
        throw new Error(`oauth-wasm/testing: nothing answers ${method} ${url}; say mock.answer('${method} ${url}', …)`)
      }
      const answer = typeof found[1] === 'function' ? await found[1](asked) : found[1]
      const isResponse = answer && typeof answer === 'object' && typeof answer.status === 'number' && 'headers' in answer
      return isResponse ? answer : response(answer === undefined ? 204 : 200, answer)
    },
    explain: async answer => (answer.ok ? null : new OAuthError('request_refused', { status: answer.status })),
    scopesFor: async () => [],
    async userinfo() {
      if (!current) throw new OAuthError('login_required')
      return current.claims ?? { iss: 'https://login.example', sub: 'test-user' }
    },
    async logout(options = {}) {
      const had = current
      current = null
      returning = undefined
      if (had) emit({ type: 'ended', reason: 'logout' })
      if (options.endSession && options.navigate) await options.navigate('https://login.example/logout')
    },
  }

  const library = { OAuthError, isOAuthError }
  for (const name of NAMES) {
    library[name] = (...args) => {
      calls.push({ name, args })
      if (name === 'debug') {
        watcher = args[0]
        return
      }
      if (name === 'onSessionChange') {
        const [listener, options] = args
        const stop = () => listeners.delete(listener)
        listeners.add(listener)
        if (options && options.signal) options.signal.addEventListener('abort', stop, { once: true })
        return () => void stop()
      }
      const at = failures.findIndex(failure => failure.name === name)
      if (at >= 0) return watched(name, Promise.reject(failures.splice(at, 1)[0].error))
      const answer = own.get(name)
      return watched(name, answer ? (async () => answer(...args))() : usual[name](...args))
    }
  }

  const mock = {
    reset(options = {}) {
      current = null
      returning = undefined
      failures = []
      answers = []
      own = new Map()
      calls = mock.calls = []
      listeners.clear()
      watcher = undefined
      if (options.session !== undefined) mock.session(options.session)
      if (options.redirect !== undefined) mock.redirect(options.redirect)
      for (const [pattern, answer] of Object.entries(options.answers ?? {})) mock.answer(pattern, answer)
    },
    session(session) {
      current = complete(session)
    },
    redirect(session) {
      returning = session
    },
    answer(pattern, answer) {
      // The newest first: a test may say otherwise than its `beforeEach`.
      answers.unshift([pattern, answer])
    },
    fail(name, error, more) {
      if (!NAMES.includes(name) || name === 'onSessionChange' || name === 'debug') {
        throw new TypeError(`oauth-wasm/testing: ${name} cannot fail; ${NAMES.join(', ')} can`)
      }
      failures.push({ name, error: typeof error === 'string' ? new OAuthError(error, more) : error })
    },
    on(name, answer) {
      if (!NAMES.includes(name)) throw new TypeError(`oauth-wasm/testing: there is no function ${name}`)
      own.set(name, answer)
    },
    emit,
    calls: [],
    called: name => calls.filter(one => one.name === name).map(one => one.args),
  }
  mock.reset(initial)
  return { ...library, mock }
}

/** An answer of the API with a status and headers of your choice. */
export const reply = (status, body, headers) => response(status, body, headers)

// A test in a real browser says it before the page's own scripts: `addInitScript(() => { oauthWasmTesting = {…} })`.
const ours = createTestLibrary(globalThis.oauthWasmTesting)

export const { mock } = ours
export const {
  adoptToken,
  debug,
  explain,
  fetchPrivate,
  handleRedirect,
  logout,
  onSessionChange,
  restore,
  scopesFor,
  session,
  startLogin,
  userinfo,
} = ours
