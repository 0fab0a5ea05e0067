// The vault's own page (docs/vault.md): it has the library, the configuration, the tokens and the policy. Applications
// of other origins speak to it through a frame of theirs (vault.js) and can ask for what the policy allows; the user's
// logins go through it as a page of its own. Nothing of the configuration can be said by a message.
//
// What comes from outside, in the order in which it is judged: who speaks (the page right around this one, of a listed
// origin), in which version, on which port, with exactly which members; then the policy. A port on which anything else
// is said is closed: vault.js never says it.

const { Array, JSON, Map, Math, Number, Object, Promise, RegExp, Set, String, URL, Uint8Array } = globalThis
const { crypto, document, history, location, parent } = globalThis
const { hasOwn, keys } = Object
const { isInteger } = Number
const now = Date.now

/** Of the messages; as vault.js has it. */
const VERSION = 1
/** Ports that one frame serves: more than a page that knocks again ever needs. */
const PORTS = 32
/** Bytes of an answer's body that are on their way before any of it is read. */
const WINDOW = 256 * 1024
/** Refusals that can be explained, and steps up that can be asked for; of more, the oldest is forgotten. */
const REMEMBERED = 32
/** Answers that are left unread; of more, the oldest is given up. */
const UNREAD = 64
/** Milliseconds that a login may take. */
const LIFETIME = 600_000
/** Milliseconds between two looks for what the other side has left, and that a popup waits to be heard. */
const LOOK = 200
const PATIENCE = 5000
/** Seconds that a way out may wait for the vault's page, and an answer for the frame. */
const AWAY = 120
const BACK = 300
/** Characters of an application's own state. */
const LONGEST_STATE = 65_536

// In sessionStorage: the login that the page of this tab is on its way with. The frame keeps no login there: in Firefox
// what a frame writes may not be there in the next page's, once a page of the tab has used the storage.
const GOING = 'oauth-wasm.vault.going'
// In the frame's localStorage, for all of them: the minute, and how many calls it has seen.
const CALLS = 'oauth-wasm.vault.calls'
const MARK = '#oauth-wasm-login='

const LIMITS = { concurrent: 32, perMinute: 600, bodyBytes: 10 * 1024 * 1024 }
/** What an application may set without being told; never what changes the method, or who asks. */
const HEADERS = [
  'accept',
  'accept-language',
  'cache-control',
  'content-language',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-unmodified-since',
  'last-event-id',
  'pragma',
  'prefer',
  'range',
]
/** Headers that no policy can allow: the token's own, and those that turn one method into another. */
const NEVER = /^(authorization|dpop|cookie|proxy-.*|sec-.*|x-(http-)?method(-override)?)$/
/** What servers may decode before they route, and so take for another path than the policy has judged. */
const HIDDEN = /%(2f|5c|25|2e|00|3b)|\.\.;/i
const PROMPTS = ['none', 'login', 'consent', 'select_account']
const ASKED = ['scope', 'authorizationParameters']
const CACHES = ['default', 'no-store', 'reload', 'no-cache', 'force-cache']

const failure = (code, message, remedy, retryable = false, more = {}) => ({
  name: 'OAuthError',
  code,
  message: `${code}: ${message}`,
  remedy,
  retryable,
  ...more,
})
const wrong = message => failure('invalid_config', `the vault's configuration: ${message}`, 'Correct what the message names')
const refused = (message, remedy) => failure('vault_refused', `the vault: ${message}`, remedy)

/** An error as data, for the other side to make one of. Its stack, and what is no error of ours, stays here. */
const describe = error => {
  const { name, message } = error ?? {}
  if (name === 'OAuthError') return { ...error, name, message }
  if (error instanceof TypeError || error instanceof DOMException) return { name, message }
  setTimeout(() => {
    throw error
  })
  return failure('internal_error', 'the vault has failed', 'See the console of the vault\'s frame')
}

// The policy.

