// A relay for providers whose token endpoint demands a client secret, which no page can keep. The page sends its token
// requests here; this adds the secret and sends them on. With COOKIE_KEY it keeps the refresh token from the page as well
// (a token-mediating backend, RFC 10017), in a cookie. It keeps nothing between two requests, so any number of copies can run. docs/relay.md says how to run it, and what it does not protect from.
//
//     CLIENT_ID=… CLIENT_SECRET=… TOKEN_ENDPOINT=https://… ALLOWED_ORIGINS=https://app.example node relay.mjs
//
// Node 18 or later, no dependencies. `relay(env)` needs nothing of Node: it gives a function from a Request to the
// promise of a Response, for whatever runs such functions. The server at the end starts only when this file is run.

/** What must and what may go on of each grant, and nothing else does (RFC 6749 sections 4.1.3 and 6, RFC 7636). */
const GRANTS = new Map([
  ['authorization_code', { must: ['code', 'redirect_uri', 'code_verifier'], may: [] }],
  ['refresh_token', { must: ['refresh_token'], may: ['scope'] }],
])
/** RFC 7636 section 4.1. */
const CODE_VERIFIER = /^[A-Za-z0-9._~-]{43,128}$/
/** Bytes of the largest request, and of the largest answer of the provider. */
const MOST_ASKED = 16 * 1024
const MOST_ANSWERED = 1024 * 1024
const FORM = 'application/x-www-form-urlencoded'
const FORM_TYPE = /^application\/x-www-form-urlencoded\s*(;|$)/i
const JSON_TYPE = /^application\/([^\s;]+\+)?json\s*(;|$)/i

const urlOf = text => {
  try {
    return new URL(text)
  } catch {}
}
const list = text => text.split(',').map(item => item.trim())
const SAFE = /^(https:\/\/|http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/])/

/** The settings: the value where none is given, what a good one is, and how to say so. */
const SETTINGS = {
  CLIENT_ID: ['', text => text, 'is missing'],
  CLIENT_SECRET: ['', text => text, 'is missing'],
  TOKEN_ENDPOINT: ['', text => SAFE.test(urlOf(text)?.href), "must be the provider's https URL"],
  ALLOWED_ORIGINS: [
    '',
    text => list(text).every(origin => urlOf(origin)?.origin === origin),
    'must be origins like https://app.example, separated by commas',
  ],
  AUTH: ['form', text => ['form', 'basic'].includes(text), 'must be form or basic'],
  // Every copy has the same. The first seals, all of them open.
  COOKIE_KEY: ['', text => !text || list(text).every(key => key.length >= 32), 'must be texts of 32 characters or more, by chance'],
  REVOCATION_ENDPOINT: ['', text => !text || SAFE.test(urlOf(text)?.href), "must be the provider's https URL"],
  // The page waits for 30.
  TIMEOUT: ['20', text => text > 0 && text < 1000, 'must be a number of seconds'],
}

/** The handler. Throws an Error that names every setting that is not good. `log` gets one line for each request. */
export const relay = (env, log = console.log) => {
  const own = {}
  const wrong = []
  for (const [name, [otherwise, isGood, rule]] of Object.entries(SETTINGS)) {
    own[name] = env[name] || otherwise
    if (!isGood(own[name])) wrong.push(`${name} ${rule}`)
  }
  if (wrong.length) throw new Error(wrong.join('; '))
  const origins = list(own.ALLOWED_ORIGINS)
  if (own.COOKIE_KEY) own.jar = jar(own)

  return async request => {
    const origin = request.headers.get('origin')
    const listed = origins.includes(origin)
    const { status, body, headers, why = '' } = await answer(own, listed, request).catch(failure)
    // Never more than this: a query, a body, and what the provider says are not for a log.
    log(`${request.method} ${new URL(request.url).pathname.slice(0, 80)} ${status} ${why}`.trim())
    const cors = {
      'access-control-allow-origin': origin,
      'access-control-expose-headers': 'retry-after',
      ...(own.jar && { 'access-control-allow-credentials': 'true' }),
    }
    const always = { 'cache-control': 'no-store', vary: 'origin', 'x-content-type-options': 'nosniff' }
    // null, because a status such as 204 may have no body, not even ''.
    return new Response(body || null, { status, headers: { ...headers, ...always, ...(listed && cors) } })
  }
}

/** A refusal in the words of RFC 6749 section 5.2. `why` is for the log. */
class Refusal {
  constructor(status, error, error_description, why, headers) {
    const body = JSON.stringify({ error, error_description: `relay: ${error_description}` })
    Object.assign(this, { status, body, why, headers: { 'content-type': 'application/json', ...headers } })
  }
}

