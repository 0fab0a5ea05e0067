// The recipes of docs/recipes.md, run.

import { getResponse, http, HttpResponse } from 'msw'
import { beforeEach, expect, test, vi } from 'vitest'
import { mock, OAuthError, reply } from 'oauth-wasm/testing'
import { gql } from '@apollo/client'
import { client as apollo } from '../recipes/apollo.js'
import { api } from '../recipes/axios.js'
import { events } from '../recipes/events.js'
import { download, imageUrl } from '../recipes/files.js'
import { logInBySystemBrowser } from '../recipes/native.js'
import { queries } from '../recipes/query.js'
import { fetchWithMore } from '../recipes/step-up.js'
import { graphql } from '../recipes/urql.js'

vi.mock('oauth-wasm', () => import('oauth-wasm/testing'))

beforeEach(() => {
  // The listeners of the recipes' modules stay.
  mock.session({})
})

test('axios: JSON there and back, parameters, refusals as its own errors', async () => {
  mock.answer('POST https://api.example/items?page=2', async call => {
    const request = call.body instanceof ReadableStream ? await new Response(call.body).text() : call.body
    return reply(201, { got: JSON.parse(request), type: call.headers['content-type'] })
  })
  const created = await api.post('/items', { title: 'Chair' }, { params: { page: 2 } })
  expect([created.status, created.data]).toEqual([201, { got: { title: 'Chair' }, type: 'application/json' }])
  mock.answer('https://api.example/none', () => reply(404, { error: 'not_found' }))
  await expect(api.get('/none')).rejects.toMatchObject({ response: { status: 404, data: { error: 'not_found' } } })
})

test('TanStack Query: data, no retry where it is of no use, cleared when the session ends', async () => {
  mock.answer('https://api.example/users/me', { nickname: 'TETE' })
  expect(await queries.fetchQuery({ queryKey: ['/users/me'] })).toEqual({ nickname: 'TETE' })
  mock.answer('https://api.example/refused', () => reply(403, {}))
  const before = mock.called('fetchPrivate').length
  const refused = queries.fetchQuery({ queryKey: ['/refused'], retry: queries.getDefaultOptions().queries.retry })
  await expect(refused).rejects.toMatchObject({ code: 'request_refused' })
  expect(mock.called('fetchPrivate').length).toBe(before + 1)
  mock.emit({ type: 'ended', reason: 'session_ended' })
  expect(queries.getQueryData(['/users/me'])).toBe(undefined)
})

test('urql', async () => {
  mock.answer('POST https://api.example/graphql', call => ({ data: { query: JSON.parse(call.body).query.trim() } }))
  const { data, error } = await graphql.query('{ me { nickname } }', {}).toPromise()
  expect([error, data.query]).toEqual([undefined, expect.stringContaining('nickname')])
})

test('Apollo', async () => {
  mock.answer('POST https://api.example/graphql', call => ({ data: { me: { __typename: 'User', nickname: JSON.parse(call.body).operationName } } }))
  const { data, error } = await apollo.query({ query: gql`query Who { me { nickname } }` })
  expect([error, data.me.nickname]).toEqual([undefined, 'Who'])
  mock.fail('fetchPrivate', 'login_required')
  const refused = apollo.query({ query: gql`query Again { me { nickname } }`, fetchPolicy: 'no-cache' })
  await expect(refused).rejects.toBeInstanceOf(OAuthError)
})

test('server-sent events, cut anywhere', async () => {
  const text = ': hello\n\ndata: one\ndata: two\r\n\r\nevent: x\ndata:three\n\ndata: unfinished'
  const parts = text.match(/[^]{1,5}/g)
  const body = () => new ReadableStream({
    pull: controller => (parts.length ? controller.enqueue(new TextEncoder().encode(parts.shift())) : controller.close()),
  })
  mock.answer('https://api.example/events', call => {
    expect(call.headers.accept).toBe('text/event-stream')
    return new Response(body(), { headers: { 'content-type': 'text/event-stream' } })
  })
  const seen = []
  for await (const data of events('https://api.example/events')) seen.push(data)
  expect(seen).toEqual(['one\ntwo', 'three'])
})

