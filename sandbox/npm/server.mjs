// The sandbox and the console page as servers of Node's, without Rust: the sandbox is a WebAssembly module beside this
// file, the page stands in ../console, the package in which all this is at /pkg/.
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { dirname, join, normalize, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { relay } from '../relay.mjs'
import { Sandbox, initSync } from './sandbox.js'

const HERE = dirname(fileURLToPath(import.meta.url))
const HOST = '127.0.0.1'
/** Bodies over this are refused; the sandbox records what it receives. */
const MOST_BYTES = 16 * 1024 * 1024

/** What a careful site would send with the page: no inline script, no eval but wasm's. */
const CONTENT_SECURITY_POLICY =
  "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' http://127.0.0.1:* http://localhost:*; " +
  "img-src 'self' data:; style-src 'self'; frame-src 'self' http://127.0.0.1:* http://localhost:*; base-uri 'none'; object-src 'none'; form-action 'self'"

const TYPES = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  mjs: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  json: 'application/json',
  wasm: 'application/wasm',
  svg: 'image/svg+xml',
  png: 'image/png',
  ts: 'text/plain; charset=utf-8',
  md: 'text/plain; charset=utf-8',
}

/** A whole body; null where it has more bytes than that. */
const read = async incoming => {
  const chunks = []
  let size = 0
  for await (const chunk of incoming) {
    size += chunk.length
    if (size <= MOST_BYTES) chunks.push(chunk)
  }
  return size <= MOST_BYTES ? Buffer.concat(chunks) : null
}

/** Listens at the port, or where it is taken at any free one. Resolves with the server. */
const listen = (server, port) =>
  new Promise((resolve, reject) => {
    server.once('error', error => {
      if (error.code !== 'EADDRINUSE' || port === 0) return reject(error)
      console.log(`port ${port} is busy, another one is taken`)
      listen(server, 0).then(resolve, reject)
    })
    server.listen(port, HOST, () => resolve(server))
  })

export const originOf = server => `http://${HOST}:${server.address().port}`

/** A page on this machine, whichever its port: somebody's development server. */
const isHere = origin => /^https?:\/\/(127\.0\.0\.1|\[::1\]|([\w-]+\.)*localhost)(:\d+)?$/.test(origin)

/** Starts the sandbox. `settings` are some of sandbox/README.md's. */
export const serveSandbox = async (port, settings = {}) => {
  initSync({ module: readFileSync(join(HERE, 'sandbox.wasm')) })
  const sandbox = new Sandbox()
  sandbox.change(JSON.stringify(settings))
  const respond = async (incoming, outgoing) => {
    const body = await read(incoming)
    if (!body) return outgoing.writeHead(413, { 'access-control-allow-origin': '*' }).end('sandbox: the body is too large')
    const answer = await sandbox.receive(incoming.method, incoming.url, incoming.rawHeaders, body)
    if (answer.delay) await new Promise(resolve => setTimeout(resolve, answer.delay))
    if (answer.dropped) return incoming.socket.destroy()
    outgoing.writeHead(answer.status, answer.headers).end(answer.body)
    answer.free()
  }
  const server = createServer((incoming, outgoing) => {
    respond(incoming, outgoing).catch(error => outgoing.writeHead(400).end(`sandbox: ${error}`))
  })
  return listen(server, port)
}

/** The file behind a path; null if the path tries to leave its directory. */
export const locate = path => {
  const [directory, rest] = path.startsWith('/pkg/') ? ['..', path.slice(5)] : ['../console', path.slice(1)]
  const root = normalize(join(HERE, directory))
  const file = normalize(join(root, rest || 'index.html'))
  return /[\\%\0]/.test(path) || !file.startsWith(root + sep) ? null : file
}

/**
 * Starts the console page against a sandbox. Its token requests go through the relay, which stands on the page's own
 * origin and adds the secret of the sandbox's application. The relay serves other pages of this machine too, and the
 * `origins` that are named.
 */
