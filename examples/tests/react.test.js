// The hooks of oauth-wasm/react over `oauth-wasm/testing`.

import { act, createElement, StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { renderToString } from 'react-dom/server'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createTestLibrary, mock } from 'oauth-wasm/testing'
import { OAuthProvider, Protected, useLogin, useSession } from 'oauth-wasm/react'

vi.mock('oauth-wasm', () => import('oauth-wasm/testing'))
globalThis.IS_REACT_ACT_ENVIRONMENT = true

const CONFIG = { clientId: 'app', redirectUri: location.origin + '/', provider: 'mercadolibre' }
let place
let root

beforeEach(() => {
  mock.reset()
  history.replaceState(null, '', '/')
  place = document.createElement('main')
  document.body.append(place)
  root = createRoot(place)
})
afterEach(async () => {
  await act(async () => root.unmount())
  place.remove()
})

const View = () => {
  const { session, loading, error, ended } = useSession()
  const { login, logout, busy } = useLogin()
  const said = error ? error.code : loading ? 'loading' : session ? session.clientId : `nobody ${ended ?? ''}`
  return createElement('p', null,
    createElement('output', null, said.trim() + (busy ? ' busy' : '')),
    createElement('button', { id: 'in', onClick: login }),
    createElement('button', { id: 'out', onClick: logout }))
}
const render = (child, props) =>
  act(async () => root.render(createElement(StrictMode, null, createElement(OAuthProvider, { login: CONFIG, ...props }, child))))
const said = () => place.querySelector('output').textContent
const click = id => act(async () => place.querySelector('#' + id).click())

test('on a server nothing is known, and nothing is called', () => {
  const html = renderToString(createElement(OAuthProvider, { login: CONFIG }, createElement(View)))
  expect(html).toContain('loading')
  expect(mock.calls).toEqual([])
})

test('without a provider a hook says what is missing', () => {
  expect(() => renderToString(createElement(View))).toThrow('<OAuthProvider>')
})

test('nobody, then a login that leaves the page; the event of the click is no configuration', async () => {
  await render(createElement(View))
  expect(said()).toBe('nobody')
  await click('in')
  expect(said()).toBe('nobody busy')
  expect(mock.called('startLogin')).toEqual([[{ ...CONFIG, returnTo: '/' }]])
})

test('a session is restored, follows events, and a logout ends it', async () => {
  mock.session({ clientId: 'kept' })
  await render(createElement(View))
  expect(said()).toBe('kept')
  await act(async () => mock.emit({ type: 'renewed', session: { clientId: 'renewed' } }))
  expect(said()).toBe('renewed')
  await click('out')
  expect(said()).toBe('nobody logout')
  await act(async () => mock.emit({ type: 'started', session: { clientId: 'again' } }))
  await act(async () => mock.emit({ type: 'ended', reason: 'session_ended' }))
  expect(said()).toBe('nobody session_ended')
})

test('back from the provider: the session, and the page that was wanted, once', async () => {
  const went = []
  mock.redirect({ clientId: 'app', returnTo: '/cart?x#y' })
  await render(createElement(View), { navigate: to => void went.push(to) })
  expect(said()).toBe('app')
  expect(went).toEqual(['/cart?x#y'])
})

test('without a router the address changes, and a router that listens hears of it', async () => {
  const heard = []
  const listen = () => heard.push(location.pathname)
  addEventListener('popstate', listen)
  mock.redirect({ returnTo: '/cart' })
  await render(createElement(View))
  removeEventListener('popstate', listen)
  expect(heard).toEqual(['/cart'])
})

test('a router that has read the response in the address forgets it, after a failure too', async () => {
  for (const outcome of ['session', 'error']) {
    const went = []
    mock.reset()
    history.replaceState(null, '', '/?code=x&state=y')
    mock.on('handleRedirect', () => {
      history.replaceState(null, '', '/')
      return outcome === 'session' ? { ...mock.session({ clientId: 'app' }), returnTo: null } : Promise.reject(Object.assign(new Error('no'), { code: 'no' }))
    })
    await render(createElement(View, { key: outcome }), { navigate: to => void went.push(to), key: outcome })
    expect(went).toEqual(['/'])
  }
})

