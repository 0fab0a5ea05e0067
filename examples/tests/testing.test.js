// An application's own tests, with `oauth-wasm/testing` in the place of the library.

import { beforeEach, expect, test, vi } from 'vitest'
import { isOAuthError, mock, OAuthError, reply } from 'oauth-wasm/testing'
import * as oauth from 'oauth-wasm'
import { begin, logIn, nickname, publish } from './application.js'

vi.mock('oauth-wasm', () => import('oauth-wasm/testing'))

beforeEach(() => mock.reset())

test('nobody is logged in until the test says so', async () => {
  expect(await begin()).toBe(null)
  await expect(nickname()).rejects.toMatchObject({ name: 'OAuthError', code: 'login_required', retryable: false })
})

test('a session by argument, and calls answered by functions', async () => {
  mock.session({ scope: ['read'], extra: { user_id: 7 } })
  mock.answer('https://api.example/users/me', { nickname: 'TETE' })
  const session = await begin()
  expect(session).toMatchObject({ clientId: 'test-client', scope: ['read'], extra: { user_id: 7 }, state: 'active' })
  expect(await nickname()).toBe('TETE')

  mock.answer('POST https://api.example/*', call => reply(201, { body: call.body, kind: call.headers['x-kind'] }))
  const created = await publish({ title: 'Chair' })
  expect(created.status).toBe(201)
  expect(await created.json()).toEqual({ body: '{"title":"Chair"}', kind: 'new' })
  expect(mock.called('fetchPrivate').length).toBe(2)
})

test('a call that nothing answers names itself', async () => {
  mock.session({})
  await expect(nickname()).rejects.toThrow('nothing answers GET https://api.example/users/me')
})