/** `GET,POST https://api.example/items/{id}`: methods, and a pattern of a URL. */
const rule = text => {
  const is = /^([A-Z]+(?:,[A-Z]+)*) (https?:\/\/[^/?#\s]+)(\/[^?#\s]*)$/.exec(typeof text === 'string' ? text : '')
  const bad = why => wrong(`allow: ${JSON.stringify(text)} ${why}`)
  if (!is) throw bad('must be like "GET https://api.example/items/{id}"')
  const [, methods, origin, path] = is
  let url
  try {
    url = new URL(origin)
  } catch {
    throw bad('names no server')
  }
  if (url.origin !== origin) throw bad(`must name its server as ${url.origin}`)
  const segments = path.split('/').slice(1)
  const open = segments[segments.length - 1] === '*'
  if (open) segments.pop()
  for (const segment of segments) {
    const isName = /^\{\w+\}$/.test(segment)
    if (!isName && /[{}*%\\]|^\.\.?$/.test(segment)) throw bad('has a segment that is neither plain nor {name}')
  }
  return { methods: methods.split(','), origin, segments, open }
}

const fits = ({ methods, origin, segments, open }, method, url) => {
  if (url.origin !== origin || !methods.includes(method)) return false
  const have = url.pathname.split('/').slice(1)
  if (open ? have.length < segments.length : have.length !== segments.length) return false
  return segments.every((want, n) => (want[0] === '{' ? have[n] !== '' : want === have[n]))
}

/** Throws the error that names the setting. */
const checked = config => {
  const object = value => typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!object(config)) throw wrong('must be an object')
  const { applications, login, allow, headers = [], limits = {}, ...others } = config
  const [unknown] = keys(others)
  if (unknown) throw wrong(`${unknown}: there is no such setting`)
  const isOrigin = text => {
    try {
      return typeof text === 'string' && new URL(text).origin === text && /^https?:/.test(text)
    } catch {
      return false
    }
  }
  if (!Array.isArray(applications) || !applications.length) throw wrong('applications: must name an origin at least')
  for (const origin of applications) {
    if (!isOrigin(origin)) throw wrong(`applications: ${JSON.stringify(origin)} must be an origin like https://app.example`)
    if (origin === location.origin) throw wrong('applications: the vault must be of another origin than its applications')
  }
  if (!object(login)) throw wrong('login: must be what startLogin is told')
  for (const name of ['display', 'navigate', 'returnTo', 'appState', 'signal', 'allowFramed', 'responseType', 'prompt']) {
    if (hasOwn(login, name)) throw wrong(`login.${name}: cannot be set for a vault`)
  }
  if ((login.sessionScope ?? 'origin') !== 'origin') throw wrong('login.sessionScope: a vault\'s is always origin')
  if (!Array.isArray(allow) || !allow.length) throw wrong('allow: must name a route at least')
  if (!Array.isArray(headers)) throw wrong('headers: must be a list of names')
  const names = headers.map(name => String(name).toLowerCase())
  for (const name of names) {
    if (!/^[a-z0-9-]+$/.test(name) || NEVER.test(name)) throw wrong(`headers: ${JSON.stringify(name)} cannot be allowed`)
  }
  for (const [name, value] of Object.entries(limits)) {
    if (!hasOwn(LIMITS, name)) throw wrong(`limits.${name}: there is no such limit`)
    if (!isInteger(value) || value < 1) throw wrong(`limits.${name}: must be a whole number above 0`)
  }
  return {
    applications: new Set(applications),
    rules: allow.map(rule),
    headers: new Set([...HEADERS, ...names]),
    limits: { ...LIMITS, ...limits },
    // What waits for its answer waits in IndexedDB: see GOING.
    login: { redirectUri: home, keep: 'tab', keepPending: true, ...login, sessionScope: 'origin', allowFramed: true },
  }
}

// What is kept for the tab, and what the frame and the page leave for each other.

const put = (name, value) => sessionStorage.setItem(name, JSON.stringify({ ...value, at: now() }))

/** A record that is not older than a login may be. */
const look = name => {
  try {
    const value = JSON.parse(sessionStorage.getItem(name))
    return value && now() - value.at < LIFETIME && value.at <= now() ? value : null
  } catch {
    return null
  }
}

const drop = name => {
  try {
    sessionStorage.removeItem(name)
  } catch {
    // Blocked: there is nothing.
  }
}

/**
 * What a frame and a page of this origin leave for each other. Storages would not do: WebKit keeps those of a frame apart
 * by the origin of the page around it, also within one site. Cookies are one within the site and of this host alone
 * (`__Host-`: no other can set them); the frame and the page are that by their own scripts, the server has no use for them.
 */
const jar = (() => {
  const secure = location?.protocol === 'https:'
  const named = name => `${secure ? '__Host-' : ''}oauth-wasm-${name}`
  const write = (name, value, seconds) => {
    document.cookie = `${named(name)}=${value}; Path=/; SameSite=Strict; Max-Age=${seconds}${secure ? '; Secure' : ''}`
  }
  const find = name => {
    const start = `${named(name)}=`
    const found = document.cookie.split('; ').find(cookie => cookie.startsWith(start))
    return found && found.slice(start.length)
  }
  const read = name => {
    try {
      return JSON.parse(decodeURIComponent(find(name)))
    } catch {
      return null
    }
  }
  return {
    /** Whether it was kept: it is not where the frame is of another site, and where it is too long. */
    put(name, value, seconds) {
      const text = encodeURIComponent(JSON.stringify(value))
      write(name, text, seconds)
      return find(name) === text
    },
    has: name => find(name) !== undefined,
    read,
    take(name) {
      const value = read(name)
      write(name, '', 0)
      return value
    },
  }
})()

const ticket = () => {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

const isTicket = text => /^[\w-]{22}$/.test(text)

const pause = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds))

