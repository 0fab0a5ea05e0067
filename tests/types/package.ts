// What an application may and may not write, judged by the TypeScript compiler.

import { adoptToken, explain, fetchPrivate, handleRedirect, isOAuthError, logout, OAuthError, scopesFor, session, startLogin } from 'oauth-wasm'
import { debug } from 'oauth-wasm'
import type { AdoptConfig, DebugEntry, LoginConfig, OAuthErrorCode, Provider, Session } from 'oauth-wasm'
import * as inline from 'oauth-wasm/inline'
import appfigures from 'oauth-wasm/providers/appfigures'

const config = {
  provider: 'mercadolibre',
  site: 'MLB',
  clientId: '1620218256833906',
  redirectUri: new URL('https://app.example/'),
  scope: ['offline_access', 'read'],
  returnTo: '/cart',
  appState: { step: [1, null, 'x'] },
  authorizationParameters: { prompt: 'login' },
  navigate: url => console.log(url.length),
} satisfies LoginConfig

export const start: Promise<void> = startLogin(config)
export const back: Promise<Session | null> = handleRedirect()
export const given: Promise<Session | null> = handleRedirect('com.example.app:/cb?code=x')
export const answer: Promise<Response> = fetchPrivate('https://api.mercadolibre.com/users/me', {
  method: 'PUT',
  idempotent: true,
  signal: new AbortController().signal,
})
export const request: Promise<Response> = inline.fetchPrivate(new Request('https://api.example/'))
export const known: Promise<number | null | undefined> = session().then(s => s?.expiresAt)
export const gone: Promise<void> = logout()

export const own: Provider = {
  name: 'example',
  resourceServers: ['https://api.example'],
  scopes: { read: { about: { en: 'See it' } }, write: { implies: ['read'] } },
  routes: [{ path: '/*', read: 'read', write: 'write' }],
  errors: [{ error: 'x', message: 'what happened', remedy: { en: 'do this', es: 'hacer esto' } }],
  sites: { A: { authorizationEndpoint: 'https://a.example/' } },
}
export const adopted: Promise<Session> = adoptToken('pat', { provider: appfigures, scope: ['public:read'] })
export const least: Promise<string[]> = scopesFor(['https://api.example/', { method: 'PUT', url: '/x' }], { provider: own })
export const meaning: Promise<OAuthError | null> = answer.then(explain)
export const slow: Promise<Response> = fetchPrivate('https://api.example/', { maxWait: 60, scope: 'read' })
export const revoked: Promise<void> = logout({ revoke: true })
export const again = (e: OAuthError): Promise<void> => startLogin({ ...config, ...e.ask })

export const remedy = (e: OAuthError): string => {
  const code: OAuthErrorCode = e.code
  return code === 'access_denied' ? (e.errorDescription ?? e.remedy) : e.remedy
}

export const caught = (reason: unknown): string =>
  reason instanceof OAuthError ? reason.remedy : isOAuthError(reason) ? reason.code : ''
// @ts-expect-error the library makes them
export const made = new OAuthError()

// @ts-expect-error a page cannot keep a secret
export const secret: LoginConfig = { ...config, clientSecret: 'x' }
// @ts-expect-error there is no such provider
export const misspelt: LoginConfig = { ...config, provider: 'mercadolibr' }
// @ts-expect-error Mercado Libre differs by country
export const siteless: LoginConfig = { provider: 'mercadolibre', clientId: '1', redirectUri: 'https://app.example/' }
// @ts-expect-error which has to be one of its own
export const elsewhere: LoginConfig = { ...config, site: 'MLX' }
// @ts-expect-error the same for a token of the user's own
export const adoptedSiteless: AdoptConfig = { provider: 'mercadolibre' }
// @ts-expect-error no provider, no issuer, no endpoint
export const nowhere: LoginConfig = { clientId: '1', redirectUri: 'https://app.example/' }
// @ts-expect-error `scope` is what is asked for
export const scopes: LoginConfig = { ...config, scopes: ['read'] }
// @ts-expect-error no call may be told so
export const keeps: LoginConfig = { ...config, keep: 'forever' }
// @ts-expect-error there is no such response type
export const hybrid: LoginConfig = { ...config, responseType: 'code token' }
// @ts-expect-error clientId is needed
export const nobody: LoginConfig = { redirectUri: 'https://app.example/' }
// @ts-expect-error no token is ever shown
export const token = (s: Session) => s.accessToken
// @ts-expect-error nor the memory
export const memory = inline.memory
// @ts-expect-error the code is one of a list
export const other: OAuthErrorCode = 'other'

// What `display` makes of the result.
const popup = { ...config, display: 'popup' } satisfies LoginConfig
export const inPopup: Promise<Session> = startLogin(popup)
export const inFrame: Promise<Session> = startLogin({ ...config, display: 'iframe' })
export const inPage: Promise<void> = startLogin({ ...config, display: 'page' })
export const chosen = (c: LoginConfig): Promise<Session | void> => startLogin(c)
// @ts-expect-error it may be a page that is left
export const unsure = (c: LoginConfig): Promise<Session> => startLogin(c)

// A provider by its addresses, with what is told of the steps.
const issuer = {
  issuer: 'https://login.example',
  resourceServers: ['https://api.example'],
  clientId: 'my-app',
  redirectUri: 'https://app.example/',
  keep: 'tab',
} satisfies LoginConfig
export const byIssuer: Promise<void> = startLogin(issuer)
export const byEndpoint: Promise<void> = startLogin({
  authorizationEndpoint: 'https://login.example/authorize',
  tokenEndpoint: 'https://login.example/token',
  clientId: 'my-app',
  redirectUri: 'https://app.example/',
})
export const ofOwn: Promise<void> = startLogin({ provider: own, site: 'A', clientId: '1', redirectUri: 'https://app.example/' })
export const adoptedAnywhere: Promise<Session> = adoptToken('pat', { resourceServers: ['https://api.example'] })
debug((entry: DebugEntry) => console.debug(entry.step, entry.ms, entry.code === 'failed'))
debug()
// @ts-expect-error an entry has no address
debug(entry => console.debug(entry.url))