test('images and downloads', async () => {
  mock.answer('https://api.example/photo', () => new Response(new Uint8Array([1, 2, 3]), { headers: { 'content-type': 'image/png' } }))
  const url = await imageUrl('https://api.example/photo')
  expect(url).toMatch(/^blob:/)
  const clicked = []
  document.addEventListener('click', event => clicked.push([event.target.download, event.target.href.slice(0, 5)]))
  vi.spyOn(document, 'createElement').mockImplementationOnce(name => {
    const link = Document.prototype.createElement.call(document, name)
    document.body.append(link)
    return link
  })
  vi.useFakeTimers()
  await download('https://api.example/photo', 'photo.png')
  vi.runAllTimers()
  vi.useRealTimers()
  expect(clicked).toEqual([['photo.png', 'blob:']])
})

test('step-up: the scope that a call lacks is asked for, and the call is made', async () => {
  const ask = { scope: ['read', 'write'] }
  mock.fail('fetchPrivate', 'insufficient_scope', { ask })
  mock.answer('PUT https://api.example/x', { done: true })
  const response = await fetchWithMore({ clientId: 'app' }, 'https://api.example/x', { method: 'PUT' })
  expect(await response.json()).toEqual({ done: true })
  expect(mock.called('startLogin').at(-1)).toEqual([{ clientId: 'app', ...ask, display: 'popup' }])
  mock.fail('fetchPrivate', 'insufficient_scope')
  await expect(fetchWithMore({}, 'https://api.example/x')).rejects.toBeInstanceOf(OAuthError)
})

test('MSW: its handlers answer fetchPrivate', async () => {
  const handlers = [http.get('https://api.example/users/:id', ({ params }) => HttpResponse.json({ id: params.id }))]
  mock.answer('https://api.example/*', call => getResponse(handlers, new Request(call.url, { method: call.method })))
  expect((await api.get('/users/7')).data).toEqual({ id: '7' })
})

test('Capacitor, Tauri, Electron: away by the system browser, back by a URL; other URLs are not ours', async () => {
  let opened
  let hear
  let stopped = 0
  const session = logInBySystemBrowser({ clientId: 'app', redirectUri: 'com.example.app:/callback' }, {
    open: url => { opened = url },
    onUrl: listener => {
      hear = listener
      return () => { stopped++ }
    },
  })
  await vi.waitFor(() => expect(opened).toMatch(/^https:/))
  mock.on('handleRedirect', async url => (url.startsWith('com.example.app:/callback') ? { clientId: 'app' } : null))
  hear('com.example.app:/share?x=1')
  mock.fail('handleRedirect', 'redirect_uri_mismatch')
  hear('com.example.app:/other?code=x&state=y')
  hear('com.example.app:/callback?code=x&state=y')
  expect(await session).toMatchObject({ clientId: 'app' })
  expect(stopped).toBe(1)
  expect(mock.called('startLogin').at(-1)[0]).toMatchObject({ clientId: 'app', keepPending: true })
})

test('a refusal in the system browser is the login\'s, and nothing listens any more', async () => {
  let hear
  let stopped = 0
  const onUrl = listener => {
    hear = listener
    return () => { stopped++ }
  }
  const session = logInBySystemBrowser({ clientId: 'app' }, { open: () => {}, onUrl })
  mock.fail('handleRedirect', 'access_denied')
  hear('com.example.app:/callback?error=access_denied&state=y')
  await expect(session).rejects.toMatchObject({ code: 'access_denied' })
  const noBrowser = () => Promise.reject(new Error('no browser'))
  await expect(logInBySystemBrowser({ clientId: 'app' }, { open: noBrowser, onUrl })).rejects.toThrow('no browser')
  expect(stopped).toBe(2)
})