// Who speaks.

const isFramed = !!document && parent !== globalThis
/** The page on the way to the provider and back has no use for it. */
const library = isFramed ? import('./oauth-wasm.js') : null
library?.catch(() => {})
const home = document && location.origin + location.pathname
const knocks = []
let greet = (...knock) => knocks.length < PORTS && knocks.push(knock)

/** Listening from the first moment: the frame's load event may come before `serveVault` is called. */
if (isFramed) {
  addEventListener('message', ({ data, origin, source, ports }) => {
    if (source !== parent || ports.length !== 1) return
    if (typeof data !== 'object' || data === null || data['oauth-wasm'] !== 'vault') return
    greet(ports[0], origin, data.version)
  })
}

/** Whether every page around this one is of a listed origin; frame-ancestors says it to the browser too. */
const isAmongFriends = applications => {
  const { ancestorOrigins } = location
  if (!ancestorOrigins) return parent === globalThis.top
  return [...ancestorOrigins].every(origin => applications.has(origin))
}

/** Whether the browser keeps cookies of this frame apart from those of the vault's own page: where it is of another site. */
const isApart = () => {
  const kept = jar.put('here', 1, 5)
  jar.take('here')
  return !kept
}

/** The members of each message, beside `do`; nothing else is read, and nothing else may be there. */
const text = value => typeof value === 'string'
const flag = value => typeof value === 'boolean'
const number = value => isInteger(value)
const pair = value => Array.isArray(value) && value.length === 2 && value.every(text)
const oneOf = list => value => value === null || list.includes(value)
const OPTIONS = {
  idempotent: flag,
  scope: value => text(value) || (Array.isArray(value) && value.every(text)),
  maxWait: value => typeof value === 'number',
}
const options = value =>
  typeof value === 'object' && value !== null && keys(value).every(name => hasOwn(OPTIONS, name) && OPTIONS[name](value[name]))