test('no router is told on a page that is not the redirect URI', async () => {
  history.replaceState(null, '', '/other')
  mock.redirect({ returnTo: '/cart' })
  await render(createElement(View), { navigate: () => { throw new Error('never') } })
  expect([said(), location.pathname]).toEqual(['test-client', '/other'])
})

test('what goes wrong is in the state, apart from the session, and nowhere unhandled', async () => {
  const errors = []
  mock.session({ clientId: 'kept' })
  mock.fail('handleRedirect', 'access_denied')
  await render(createElement(View), { onError: error => errors.push(error.code) })
  expect(said()).toBe('access_denied')
  mock.fail('startLogin', 'popup_blocked')
  await click('in')
  expect(said()).toBe('popup_blocked')
  mock.on('startLogin', async () => mock.emit({ type: 'started', session: { clientId: 'new' } }))
  await click('in')
  expect(said()).toBe('new')
  expect(errors).toEqual(['access_denied', 'popup_blocked'])
})

test('a protected part sends whoever is not logged in to log in, once, with what it asks for', async () => {
  history.replaceState(null, '', '/orders?page=2')
  await render(createElement(Protected, { login: { scope: ['read'] } }, createElement(View)))
  expect(mock.called('startLogin')).toEqual([[{ ...CONFIG, returnTo: '/orders?page=2', scope: ['read'] }]])
  expect(place.textContent).toBe('')
})

test('a protected part shows itself to users, and after a logout it offers the login instead of forcing it', async () => {
  mock.session({ clientId: 'app' })
  await render(createElement(Protected, null, createElement(View)))
  expect(said()).toBe('app')
  await click('out')
  expect(place.textContent).toBe('Log in')
  expect(mock.called('startLogin')).toEqual([])
  await act(async () => place.querySelector('button').click())
  expect(mock.called('startLogin').length).toBe(1)
})

test('a protected part does not go round in circles when the login fails', async () => {
  mock.fail('startLogin', 'invalid_config')
  const fallback = ({ error }) => createElement('output', null, error?.code ?? 'waiting')
  await render(createElement(Protected, { fallback }, createElement(View)))
  expect(said()).toBe('invalid_config')
  expect(mock.called('startLogin').length).toBe(1)
})

test('who comes back from the provider by Back is not sent there again', async () => {
  await render(createElement(Protected, null, createElement(View)))
  expect(mock.called('startLogin').length).toBe(1)
  const event = new Event('pageshow')
  Object.defineProperty(event, 'persisted', { value: true })
  await act(async () => dispatchEvent(event))
  expect(place.textContent).toBe('Log in')
  expect(mock.called('startLogin').length).toBe(1)
})

test('a login that was abandoned by Back is no failure', async () => {
  mock.fail('startLogin', 'login_abandoned')
  await render(createElement(View))
  await click('in')
  expect(said()).toBe('nobody')
})

test('another library in the place of oauth-wasm', async () => {
  const client = createTestLibrary({ session: { clientId: 'vault' } })
  await render(createElement(View), { client })
  expect(said()).toBe('vault')
  expect(mock.calls).toEqual([])
})

test('debug is told of the steps, and a library that has none is used all the same', async () => {
  const told = []
  const debug = ({ step, name }) => told.push(`${step} ${name}`)
  const client = createTestLibrary({ session: {} })
  await render(createElement(View), { client, debug })
  expect(told).toContain('call handleRedirect')
  const vault = { ...createTestLibrary({ session: { clientId: 'vault' } }), debug: undefined }
  await act(async () => root.render(createElement(OAuthProvider, { key: 'vault', login: CONFIG, client: vault, debug }, createElement(View))))
  expect(said()).toBe('vault')
})
