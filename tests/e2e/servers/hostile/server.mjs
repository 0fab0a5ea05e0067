// An OpenID provider that breaks any rule it is told to break (tests/e2e/src/hostile.rs): each line of standard input is
// `[command, argument]`, and each is answered by one line of JSON. It ends with its input.

import { constants, createHash, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pairs = {
  RS256: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  RS384: rsa,
  RS512: rsa,
  PS256: rsa,
  PS384: rsa,
  PS512: rsa,
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ES384: generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ES512: generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  EdDSA: generateKeyPairSync('ed25519'),
  // Of nobody.
  other: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  small: generateKeyPairSync('rsa', { modulusLength: 1024 }),
}
const jwk = name => ({ ...pairs[name].publicKey.export({ format: 'jwk' }), kid: name, use: 'sig' })

const honest = () => ({
  /** Laid over the header and the claims; null takes one away. */
  header: {},
  claims: {},
  /** Who signs, and as what. */
  signer: 'RS256',
  /** What stands in the place of the ID Token; what is done to it. */
  raw: undefined,
  tail: '',
  /** What the JWKS says. */
  keys: ['RS256', 'ES256', 'EdDSA'],
  jwks: undefined,
  jwksStatus: 200,
  /** Laid over the metadata, the token response and the userinfo. */
  metadata: {},
  tokens: {},
  userinfo: {},
  /** For which requests a nonce is wanted in the proof: token, resource. */
  nonces: [],
  nonce: 'n-1',
  /** Whether each answer has another one, and none is right. */
  moving: false,
  expose: 'DPoP-Nonce, WWW-Authenticate',
  par: undefined,
  /** More headers of every answer; and whether a HEAD is answered with a body, against all rules. */
  headers: {},
  headBody: false,
  /** A captive portal that stands before the server: it cuts every connection, as one must that has no certificate of the
   * server's (cut); or it answers itself, with its page (page) or by a redirect to it (redirect). */
  portal: undefined,
})

let state = honest()
let requests = []
const codes = new Map()
let made = 0

const layOver = (below, above) => {
  const out = { ...below, ...above }
  for (const name of Object.keys(out)) if (out[name] === null) delete out[name]
  return out
}
const part = value => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const half = (alg, text) => {
  const hash = createHash(alg === 'EdDSA' ? 'sha512' : `sha${alg.slice(2)}`).update(text).digest()
  return hash.subarray(0, hash.length / 2).toString('base64url')
}

const signature = (name, alg, text) => {
  const key = pairs[name].privateKey
  if (name === 'EdDSA') return sign(null, text, key)
  const pss = { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: alg.slice(2) / 8 }
  const how = { E: { key, dsaEncoding: 'ieee-p1363' }, P: pss, R: key }[alg[0]]
  return sign(`sha${alg.slice(2)}`, text, how)
}

const idToken = ({ client, nonce }, accessToken) => {
  if (state.raw !== undefined) return state.raw
  const now = Math.floor(Date.now() / 1000)
  const alg = { other: 'RS256', small: 'RS256' }[state.signer] ?? state.signer
  const header = layOver({ alg, kid: state.signer, typ: 'JWT' }, state.header)
  const claims = layOver(
    { iss: issuer, sub: 'ana', aud: client, exp: now + 600, iat: now, nonce, at_hash: half(alg, accessToken) },
    state.claims,
  )
  const signed = `${part(header)}.${part(claims)}`
  return `${signed}.${signature(state.signer, alg, Buffer.from(signed)).toString('base64url')}${state.tail}`
}

const tokens = (grant, key) => {
  const access_token = `access-${++made}`
  return layOver(
    {
      access_token,
      token_type: key ? 'DPoP' : 'Bearer',
      expires_in: 3600,
      refresh_token: `refresh-${made}`,
      id_token: idToken(grant, access_token),
    },
    state.tokens,
  )
}

/** What a proof says, if it is one for this request (RFC 9449 section 4.3); throws where it is not. */
const proven = request => {
  const proof = request.headers.dpop
  if (!proof) return
  const [head, body, end] = proof.split('.')
  const header = JSON.parse(Buffer.from(head, 'base64url'))
  const claims = JSON.parse(Buffer.from(body, 'base64url'))
  const key = createPublicKey({ key: header.jwk, format: 'jwk' })
  const right = verify('sha256', `${head}.${body}`, { key, dsaEncoding: 'ieee-p1363' }, Buffer.from(end, 'base64url'))
  const told = claims.htm === request.method && claims.htu === issuer + new URL(request.url, issuer).pathname
  const fresh = Math.abs(claims.iat - Date.now() / 1000) < 60
  if (!right || header.typ !== 'dpop+jwt' || 'd' in header.jwk || !told || !fresh) throw new Error('a bad proof')
  const { crv, kty, x, y } = header.jwk
  const jkt = createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url')
  return { ...claims, jkt }
}

const answers = {
  'GET /.well-known/openid-configuration': () => ({
    body: layOver(
      {
        issuer,
        authorization_endpoint: `${issuer}/auth`,
        token_endpoint: `${issuer}/token`,
        userinfo_endpoint: `${issuer}/me`,
        jwks_uri: `${issuer}/jwks`,
        pushed_authorization_request_endpoint: `${issuer}/par`,
        end_session_endpoint: `${issuer}/end`,
      },
      state.metadata,
    ),
  }),
  'GET /jwks': () => ({ status: state.jwksStatus, body: state.jwks ?? { keys: state.keys.map(jwk) } }),
  'POST /par': () => state.par ?? { status: 201, body: { request_uri: 'urn:example:pushed', expires_in: 60 } },
  'POST /token': (_, proof, form) => {
    if (proof && state.nonces.includes('token') && proof.nonce !== state.nonce)
      return { status: 400, nonce: true, body: { error: 'use_dpop_nonce' } }
    const grant = codes.get(form.get('code') ?? form.get('refresh_token'))
    if (!grant) return { status: 400, body: { error: 'invalid_grant' } }
    const body = tokens(form.has('code') ? grant : { ...grant, nonce: undefined }, proof)
    codes.set(body.refresh_token, grant)
    return { body, nonce: state.nonces.length > 0 }
  },
  'GET /me': (request, proof) => protectedBy(request, proof) ?? { body: layOver({ sub: 'ana', name: 'Ana' }, state.userinfo) },
  'GET /api': (request, proof) => protectedBy(request, proof) ?? { body: { jkt: proof?.jkt ?? null, nonce: proof?.nonce ?? null } },
  'POST /api': (request, proof, form) => protectedBy(request, proof) ?? { body: { written: form.get('x') } },
}

const protectedBy = (request, proof) => {
  const [scheme, token] = (request.headers.authorization ?? '').split(' ')
  if (proof && state.nonces.includes('resource') && proof.nonce !== state.nonce)
    return { status: 401, nonce: true, challenge: 'DPoP error="use_dpop_nonce", error_description="a nonce is wanted"' }
  const ath = token && createHash('sha256').update(token).digest('base64url')
  const bound = scheme === 'DPoP' ? proof?.ath === ath : scheme === 'Bearer' && !proof
  return bound ? undefined : { status: 401, challenge: `${scheme || 'Bearer'} error="invalid_token"` }
}

const answer = (request, text) => {
  const path = new URL(request.url, issuer).pathname
  const found = answers[`${request.method} ${path}`]
  const form = new URLSearchParams(text)
  let answered
  let proof
  try {
    proof = proven(request)
    answered = found ? found(request, proof, form) : { status: 404 }
  } catch (error) {
    answered = { status: 400, body: { error: 'invalid_dpop_proof', error_description: error.message } }
  }
  if (request.method !== 'OPTIONS') {
    const { headers, method } = request
    requests.push({ method, path, headers, form: Object.fromEntries(form), proof: proof ?? null, status: answered.status ?? 200 })
  }
  return answered
}

const server = createServer(async (request, response) => {
  let text = ''
  for await (const chunk of request) text += chunk
  if (state.portal) {
    const { method, url, headers } = request
    requests.push({ method, path: url, headers, form: Object.fromEntries(new URLSearchParams(text)), portal: true })
    if (state.portal === 'cut') return request.socket.destroy()
    if (state.portal === 'redirect' && url !== '/sign-in') return response.writeHead(302, { location: '/sign-in' }).end()
    return response.writeHead(200, { 'content-type': 'text/html' }).end('<title>Sign in to this network</title>')
  }
  const cors = {
    'access-control-allow-origin': '*',
    'access-control-allow-headers': 'authorization, dpop',
    'access-control-expose-headers': state.expose,
    'cache-control': 'no-store',
  }
  if (request.method === 'OPTIONS') return response.writeHead(204, cors).end()
  const { status = 200, body, nonce, challenge } = answer(request, text)
  const headers = { ...cors, 'content-type': 'application/json' }
  if (nonce) headers['dpop-nonce'] = state.moving ? `n-${++made}` : state.nonce
  if (challenge) headers['www-authenticate'] = challenge
  Object.assign(headers, state.headers)
  if (request.method === 'HEAD' && state.headBody) {
    const { socket } = response
    return response.writeHead(404, headers).end(() => socket.write('<h1>not found</h1>'))
  }
  response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body ?? {}))
})

let issuer
const commands = {
  async start() {
    await new Promise(done => server.listen(0, '127.0.0.1', done))
    issuer = `http://127.0.0.1:${server.address().port}`
    return { issuer }
  },
  /** Honest again but for this. */
  be: changes => {
    state = { ...honest(), ...changes }
  },
  /** The redirect by which an authorization request is answered. */
  answer: url => {
    const asked = new URL(url).searchParams
    const code = `code-${++made}`
    const grant = { client: asked.get('client_id'), nonce: asked.get('nonce') ?? undefined }
    codes.set(code, grant)
    const given = { code, state: asked.get('state') }
    if (asked.get('response_type') !== 'id_token token') return `${asked.get('redirect_uri')}?${new URLSearchParams(given)}`
    const { refresh_token, ...front } = tokens(grant)
    return `${asked.get('redirect_uri')}#${new URLSearchParams({ ...front, state: given.state })}`
  },
  requests: () => requests,
  forget: () => {
    requests = []
  },
}

for await (const line of createInterface({ input: process.stdin })) {
  const [command, argument] = JSON.parse(line)
  const answer = await commands[command](argument)
  process.stdout.write(`${JSON.stringify(answer ?? null)}\n`)
}
process.exit()
