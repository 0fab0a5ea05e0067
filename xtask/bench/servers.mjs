// What the bench talks to, all on this machine: a host of the applications, the sandbox as their provider, and a vault.
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { extname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { pathToFileURL } from 'node:url'
import { brotliCompressSync, constants } from 'node:zlib'

const CHUNK = Buffer.alloc(64 * 1024, 'oauth')

const listen = server => new Promise(resolve => server.listen(0, 'localhost', () => resolve(`http://localhost:${server.address().port}`)))

const close = server => {
  server.closeAllConnections()
  server.close()
}

const page = script => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>bench</title>
<link rel="icon" href="data:,">
<script type="module" src="${script}"></script>
<body><button>Log in</button></body>
</html>
`

const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8' }

/** A static host as they are: compressed by brotli, scripts cached for ever. `files` are compressed, by path. */
export const host = async files => {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://host')
    const path = pathname.endsWith('/') ? `${pathname}index.html` : pathname
    const file = files.get(path)
    if (file === undefined) return response.writeHead(404).end()
    if (!/\bbr\b/.test(request.headers['accept-encoding'])) return response.writeHead(406).end()
    response
      .writeHead(200, {
        'content-type': TYPES[extname(path)],
        'content-encoding': 'br',
        'cache-control': path.endsWith('.html') ? 'no-cache' : 'max-age=31536000, immutable',
      })
      .end(file)
  })
  return { origin: await listen(server), close: () => close(server) }
}

/** Once, before anything is measured. */
export const compressed = files =>
  [...files].map(([path, text]) => [path, brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } })])

export const appPage = name => page(`/${name}/main.js`)

/** The files of a vault that serves this application. */
export const vaultFiles = async (pkg, application, provider) => {
  const config = {
    applications: [application],
    login: {
      authorizationEndpoint: `${provider}/authorization`,
      tokenEndpoint: `${provider}/oauth/token`,
      resourceServers: [provider],
      clientId: '1620218256833906',
      scope: ['offline_access', 'read'],
    },
    allow: [`GET ${provider}/users/me`, `GET ${provider}/at-once`, `GET ${provider}/big`],
    limits: { perMinute: 1_000_000 },
  }
  const script = `import { serveVault } from '/pkg/vault-page.js'\nserveVault(${JSON.stringify(config)})\n`
  const names = ['vault-page.js', 'oauth-wasm.js', 'parts/start.js', 'parts/session.js', 'parts/full.js']
  const files = new Map([
    ['/index.html', page('/vault.js')],
    ['/vault.js', script],
  ])
  for (const name of names) files.set(`/pkg/${name}`, await readFile(join(pkg, name), 'utf8'))
  return files
}

/** The provider's page, which says that it is shown. */
const LEFT = `<!doctype html><title>provider</title><script>bench('{"what":"provider"}')</script>`

const CORS = {
  'access-control-allow-origin': '*',
  'access-control-allow-headers': '*, authorization',
  'access-control-allow-methods': 'GET, POST',
  'access-control-max-age': '600',
}

/**
 * The sandbox out of the package. In front of it: a page instead of its redirect, for the bench to go on from; an ID
 * Token where one was asked for by `nonce`, since @auth0/auth0-spa-js takes no answer without; preflights that allow any
 * header, since it sends one of its own; a file of any length.
 */
export const provider = async pkg => {
  const module = name => import(pathToFileURL(join(pkg, 'sandbox', name)))
  const { Sandbox, initSync } = await module('sandbox.js')
  initSync({ module: await readFile(join(pkg, 'sandbox/sandbox.wasm')) })
  const sandbox = new Sandbox()
  sandbox.change('{"autoConsent": true, "requireClientSecret": false, "keepAlive": true}')

  const nonces = new Map()
  const arrivals = []
  const waiting = []
  const arrived = url => (waiting.length ? waiting.shift()(url) : arrivals.push(url))

  const respond = async (request, response) => {
    if (request.method === 'OPTIONS') return response.writeHead(204, CORS).end()
    const url = new URL(request.url, origin)
    if (url.pathname === '/authorize') url.pathname = '/authorization'
    if (url.pathname === '/authorization') {
      if (request.headers['sec-fetch-mode'] === 'navigate') {
        arrived(url)
        return response.writeHead(200, { 'content-type': 'text/html' }).end(LEFT)
      }
      url.searchParams.set('scope', url.searchParams.get('scope').replace(/\b(openid|profile|email)\b */g, '').trim())
    }
    if (url.pathname === '/big') return big(response, Number(url.searchParams.get('bytes')))
    if (url.pathname === '/at-once') return response.writeHead(200, CORS).end('{}')
    const chunks = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    const answer = await sandbox.receive(request.method, url.pathname + url.search, request.rawHeaders, body)
    const headers = answer.headers.flatMap((name, n, all) => (n % 2 || name === 'content-length' ? [] : [name, all[n + 1]]))
    response.writeHead(answer.status, headers).end(identified(answer.body, body))
  }

  const identified = (answer, request) => {
    const nonce = nonces.get(new URLSearchParams(request.toString()).get('code'))
    if (!nonce) return answer
    const now = Math.floor(Date.now() / 1000)
    const claims = { iss: `${origin}/`, sub: 'bench', aud: '1620218256833906', iat: now, exp: now + 3600, nonce }
    const part = value => Buffer.from(JSON.stringify(value)).toString('base64url')
    const id_token = `${part({ alg: 'RS256', kid: 'none' })}.${part(claims)}.${part('none')}`
    return JSON.stringify({ ...JSON.parse(Buffer.from(answer)), id_token })
  }

  const server = createServer((request, response) => {
    respond(request, response).catch(error => response.writeHead(500).end(String(error)))
  })
  const origin = await listen(server)
  return {
    origin,
    close: () => close(server),
    /** The next page that was sent here to log its user in. */
    arrival: () => (arrivals.length ? Promise.resolve(arrivals.shift()) : new Promise(resolve => waiting.push(resolve))),
    /** Where the provider sends the user back to. */
    allow: async url => {
      const response = await fetch(url, { redirect: 'manual' })
      const location = new URL(response.headers.get('location'), url)
      if (location.origin === url.origin) throw new Error(`the provider wants something: ${location}`)
      const nonce = url.searchParams.get('nonce')
      if (nonce) nonces.set(location.searchParams.get('code'), nonce)
      return location.href
    },
  }
}

/** So many bytes, no faster than they are taken. */
const big = async (response, bytes) => {
  response.writeHead(200, { ...CORS, 'content-type': 'application/octet-stream', 'content-length': bytes })
  const chunks = function* () {
    for (let left = bytes; left > 0; left -= CHUNK.length) yield left < CHUNK.length ? CHUNK.subarray(0, left) : CHUNK
  }
  await pipeline(Readable.from(chunks()), response)
}
