// Jest as it is by itself: CommonJS, and a jsdom that has neither `fetch` nor `Response`.

jest.mock('oauth-wasm', () => require('oauth-wasm/testing'))

const { mock, reply, OAuthError } = require('oauth-wasm/testing')
const { act, createElement } = require('react')
const { createRoot } = require('react-dom/client')
const oauth = require('oauth-wasm')
const { OAuthProvider, useLogin, useSession } = require('oauth-wasm/react')

globalThis.IS_REACT_ACT_ENVIRONMENT = true

beforeEach(() => mock.reset())

test('the library is the fake one, with a session and an answer', async () => {
  expect(typeof Response).toBe('undefined')
  mock.session({ scope: ['read'] })
  mock.answer('https://api.example/me', { nickname: 'TETE' })
  mock.answer('https://api.example/refused', () => reply(403, { error: 'forbidden' }, { 'Retry-After': 7 }))
  const response = await oauth.fetchPrivate('https://api.example/me')
  expect([response.ok, response.status, response.headers.get('Content-Type')]).toEqual([true, 200, 'application/json'])
  expect(await response.clone().json()).toEqual({ nickname: 'TETE' })
  const refused = await oauth.fetchPrivate('https://api.example/refused')
  expect([refused.ok, refused.headers.get('retry-after'), await refused.json()]).toEqual([false, '7', { error: 'forbidden' }])
  expect((await oauth.explain(refused)).status).toBe(403)
})

test('an error is of the class, with a stack of the test', async () => {
  const error = await oauth.fetchPrivate('https://api.example/me').catch(error => error)
  expect(error).toBeInstanceOf(OAuthError)
  expect(error.code).toBe('login_required')
})

test('the hooks of oauth-wasm/react stand on it', async () => {
  const View = () => {
    const { session, loading } = useSession()
    const { logout } = useLogin()
    return createElement('button', { onClick: logout }, loading ? '…' : (session?.clientId ?? 'nobody'))
  }
  mock.session({ clientId: 'app' })
  const place = document.createElement('main')
  document.body.append(place)
  const root = createRoot(place)
  await act(async () => root.render(createElement(OAuthProvider, { login: { clientId: 'app' } }, createElement(View))))
  expect(place.textContent).toBe('app')
  await act(async () => place.querySelector('button').click())
  expect(place.textContent).toBe('nobody')
  expect(mock.called('logout')).toEqual([[undefined]])
  await act(async () => root.unmount())
})