const failure = thrown =>
  thrown instanceof Refusal ? thrown : new Refusal(500, 'server_error', 'it has failed', thrown?.name)

const answer = async (own, listed, request) => {
  const { pathname, search } = new URL(request.url)
  if (pathname !== '/token' && !(own.jar && pathname === '/revoke')) {
    throw new Refusal(404, 'invalid_request', 'there is nothing but /token')
  }
  if (!listed) throw new Refusal(403, 'invalid_request', 'the Origin is missing or not in ALLOWED_ORIGINS')
  if (request.method === 'OPTIONS') {
    const names = own.jar ? `content-type, ${HEADER}` : 'content-type'
    const allowed = { 'access-control-allow-methods': 'POST', 'access-control-allow-headers': names }
    return { status: 204, headers: { ...allowed, 'access-control-max-age': '86400' } }
  }
  if (request.method !== 'POST') throw new Refusal(405, 'invalid_request', 'only POST', '', { allow: 'POST, OPTIONS' })
  if (search) throw new Refusal(400, 'invalid_request', 'the parameters belong into the body')
  if (!FORM_TYPE.test(request.headers.get('content-type'))) throw new Refusal(415, 'invalid_request', `only ${FORM}`)
  const text = await read(request.body, MOST_ASKED)
  if (text === null) throw new Refusal(413, 'invalid_request', 'the request is too large')
  const form = new URLSearchParams(text)
  if (!own.jar) return forward(own, checked(own, form))
  // No form of any page's can have it, and no script's of another origin without the preflight.
  if (request.headers.get(HEADER) !== '1') throw new Refusal(403, 'invalid_request', `the header ${HEADER} is missing`)
  const cookie = request.headers.get('cookie')
  return pathname === '/revoke' ? revoke(own, form, cookie) : mediate(own, checked(own, form), cookie)
}

// The refresh token in a cookie: sealed, so that it is of use here alone, and so that copies need nothing in common but
// the key. The page gets a handle, by which it asks for new access tokens: a page whose session is another than the
// cookie's is told so, instead of being given another user's token.

const HEADER = 'relay-cookie'
/** Seconds: thirty days after the last renewal. */
const KEPT = 30 * 86_400
const HANDLE = /^cookie\.[A-Za-z0-9_-]{22}$/

const base64url = bytes => btoa(String.fromCharCode(...bytes)).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '')
const fromBase64url = text => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), byte => byte.charCodeAt(0))
const utf8 = text => new TextEncoder().encode(text)

/** Seals what one cookie holds, `{ handle, refresh_token }`, and opens it. */
const jar = ({ COOKIE_KEY, CLIENT_ID }) => {
  const { crypto } = globalThis
  if (!crypto?.subtle) throw new Error('COOKIE_KEY needs Node 20 or later')
  const name = `__Host-oauth-wasm-${CLIENT_ID.replace(/[^\w-]/g, '_')}`
  const keys = list(COOKIE_KEY).map(async text => {
    const bytes = await crypto.subtle.digest('SHA-256', utf8(`oauth-wasm relay 1 ${text}`))
    return crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt'])
  })
  const additionalData = utf8(`oauth-wasm relay 1 ${CLIENT_ID}`)
  const set = (value, seconds) => ({
    'set-cookie': `${name}=${value}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=${seconds}`,
  })
  const find = cookies => (cookies ?? '').split('; ').find(cookie => cookie.startsWith(`${name}=`))
  return {
    isIn: cookies => Boolean(find(cookies)),
    handle: () => `cookie.${base64url(crypto.getRandomValues(new Uint8Array(16)))}`,
    clear: () => set('', 0),
    async seal(held) {
      const iv = crypto.getRandomValues(new Uint8Array(12))
      const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData }, await keys[0], utf8(JSON.stringify(held)))
      const value = base64url(new Uint8Array([...iv, ...new Uint8Array(sealed)]))
      // A browser drops one that is larger, and says nothing.
      if (name.length + value.length > 4000) throw new Refusal(502, 'server_error', 'the refresh token is too long for a cookie')
      return set(value, KEPT)
    },
    /** What the cookie of this handle holds; null where there is none, or another's. */
    async open(cookies, handle) {
      const found = find(cookies)
      for (const key of found ? keys : []) {
        try {
          const bytes = fromBase64url(found.slice(name.length + 1))
          const opened = await crypto.subtle.decrypt(
            { name: 'AES-GCM', iv: bytes.slice(0, 12), additionalData },
            await key,
            bytes.slice(12),
          )
          const held = JSON.parse(new TextDecoder().decode(opened))
          return held.handle === handle ? held : null
        } catch {
          // Of another key, or nobody's.
        }
      }
      return null
    },
  }
}