/** What an error has said that the next login has to ask for; which values may be there is judged by what was said. */
const asked = value => value === null || (typeof value === 'object' && keys(value).every(name => ASKED.includes(name)))
const SHAPES = {
  ping: {},
  abort: { call: number },
  session: { id: number },
  restore: { id: number },
  handleRedirect: { id: number, login: value => value === null || text(value) },
  userinfo: { id: number },
  outcome: { id: number, login: text },
  explain: { id: number, refusal: number },
  scopesFor: { id: number, calls: value => Array.isArray(value) && value.every(pair) },
  login: { id: number, returnTo: text, appState: () => true, prompt: oneOf(PROMPTS), ask: asked, popup: flag },
  logout: { id: number, revoke: flag, endSession: flag, returnTo: text },
  fetch: {
    id: number,
    url: text,
    method: text,
    headers: value => Array.isArray(value) && value.every(pair),
    body: value => value === null || value instanceof ArrayBuffer,
    cache: text,
    options,
  },
}

/** The message, or undefined where it is none of ours. */
const read = data => {
  if (typeof data !== 'object' || data === null || !hasOwn(data, 'do') || !text(data.do) || !hasOwn(SHAPES, data.do)) return
  const shape = SHAPES[data.do]
  const names = keys(data)
  const isWhole = names.length === keys(shape).length + 1 && names.every(name => name === 'do' || hasOwn(shape, name))
  return isWhole && keys(shape).every(name => shape[name](data[name])) ? data : undefined
}

/**
 * Serves the applications of `config`, from a page of the vault's own origin. Throws where the configuration is wrong, and
 * tells the applications so.
 */
export const serveVault = config => {
  let own
  try {
    own = checked(config)
  } catch (data) {
    refuse(data)
    throw Object.assign(new Error(data.message), data)
  }
  if (!isFramed) return asPage(own)
  library.then(
    oauth => asFrame(own, oauth),
    () => refuse(failure('load_failed', 'the vault: its page could not load the library', 'Put the files of the package beside vault-page.js', true)),
  )
}

const refuse = error => {
  greet = port => port.postMessage({ error })
  for (const knock of knocks) greet(...knock)
}