test('patterns: the newest counts, a method narrows, a RegExp reads the URL', async () => {
  mock.session({})
  mock.answer(/\/users\//g, { nickname: 'old' })
  mock.answer('GET https://api.example/users/me', { nickname: 'new' })
  mock.answer('PUT https://api.example/users/me', { nickname: 'never' })
  expect(await nickname()).toBe('new')
  expect((await oauth.fetchPrivate(new URL('https://api.example/users/9'))).status).toBe(200)
  mock.answer('https://api.example/gone', undefined)
  const gone = await oauth.fetchPrivate('https://api.example/gone')
  expect([gone.status, await gone.text()]).toEqual([204, ''])
  mock.answer('https://api.example/text', 'plain')
  expect(await (await oauth.fetchPrivate('https://api.example/text')).text()).toBe('plain')
})

test('a refusal is explained', async () => {
  mock.session({})
  mock.answer('https://api.example/users/me', () => reply(403, { error: 'forbidden' }))
  await expect(nickname()).rejects.toMatchObject({ code: 'request_refused', status: 403 })
  mock.on('explain', async () => new OAuthError('insufficient_scope', { scope: ['write'] }))
  await expect(nickname()).rejects.toMatchObject({ code: 'insufficient_scope', scope: ['write'] })
})

test('every function fails at will, once', async () => {
  mock.session({})
  mock.answer('https://api.example/*', { nickname: 'TETE' })
  mock.fail('fetchPrivate', 'insufficient_scope', { scope: ['write'], ask: { scope: ['read', 'write'] } })
  mock.fail('handleRedirect', 'access_denied', { errorDescription: 'the user said no' })
  mock.fail('startLogin', new TypeError('of my own'))
  const refused = await nickname().catch(error => error)
  expect(refused).toBeInstanceOf(OAuthError)
  expect(refused).toBeInstanceOf(Error)
  expect(isOAuthError(refused)).toBe(true)
  expect(refused.ask).toEqual({ scope: ['read', 'write'] })
  expect(refused.remedy).not.toBe('')
  await expect(begin()).rejects.toMatchObject({ code: 'access_denied', errorDescription: 'the user said no' })
  await expect(logIn()).rejects.toThrow('of my own')
  expect(await nickname()).toBe('TETE')
  expect(() => mock.fail('fetchPrivate', 'no_such_code')).toThrow('no_such_code')
  expect(() => mock.fail('fetchPublic', 'timeout')).toThrow('fetchPublic')
  expect([isOAuthError(new Error('x')), isOAuthError(null), isOAuthError({ name: 'OAuthError', code: 'timeout' })])
    .toEqual([false, false, false])
})

test('a login by redirect: away, and back with what the login was told', async () => {
  const away = oauth.startLogin({ clientId: 'app', provider: 'mercadolibre', scope: 'read write', returnTo: '/cart', appState: 7 })
  const settled = await Promise.race([away, new Promise(resolve => setTimeout(resolve, 20, 'still leaving'))])
  expect(settled).toBe('still leaving')
  const back = { provider: 'mercadolibre', clientId: 'app', scope: ['read', 'write'], returnTo: '/cart', appState: 7 }
  expect(await oauth.handleRedirect()).toMatchObject(back)
  expect(await oauth.handleRedirect()).toBe(null)
  expect(await oauth.session()).toMatchObject(back)
})

test('a webview: the URL is handed over, and the session comes by handleRedirect', async () => {
  let went
  await oauth.startLogin({ clientId: 'app', redirectUri: 'app:/cb', navigate: url => { went = url } })
  expect(went).toMatch(/^https:/)
  expect(await oauth.handleRedirect('app:/cb?code=x')).toMatchObject({ clientId: 'app' })
})

test('events of every kind, and who hears them', async () => {
  const heard = []
  const controller = new AbortController()
  const stop = oauth.onSessionChange(change => heard.push([change.type, change.session?.clientId ?? null, change.reason]))
  oauth.onSessionChange(() => heard.push('second'), { signal: controller.signal })
  controller.abort()
  await logIn()
  mock.emit('expiring')
  mock.emit({ type: 'indeterminate', session: { clientId: 'app', state: 'indeterminate' } })
  expect((await oauth.session()).state).toBe('indeterminate')
  mock.emit({ type: 'ended', reason: 'session_ended', from: 'elsewhere' })
  expect(await oauth.session()).toBe(null)
  mock.emit({ type: 'restored', session: { clientId: 'kept' } })
  await oauth.logout()
  await oauth.logout()
  stop()
  await logIn()
  expect(heard).toEqual([
    ['started', 'app', undefined],
    ['expiring', 'app', undefined],
    ['indeterminate', 'app', undefined],
    ['ended', null, 'session_ended'],
    ['restored', 'kept', undefined],
    ['ended', null, 'logout'],
  ])
})

test('an Authorization header is refused as by the library, in whatever form it comes', async () => {
  mock.session({})
  mock.answer('https://api.example/*', {})
  for (const headers of [{ authorization: 'x' }, [['Authorization', 'x']], new Headers({ Authorization: 'x' })]) {
    await expect(oauth.fetchPrivate('https://api.example/', { headers })).rejects.toMatchObject({ code: 'invalid_request' })
  }
  const request = new Request('https://api.example/x', { method: 'PUT', headers: { a: 'b' } })
  mock.answer('PUT https://api.example/x', call => call.headers.a)
  expect(await (await oauth.fetchPrivate(request)).text()).toBe('b')
  await expect(oauth.fetchPrivate('https://api.example/', { signal: AbortSignal.abort(new Error('mine')) })).rejects.toThrow('mine')
})

test('debug is told of calls, by name and code', async () => {
  const told = []
  oauth.debug(entry => told.push(entry))
  await begin()
  await expect(nickname()).rejects.toMatchObject({ code: 'login_required' })
  expect(told.map(({ step, name, code }) => [step, name, code])).toContainEqual(['call', 'fetchPrivate', 'login_required'])
  const before = told.length
  oauth.debug()
  await oauth.session()
  expect(told.length).toBe(before)
})
