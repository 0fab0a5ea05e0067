// The library itself where there is no browser: a server, and imitations of a page. For tests there is oauth-wasm/testing.
import { expect, it } from 'vitest'
import * as oauth from 'oauth-wasm'

const page = 'https://app.example/cb'
const api = 'https://api.example'
const config = {
  clientId: 'c',
  redirectUri: page,
  authorizationEndpoint: 'https://as.example/a',
  tokenEndpoint: 'https://as.example/t',
  resourceServers: [api],
  navigate: () => {},
}
const response = `${page}?code=x&state=ow1xAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA`
const isImitation = typeof document === 'object'

const failure = async promise => {
  const error = await promise.then(
    value => expect.unreachable(`it gave ${value}`),
    error => error,
  )
  expect(oauth.isOAuthError(error), String(error)).toBe(true)
  return error
}

it('answers a plain visit: nobody is logged in', async () => {
  expect(await oauth.handleRedirect()).toBe(null)
  expect(await oauth.session()).toBe(null)
  expect(await oauth.restore()).toBe(null)
})

it('says in one typed error that there is no page, or what an imitation of one lacks', async () => {
  const calls = [() => oauth.startLogin(config), () => oauth.handleRedirect(response)]
  if (isImitation) {
    calls.push(
      () => oauth.fetchPrivate(`${api}/x`),
      () => oauth.adoptToken('t', { resourceServers: [api] }),
      () => oauth.explain({}),
      () => oauth.scopesFor([`${api}/x`], config),
    )
  }
  for (const call of calls) {
    const { code, message, remedy, retryable } = await failure(call())
    expect([code, retryable], String(call)).toEqual(['unsupported_environment', false])
    expect(message).toMatch(isImitation ? /required feature: .*(Request|Response)/ : /required feature: a page/)
    expect(remedy).toMatch(isImitation ? /oauth-wasm\/testing/ : /browser/)
  }
})

it.skipIf(isImitation)('keeps a token on a server as it does in a page', async () => {
  const session = await oauth.adoptToken('t', { resourceServers: [api] })
  expect(session.state).toBe('active')
  const error = await failure(oauth.fetchPrivate('https://other.example/x'))
  expect(error.code).toBe('undeclared_resource_server')
})