const asFrame = (own, oauth) => {
  const { applications, limits, login } = own
  const ports = new Map()
  const logins = new Map()
  const unread = new Set()
  const refusals = new Map()
  /** What errors have said that a login has to ask for, as text: nobody else says what a login asks for. */
  const asks = new Set()
  let running = 0
  let greeted = 0
  let redirected
  let explained = 0
  /** Of the login, what describes the provider. */
  const known = { ...login }
  delete known.allowFramed

  greet = (port, origin, version) => {
    const no = error => port.postMessage({ error })
    if (version !== VERSION) {
      const remedy = 'Use the same version of oauth-wasm in the vault and in the application'
      return no(failure('vault_version', `the vault speaks version ${VERSION}, the application ${String(version).slice(0, 9)}`, remedy))
    }
    if (!applications.has(origin)) {
      return no(refused(`${origin} is not among its applications`, 'Add the origin to applications in the vault\'s page'))
    }
    if (!isAmongFriends(applications)) {
      return no(refused('a page around the application is not among its applications', 'Add its origin, or do not frame the application'))
    }
    if (isApart()) {
      return no(
        failure(
          'vault_partitioned',
          `the browser keeps the vault's storage apart in pages of ${origin}`,
          'Put the vault on the site of the application (vault.app.example for app.example), and do not block its cookies',
        ),
      )
    }
    if (++greeted > PORTS) return no(refused('it was asked for too many ports', 'Call vault() once'))
    ports.set(port, origin)
    const calls = new Map()
    port.onmessage = ({ data }) => {
      const message = read(data)
      if (!message) {
        ports.delete(port)
        for (const stop of calls.values()) stop.abort()
        port.postMessage({ id: data?.id, error: refused('it was told what no application says', 'Use oauth-wasm/vault') })
        return port.close()
      }
      if (message.do === 'ping') return port.postMessage({})
      if (message.do === 'abort') return calls.get(message.call)?.abort()
      answer(message, origin, calls).then(
        ({ value, transfer = [] }) => port.postMessage({ id: message.id, value }, transfer),
        error => port.postMessage({ id: message.id, error: told(error) }),
      )
    }
    port.postMessage({ version: VERSION })
  }
  for (const knock of knocks) greet(...knock)

  oauth.onSessionChange(change => {
    for (const [port, origin] of ports) {
      port.postMessage({ change: { ...change, session: view(change.session, origin) } })
    }
  })

  const told = error => {
    const said = describe(error)
    if (said.ask) asks.add(spelt(said.ask))
    forget(asks)
    return said
  }

  /** The frame is new where the page is, or where it was taken away; the session is the vault's all the same. */
  let restoring
  const restored = () =>
    (restoring ??= oauth.restore().catch(() => {
      restoring = undefined
    }))

  const answer = async (message, app, calls) => {
    switch (message.do) {
      case 'fetch':
        await restored()
        return call(message, calls)
      case 'session':
        await restored()
        return { value: view(await oauth.session(), app) }
      case 'restore':
        return { value: view(await oauth.restore(), app) }
      case 'explain': {
        const error = await refusals.get(message.refusal)
        return { value: error ? told(error) : null }
      }
      case 'scopesFor':
        return { value: await oauth.scopesFor(message.calls.map(([method, url]) => ({ method, url })), known) }
      case 'userinfo':
        await restored()
        return { value: await oauth.userinfo() }
      case 'handleRedirect':
        return { value: view(await comeBack(message.login, app), app) }
      case 'login':
        return { value: await begin(message, app) }
      case 'outcome':
        return { value: view(await outcome(message.login), app) }
      case 'logout':
        return { value: await logout(message, app) }
    }
  }

  // Calls.

  const call = async ({ id, url: address, method, headers, body, cache, options }, calls) => {
    const url = allowed(own, address, method)
    for (const [name] of headers) {
      if (!own.headers.has(name.toLowerCase())) {
        throw refused(`it sends no header ${name.slice(0, 40)}`, 'Add the name to headers in the vault\'s page')
      }
    }
    if (body && body.byteLength > limits.bodyBytes) {
      throw failure('vault_limited', `the vault: a body may have ${limits.bodyBytes} bytes`, 'Raise limits.bodyBytes in the vault\'s page')
    }
    if (!CACHES.includes(cache)) throw refused('cache must be one of fetch\'s', 'Leave it out')
    if (running >= limits.concurrent) throw limited('concurrent', `${limits.concurrent} calls at once`)
    spend(limits.perMinute)
    const stop = new AbortController()
    calls.set(id, stop)
    running++
    try {
      const init = { ...options, method, headers, body, cache, redirect: 'error', signal: stop.signal }
      const response = await oauth.fetchPrivate(url, init)
      const { status, statusText, url: from } = response
      const value = { status, statusText, url: from, headers: [...response.headers], body: null }
      if (!response.ok) {
        const refusal = (value.refusal = ++explained)
        // It reads a copy of the body, and only the beginning.
        refusals.set(refusal, oauth.explain(response).catch(() => null))
        forget(refusals)
      }
      if (!response.body || [204, 205, 304].includes(status) || method === 'HEAD') return { value }
      const { port1, port2 } = new MessageChannel()
      pump(response.body, port1, stop)
      value.body = port2
      return { value, transfer: [port2] }
    } finally {
      running--
      calls.delete(id)
    }
  }

  /** Sends a body as far as the window reaches, and on as it is read. */
  const pump = async (stream, port, stop) => {
    const reader = stream.getReader()
    let room = WINDOW
    let wake
    let over = false
    const giveUp = () => {
      over = true
      unread.delete(giveUp)
      stop.abort()
      reader.cancel().catch(() => {})
      wake?.()
    }
    port.onmessage = ({ data }) => {
      if (!isInteger(data) || data < 1) return giveUp()
      room = Math.min(WINDOW, room + data)
      wake?.()
    }
    unread.add(giveUp)
    if (unread.size > UNREAD) {
      const [oldest] = unread
      oldest()
    }
    try {
      for (;;) {
        if (room <= 0) await new Promise(resolve => (wake = resolve))
        if (over) throw limited('unread', 'so many answers that nobody reads')
        const { done, value } = await reader.read()
        if (done) break
        room -= value.byteLength
        // What is a part of something larger may not be handed over with it.
        const chunk = value.byteLength === value.buffer.byteLength ? value : value.slice()
        port.postMessage(chunk, [chunk.buffer])
      }
      if (over) throw limited('unread', 'so many answers that nobody reads')
      port.postMessage(null)
    } catch (error) {
      port.postMessage(describe(error))
    }
    unread.delete(giveUp)
    port.close()
  }

  // Logins. The frame makes the request and answers the response, so the session is in the frames' own storage; the
  // vault's page only goes the way. Neither the one nor the other is shown to the application.

  const begin = async ({ returnTo, appState, prompt, ask, popup }, app) => {
    if (ask && !asks.has(spelt(ask))) {
      throw refused('a login asks for what its page says, or for what an error has said', 'Pass error.ask as it is, in the page that has got it')
    }
    const back = backOf(returnTo, app)
    const state = JSON.stringify(appState ?? null)
    if (state.length > LONGEST_STATE) throw failure('invalid_config', 'appState: is too large', 'Keep it elsewhere')
    let to
    await oauth.startLogin({
      ...login,
      ...(prompt && { prompt }),
      ...ask,
      appState: { vault: { app, back, appState: JSON.parse(state) } },
      navigate: url => {
        to = url
      },
    })
    const id = wayOut({ to, back, popup })
    if (popup) {
      const ended = inPopup(id)
      ended.catch(() => {})
      logins.set(id, ended)
      if (logins.size > 8) logins.delete(logins.keys().next().value)
    }
    return { url: home + MARK + id, login: id }
  }

  /** Leaves it to the vault's page to go there. */
  const wayOut = way => {
    const id = ticket()
    if (jar.put(`to-${id}`, way, AWAY)) return id
    throw failure('storage_blocked', 'the vault can keep no cookie, or its address at the provider is too long', 'Ask for less, or push the request (RFC 9126)')
  }

  const inPopup = async id => {
    for (const end = now() + LIFETIME; now() < end; await pause(LOOK)) {
      if (!jar.has(`back-${id}`)) continue
      return oauth.handleRedirect(jar.take(`back-${id}`)?.href ?? '')
    }
    throw failure('timeout', 'the login took too long', 'Try again', true)
  }

  const outcome = async id => {
    const ended = logins.get(id)
    if (!ended) throw refused('it knows of no such login', 'Call startLogin again')
    return ended
  }

  /** Answers the redirect that has brought this tab back, from the login that its application names. */
  const comeBack = async (id, app) => {
    const back = `back-${id}`
    if (isTicket(id) && jar.read(back)?.app === app) redirected = oauth.handleRedirect(jar.take(back).href)
    return redirected ?? null
  }

  const logout = async ({ revoke, endSession, returnTo }, app) => {
    const back = backOf(returnTo, app)
    if (!endSession) return void (await oauth.logout({ revoke }))
    // The address has the ID Token in it: the vault's own page goes there.
    let to
    const postLogoutRedirectUri = login.redirectUri
    const navigate = url => {
      to = url
    }
    await oauth.logout({ revoke, endSession: { postLogoutRedirectUri }, navigate })
    return home + MARK + wayOut({ to, back, popup: false })
  }
}