/** Token requests: the page's handle becomes the refresh token, and the refresh token the page's handle. */
const mediate = async ({ jar, ...own }, form, cookies) => {
  let held = { handle: jar.handle() }
  if (form.has('refresh_token')) {
    held = await jar.open(cookies, form.get('refresh_token'))
    if (!held) {
      const gone = 'no cookie came: the session is over, or the browser keeps no Secure cookie of http, as Safari on localhost'
      throw new Refusal(400, 'invalid_grant', jar.isIn(cookies) ? 'the cookie is not of this session' : gone)
    }
    form.set('refresh_token', held.refresh_token)
  }
  const answer = await forward(own, form)
  const secret = held.refresh_token
  let body
  try {
    body = JSON.parse(answer.body)
  } catch {
    // An error that is no JSON, below.
  }
  if (answer.status !== 200) {
    // A server may repeat what it was sent.
    const text = secret ? answer.body.replaceAll(secret, '(..)') : answer.body
    const over = secret && body?.error === 'invalid_grant'
    return { ...answer, body: text, headers: { ...answer.headers, ...(over && jar.clear()) } }
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new Refusal(502, 'temporarily_unavailable', 'the provider gave no usable answer', 'no JSON object')
  }
  const refresh_token = typeof body.refresh_token === 'string' && body.refresh_token ? body.refresh_token : secret
  delete body.refresh_token
  if (!refresh_token) return { ...answer, body: JSON.stringify(body) }
  const cookie = await jar.seal({ ...held, refresh_token })
  const text = JSON.stringify(body).replaceAll(refresh_token, '(..)')
  const whole = JSON.stringify({ ...JSON.parse(text), refresh_token: held.handle })
  return { ...answer, body: whole, headers: { ...answer.headers, ...cookie } }
}

/** Ends the session here, and at the provider where REVOCATION_ENDPOINT says how (RFC 7009). */
const revoke = async ({ jar, ...own }, form, cookies) => {
  const token = form.get('token') ?? ''
  if (form.get('client_id') !== own.CLIENT_ID) throw new Refusal(400, 'invalid_client', 'client_id is not CLIENT_ID')
  const held = HANDLE.test(token) ? await jar.open(cookies, token) : { refresh_token: token }
  // The cookie of another session stays: it is not this page's to end.
  const gone = { status: 200, body: '', headers: held && HANDLE.test(token) ? jar.clear() : {} }
  if (!own.REVOCATION_ENDPOINT || !held?.refresh_token) return gone
  const params = new URLSearchParams([['token', held.refresh_token]])
  const answer = await forward({ ...own, TOKEN_ENDPOINT: own.REVOCATION_ENDPOINT }, params).catch(failure)
  return answer.status === 200 ? gone : { ...answer, body: answer.body.replaceAll(held.refresh_token, '(..)'), headers: { ...answer.headers, ...gone.headers } }
}

/** The parameters that go on. */
const checked = (own, form) => {
  const refuse = (error, description) => {
    throw new Refusal(400, error, description)
  }
  const names = [...form.keys()]
  if (new Set(names).size < names.length) refuse('invalid_request', 'a parameter stands twice')
  if (form.has('client_secret')) refuse('invalid_request', 'client_secret: a page cannot keep one')
  if (form.get('client_id') !== own.CLIENT_ID) refuse('invalid_client', 'client_id is not CLIENT_ID')
  const grant_type = form.get('grant_type')
  const grant = GRANTS.get(grant_type)
  if (!grant) refuse('unsupported_grant_type', 'only authorization_code and refresh_token')
  for (const name of grant.must) if (!form.get(name)) refuse('invalid_request', `${name} is missing`)
  // Without a verifier, whoever finds a code could spend it here.
  if (grant.must.includes('code_verifier') && !CODE_VERIFIER.test(form.get('code_verifier'))) {
    refuse('invalid_request', 'code_verifier is not one of RFC 7636')
  }
  const passed = [...grant.must, ...grant.may].filter(name => form.get(name))
  return new URLSearchParams([['grant_type', grant_type], ...passed.map(name => [name, form.get(name)])])
}

