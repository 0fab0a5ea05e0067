// A relay for providers whose token endpoint demands a client secret, which no page can keep. The page sends its token
// requests here; this adds the secret and sends them on. It keeps nothing between two requests, so any number of copies
// can run. docs/relay.md says how to run it, and what it does not protect from.
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

  return async request => {
    const origin = request.headers.get('origin')
    const listed = origins.includes(origin)
    const { status, body, headers, why = '' } = await answer(own, listed, request).catch(failure)
    // Never more than this: a query, a body, and what the provider says are not for a log.
    log(`${request.method} ${new URL(request.url).pathname.slice(0, 80)} ${status} ${why}`.trim())
    const cors = { 'access-control-allow-origin': origin, 'access-control-expose-headers': 'retry-after' }
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
  if (pathname !== '/token') throw new Refusal(404, 'invalid_request', 'there is nothing but /token')
  if (!listed) throw new Refusal(403, 'invalid_request', 'the Origin is missing or not in ALLOWED_ORIGINS')
  if (request.method === 'OPTIONS') {
    const allowed = { 'access-control-allow-methods': 'POST', 'access-control-allow-headers': 'content-type' }
    return { status: 204, headers: { ...allowed, 'access-control-max-age': '86400' } }
  }
  if (request.method !== 'POST') throw new Refusal(405, 'invalid_request', 'only POST', '', { allow: 'POST, OPTIONS' })
  if (search) throw new Refusal(400, 'invalid_request', 'the parameters belong into the body')
  if (!FORM_TYPE.test(request.headers.get('content-type'))) throw new Refusal(415, 'invalid_request', `only ${FORM}`)
  const text = await read(request.body, MOST_ASKED)
  if (text === null) throw new Refusal(413, 'invalid_request', 'the request is too large')
  return forward(own, checked(own, new URLSearchParams(text)))
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
    const { method, url, headers: { origin, 'content-type': type } } = incoming
    const headers = { ...(origin && { origin }), ...(type && { 'content-type': type }) }
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