const spelt = ({ scope = null, authorizationParameters = null }) => JSON.stringify([scope, authorizationParameters])

const forget = collection => {
  const [oldest] = collection.keys()
  if (collection.size > REMEMBERED) collection.delete(oldest)
}

const limited = (name, what) =>
  failure('vault_limited', `the vault: ${what} are too many`, `Wait, or raise limits.${name} in the vault's page`, true)

/** The URL that the policy allows, as this browser writes it. */
const allowed = ({ rules }, address, method) => {
  let url
  try {
    url = new URL(address)
  } catch {
    throw failure('invalid_request', 'the URL is none', 'Correct the URL')
  }
  const plain = !url.username && !url.password && !HIDDEN.test(url.pathname) && !/(^|[?&])_method=/i.test(url.search)
  if (plain && rules.some(rule => fits(rule, method, url))) return url.href
  throw refused(
    `its policy does not allow ${method.slice(0, 20)} ${url.origin}${url.pathname.slice(0, 200)}`,
    'Add the route to allow in the vault\'s page, if the application should have it',
  )
}

/** Counts a call, of all the vault's frames in this browser. */
let counted = ''
const spend = perMinute => {
  const minute = Math.floor(now() / 60_000)
  try {
    counted = localStorage.getItem(CALLS) ?? counted
  } catch {
    // Blocked: this frame counts alone.
  }
  const [at, count] = counted.split(' ').map(Number)
  const before = at === minute ? count : 0
  if (before >= perMinute) {
    throw { ...limited('perMinute', `${perMinute} calls a minute`), retryAfter: 60 - Math.floor((now() % 60_000) / 1000) }
  }
  counted = `${minute} ${before + 1}`
  try {
    localStorage.setItem(CALLS, counted)
  } catch {
    // As above.
  }
}