export const serveConsole = async (port, sandbox, vault = () => null, origins = []) => {
  const headers = {
    'cache-control': 'no-store',
    'content-security-policy': CONTENT_SECURITY_POLICY,
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  }
  const origin = () => originOf(server)
  /** One relay for each application of the sandbox, at `/relay/{client_id}`. */
  const relayOf = (client, endpoint, from) => {
    const settings = {
      CLIENT_ID: client,
      CLIENT_SECRET: 'sandbox-secret',
      TOKEN_ENDPOINT: sandbox + endpoint,
      ALLOWED_ORIGINS: [origin(), ...origins, ...(isHere(from) ? [from] : [])].join(),
    }
    return relay(settings, () => {})
  }
  const respond = async (incoming, outgoing) => {
    const { pathname } = new URL(incoming.url, origin())
    const [, client] = /^\/relay\/([\w-]+)$/.exec(pathname) ?? []
    if (client) {
      const endpoint = client.startsWith('appfigures') ? '/v2/oauth2/access_token' : '/oauth/token'
      const { origin: from, 'content-type': type } = incoming.headers
      const body = incoming.method === 'POST' ? await read(incoming) : undefined
      const given = { ...(from && { origin: from }), ...(type && { 'content-type': type }) }
      const request = new Request(origin() + '/token', { method: incoming.method, headers: given, body })
      const response = await relayOf(client, endpoint, from)(request)
      // What breaks behind the relay breaks in front of it too, so that the page can show what a lost answer does.
      if (response.status === 502) return incoming.socket.destroy()
      return outgoing
        .writeHead(response.status, [...response.headers, ['connection', 'close']].flat())
        .end(Buffer.from(await response.arrayBuffer()))
    }
    if (pathname === '/sandbox.json') {
      const told = JSON.stringify({ origin: sandbox, relay: origin() + '/relay/', vault: vault() })
      return outgoing.writeHead(200, { ...headers, 'content-type': 'application/json' }).end(told)
    }
    const file = locate(pathname)
    const body = file && (await readFile(file).catch(() => null))
    if (!body) return outgoing.writeHead(404, headers).end('not found\n')
    const type = TYPES[file.split('.').pop()] ?? 'application/octet-stream'
    outgoing.writeHead(200, { ...headers, 'content-type': type }).end(body)
  }
  const server = createServer((incoming, outgoing) => {
    respond(incoming, outgoing).catch(() => outgoing.writeHead(500, headers).end())
  })
  return listen(server, port)
}

const VAULT_PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>vault</title>
<link rel="icon" href="data:,">
<script type="module" src="/vault.js"></script>
<body></body>
</html>
`

/**
 * Starts a vault of the sandbox's Mercado Libre on an origin of its own, for the application of this origin. It asks for
 * tokens by a relay that stands beside it.
 */
export const serveVault = async (port, sandbox, application) => {
  const client = '1620218256833906'
  const lines = await readFile(join(HERE, '../vault.headers'), 'utf8')
  const headersFor = () =>
    lines
      .replace('{applications}', application())
      .replace('{servers}', sandbox)
      .trim()
      .split('\n')
      .map(line => line.split(': '))
  const script = () => {
    const login = {
      provider: 'mercadolibre',
      site: 'MLA',
      clientId: client,
      authorizationEndpoint: `${sandbox}/authorization`,
      tokenEndpoint: `${originOf(server)}/token`,
      resourceServers: [sandbox],
      scope: ['offline_access', 'read'],
    }
    const allow = [`GET ${sandbox}/users/me`, `GET ${sandbox}/sites`]
    const config = JSON.stringify({ applications: [application()], login, allow }, null, 2)
    return `import { serveVault } from '/pkg/vault-page.js'\n\nserveVault(${config})\n`
  }
  let handle
  const respond = async (incoming, outgoing) => {
    const { pathname } = new URL(incoming.url, originOf(server))
    const give = (type, body) =>
      outgoing.writeHead(200, { 'content-type': TYPES[type], 'cache-control': 'no-store', ...Object.fromEntries(headersFor()) }).end(body)
    if (pathname === '/token') {
      handle ??= relay(
        { CLIENT_ID: client, CLIENT_SECRET: 'sandbox-secret', TOKEN_ENDPOINT: `${sandbox}/oauth/token`, ALLOWED_ORIGINS: originOf(server) },
        () => {},
      )
      const { origin: from = '', 'content-type': type = '' } = incoming.headers
      const body = incoming.method === 'POST' ? await read(incoming) : undefined
      const response = await handle(
        new Request(originOf(server) + '/token', { method: incoming.method, headers: { origin: from, 'content-type': type }, body }),
      )
      return outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(Buffer.from(await response.arrayBuffer()))
    }
    if (pathname === '/') return give('html', VAULT_PAGE)
    if (pathname === '/vault.js') return give('js', script())
    const file = pathname.startsWith('/pkg/') && locate(pathname)
    const body = file && (await readFile(file).catch(() => null))
    return body ? give(file.split('.').pop(), body) : outgoing.writeHead(404).end('not found\n')
  }
  const server = createServer((incoming, outgoing) => {
    respond(incoming, outgoing).catch(() => outgoing.writeHead(500).end())
  })
  return listen(server, port)
}