const forward = async (own, form) => {
  const headers = { accept: 'application/json', 'content-type': FORM }
  if (own.AUTH === 'basic') {
    // Each is form-encoded before they are joined (RFC 6749 section 2.3.1).
    const [id, secret] = [own.CLIENT_ID, own.CLIENT_SECRET].map(text => `${new URLSearchParams({ x: text })}`.slice(2))
    headers.authorization = `Basic ${btoa(`${id}:${secret}`)}`
  } else {
    form.set('client_id', own.CLIENT_ID)
    form.set('client_secret', own.CLIENT_SECRET)
  }
  const unusable = why => new Refusal(502, 'temporarily_unavailable', 'the provider gave no usable answer', why)
  let response, text
  try {
    const signal = AbortSignal.timeout(own.TIMEOUT * 1000)
    // The secret follows no redirect. 'error' would do, but not every platform knows it.
    response = await fetch(own.TOKEN_ENDPOINT, { method: 'POST', headers, body: `${form}`, redirect: 'manual', signal })
    text = await read(response.body, MOST_ANSWERED)
  } catch (error) {
    throw unusable(error.cause?.code ?? error.name)
  }
  if (![2, 4, 5].includes(Math.floor(response.status / 100))) throw unusable(`status ${response.status}`)
  if (text === null) throw unusable('too large')
  const type = response.headers.get('content-type')
  const wait = response.headers.get('retry-after')
  return {
    status: response.status,
    // A server may repeat what it was sent.
    body: text.replaceAll(own.CLIENT_SECRET, '(..)'),
    // What is not JSON is text: HTML of another host must not become a page of this origin.
    headers: { 'content-type': JSON_TYPE.test(type) ? type : 'text/plain', ...(wait && { 'retry-after': wait }) },
  }
}

/** A body as text; null where it has more bytes than that. */
const read = async (body, most) => {
  const decoder = new TextDecoder()
  let text = ''
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    if (size > most) return null
    text += decoder.decode(chunk, { stream: true })
  }
  return text + decoder.decode()
}

const fail = error => {
  console.error(`relay: ${error.message}`)
  process.exitCode = 1
}

/** The same behind a server of Node's. */
const serve = async () => {
  const { createServer } = await import('node:http')
  const handle = relay(process.env)
  const host = process.env.HOST || '127.0.0.1'
  const port = Number(process.env.PORT || 8790)
  const respond = async (incoming, outgoing) => {
    // Read to the end, whatever the answer will be: to close on unread bytes would cost the client the answer.
    const chunks = []
    let size = 0
    for await (const chunk of incoming) {
      if (size <= MOST_ASKED) chunks.push(chunk)
      size += chunk.length
    }
    const { method, url } = incoming
    const names = ['origin', 'content-type', 'cookie', HEADER].filter(name => incoming.headers[name])
    const headers = Object.fromEntries(names.map(name => [name, incoming.headers[name]]))
    const body = method === 'POST' ? Buffer.concat(chunks) : undefined
    const response = await handle(new Request(new URL(url, 'http://relay'), { method, headers, body }))
    // Every connection is used once: where one that was used before breaks, a browser sends again, POST or not.
    outgoing.setHeader('connection', 'close')
    for (const [name, value] of response.headers) outgoing.setHeader(name, value)
    outgoing.statusCode = response.status
    outgoing.end(Buffer.from(await response.arrayBuffer()))
  }
  let [running, stopping] = [0, false]
  // What has been sent on is waited for: an answer that is lost could cost its user the session.
  const closeWhenDone = () => stopping && !running && server.closeAllConnections()
  const server = createServer({ requestTimeout: 10_000 }, (incoming, outgoing) => {
    running++
    outgoing.on('close', () => {
      running--
      closeWhenDone()
    })
    respond(incoming, outgoing).catch(() => {
      console.log(`${incoming.method} 400`)
      outgoing.writeHead(400, { connection: 'close', 'content-length': 0 }).end()
    })
  })
  const stop = () => {
    stopping = true
    server.close()
    console.log('stopping')
    closeWhenDone()
  }
  process.on('SIGTERM', stop).on('SIGINT', stop)
  server.on('error', fail).listen(port, host, () => {
    console.log(`listening on http://${host.includes(':') ? `[${host}]` : host}:${server.address().port}`)
  })
}

if (globalThis.process?.argv?.[1]) {
  const [{ realpathSync }, { pathToFileURL }] = await Promise.all([import('node:fs'), import('node:url')])
  if (import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) await serve().catch(fail)
}