/** Where a login leads back to: a page of the application that asks for it. */
const backOf = (address, app) => {
  let back
  try {
    back = new URL(address)
  } catch {
    // Below.
  }
  if (back?.origin !== app) throw failure('invalid_config', 'returnTo: must be of the application\'s origin', 'Correct it')
  return back.href
}

/** The session as this application may see it: its own state, and nobody else's. */
const view = (session, app) => {
  if (!session) return null
  const { vault } = session.appState ?? {}
  const mine = vault?.app === app ? vault : null
  const back = mine && new URL(mine.back)
  return { ...session, returnTo: back && back.pathname + back.search + back.hash, appState: mine && mine.appState }
}

// The vault as a page of its own: on the way to the provider, and back. It has nothing but the way.

const asPage = ({ applications }) => {
  const isServed = back => applications.has(new URL(back).origin)
  // By `replace`, so that Back leads to the application.
  const goBack = back => (isServed(back) ? location.replace(back) : say('The application is not served any more.'))
  const { href, hash } = location
  const id = hash.startsWith(MARK) ? hash.slice(MARK.length) : ''
  if (id) {
    const way = isTicket(id) ? jar.take(`to-${id}`) : null
    if (!way || !isServed(way.back)) return say('This login is over. Go back to the application, and try again.')
    put(GOING, { id, ...way })
    return location.replace(way.to)
  }
  const going = look(GOING)
  const isResponse = /[?&#]state=/.test(href)
  history.replaceState(null, '', location.pathname)
  if (!going) return say('This page keeps logins for applications. There is nothing to do here.')
  drop(GOING)
  // Without a response the user has come by the Back button, or has been logged out.
  const { origin: app } = new URL(going.back)
  if (isResponse && !jar.put(`back-${going.id}`, { app, href }, BACK)) return say('The browser keeps no cookie of this page.')
  if (!going.popup) return goBack(going.back)
  closeWhenHeard(going.id)
}

const closeWhenHeard = async id => {
  for (const end = now() + PATIENCE; jar.has(`back-${id}`) && now() < end; await pause(LOOK / 4));
  if (!jar.has(`back-${id}`)) return globalThis.close()
  jar.take(`back-${id}`)
  say('The application is gone. You may close this window.')
}

const say = sentence => {
  const line = document.createElement('p')
  line.textContent = sentence
  document.body.append(line)
}
