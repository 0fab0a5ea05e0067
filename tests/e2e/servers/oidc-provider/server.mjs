// oidc-provider on a free port of this machine, told what to do by a test (tests/e2e/src/authorization_server.rs): each
// line of standard input is `[command, argument]`, and each is answered by one line of JSON. It ends with its input.

import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import helmet from 'helmet'
import Provider from 'oidc-provider'

// Its notices would stand among the answers.
for (const name of ['info', 'log', 'warn']) console[name] = console.error

/** What was asked of the server, oldest first, with what it answered. */
let requests = []

/** What a test may change while the server runs. */
const state = { accessTokenTtl: 3600, rotate: true, requireNonce: false }

/** All that the provider stores, by `model:id`. */
const stored = new Map()

class Store {
  constructor(model) {
    this.model = model
  }
  key = id => `${this.model}:${id}`
  async upsert(id, payload) {
    stored.set(this.key(id), payload)
  }
  async find(id) {
    return stored.get(this.key(id))
  }
  async destroy(id) {
    stored.delete(this.key(id))
  }
  async consume(id) {
    stored.get(this.key(id)).consumed = Math.floor(Date.now() / 1000)
  }
  async revokeByGrantId(grantId) {
    for (const [key, payload] of stored) if (payload.grantId === grantId) stored.delete(key)
  }
  #first = fits => [...stored].find(([key, payload]) => key.startsWith(this.key('')) && fits(payload))?.[1]
  async findByUid(uid) {
    return this.#first(payload => payload.uid === uid)
  }
  async findByUserCode(userCode) {
    return this.#first(payload => payload.userCode === userCode)
  }
}

const key = (alg, type, options) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }),
  alg,
  kid: alg,
  use: 'sig',
})

const isObject = value => value !== null && typeof value === 'object' && !Array.isArray(value)

/** Lays settings over settings, object by object. Lists are replaced. */
const layOver = (below, above) => {
  const out = { ...below }
  for (const [name, value] of Object.entries(above))
    out[name] = isObject(value) && isObject(out[name]) ? layOver(out[name], value) : value
  return out
}

/** The clients of an application: all public, all with its addresses. */
const clients = app => {
  const client = (client_id, more) => ({
    client_id,
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    redirect_uris: [`${app}/e2e/app.html`, `${app}/`],
    post_logout_redirect_uris: [`${app}/e2e/blank.html`],
    ...more,
  })
  return [
    client('page', { authorization_details_types: ['payment'] }),
    client('es256', { id_token_signed_response_alg: 'ES256' }),
    client('eddsa', { id_token_signed_response_alg: 'EdDSA' }),
    client('dpop', { dpop_bound_access_tokens: true }),
    client('pushed', { require_pushed_authorization_requests: true }),
    // Plain http is for native applications where a token comes by the front channel.
    client('implicit', {
      application_type: 'native',
      grant_types: ['authorization_code', 'refresh_token', 'implicit'],
      response_types: ['code', 'id_token', 'id_token token', 'code token', 'code id_token', 'code id_token token'],
    }),
  ]
}

const configuration = (origin, app) => ({
  adapter: Store,
  clients: clients(app),
  jwks: {
    keys: [
      key('RS256', 'rsa', { modulusLength: 2048 }),
      key('ES256', 'ec', { namedCurve: 'P-256' }),
      key('EdDSA', 'ed25519'),
    ],
  },
  enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'EdDSA'] },
  responseTypes: ['code', 'id_token', 'id_token token', 'code token', 'code id_token', 'code id_token token'],
  claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
  scopes: ['openid', 'offline_access', 'profile', 'email', 'read', 'write'],
  cookies: { keys: ['a key for the tests alone'] },
  pkce: { required: () => true },
  findAccount: (_, accountId) => ({
    accountId,
    claims: () => ({ sub: accountId, name: `Somebody ${accountId}`, email: `${accountId}@example.org`, email_verified: true }),
  }),
  issueRefreshToken: (_, client) => client.grantTypeAllowed('refresh_token'),
  rotateRefreshToken: () => state.rotate,
  ttl: { AccessToken: () => state.accessTokenTtl },
  features: {
    devInteractions: { enabled: true },
    dPoP: { enabled: true, nonceSecret: Buffer.alloc(32, 1), requireNonce: () => state.requireNonce },
    pushedAuthorizationRequests: { enabled: true },
    revocation: { enabled: true },
    introspection: { enabled: true },
    rpInitiatedLogout: { enabled: true },
    richAuthorizationRequests: {
      enabled: true,
      types: { payment: { validate: () => {} } },
      authorizationDetailsForGrantSource: ctx => ctx.oidc.grant?.rar ?? [],
      authorizationDetailsForAccessToken: (_, token, source) => source?.rar,
      authorizationDetailsForIntrospection: (_, token) => token.rar,
    },
    resourceIndicators: {
      enabled: true,
      useGrantedResource: () => true,
      getResourceServerInfo: (_, indicator) => ({
        scope: 'read write',
        audience: indicator,
        accessTokenFormat: 'opaque',
        accessTokenTTL: state.accessTokenTtl,
      }),
    },
  },
})

/** Its pages ask an outside host for a web font; there is none here. */
const withoutFont = body => body.replace(/@import url\([^)]*\);/g, '')

const record = async (ctx, next) => {
  const { method, path, querystring: query, headers } = ctx
  const request = { method, path, query, headers }
  requests.push(request)
  await next()
  request.form = { ...ctx.oidc?.body }
  request.status = ctx.status
  request.answer = { headers: { ...ctx.response.headers }, body: ctx.body }
  if (typeof ctx.body === 'string') ctx.body = withoutFont(ctx.body)
}

/** The login's form ends in a redirect to the application; and all is plain http here. */
const FORMS_LEAVE = { ...helmet.contentSecurityPolicy.getDefaultDirectives(), 'form-action': null, 'upgrade-insecure-requests': null }

const listening = server => new Promise(done => server.listen(0, '127.0.0.1', done))

const commands = {
  /** `behindHelmet`: as oidc-provider's own example is served, with every header that helmet sends by default. */
  async start({ app, behindHelmet, ...settings }) {
    const guard = behindHelmet ? helmet({ contentSecurityPolicy: { directives: FORMS_LEAVE } }) : (_, __, next) => next()
    const server = createServer((request, response) => guard(request, response, () => handle(request, response)))
    await listening(server)
    const issuer = `http://127.0.0.1:${server.address().port}`
    const provider = new Provider(issuer, layOver(configuration(issuer, app), settings))
    provider.use(record)
    provider.on('server_error', (_, error) => console.error(error))
    const handle = provider.callback()
    return { issuer }
  },
  requests: () => requests,
  forget: () => {
    requests = []
  },
  change: changes => {
    Object.assign(state, changes)
  },
  /** What the server stores of one kind ends: `AccessToken`, `RefreshToken`, `Session`, ... */
  expire: model => {
    const keys = [...stored.keys()].filter(key => key.startsWith(`${model}:`))
    for (const key of keys) stored.delete(key)
    return keys.length
  },
}

for await (const line of createInterface({ input: process.stdin })) {
  const [command, argument] = JSON.parse(line)
  const answer = await commands[command](argument)
  process.stdout.write(`${JSON.stringify(answer ?? null)}\n`)
}
process.exit()
