import { HttpErrorResponse, HttpHeaders, HttpResponse } from '@angular/common/http'
import { InjectionToken, computed, inject, makeEnvironmentProviders, provideAppInitializer, signal } from '@angular/core'
import { Router } from '@angular/router'
import { Observable } from 'rxjs'
import * as library from 'oauth-wasm'
import { createStore } from './store.js'

const SETTINGS = new InjectionToken('oauth-wasm settings')

const create = () => {
  const { client = library, ...options } = inject(SETTINGS)
  const router = inject(Router, { optional: true })
  const navigate = router ? to => router.navigateByUrl(to, { replaceUrl: true }) : undefined
  const store = createStore(client, { navigate, ...options })
  const state = signal(store.get())
  let known
  const ready = new Promise(resolve => {
    known = resolve
  })
  store.subscribe(now => {
    state.set(now)
    if (!now.loading) known()
  })
  const member = name => computed(() => state()[name])
  const { login, logout, requireLogin } = store
  return {
    session: member('session'),
    loading: member('loading'),
    busy: member('busy'),
    error: member('error'),
    ended: member('ended'),
    ready,
    login,
    logout,
    requireLogin,
    fetchPrivate: client.fetchPrivate ?? library.fetchPrivate,
  }
}

export const OAuth = new InjectionToken('oauth-wasm', { providedIn: 'root', factory: create })

export const provideOAuth = settings =>
  makeEnvironmentProviders([
    { provide: SETTINGS, useValue: settings },
    // First of all: before the router reads the response in the address.
    provideAppInitializer(() => void inject(OAuth)),
  ])

/** Lets users pass; who is not logged in is sent to log in, and comes back to the page that the route names. */
export const oauthGuard = async (route, state) => {
  const oauth = inject(OAuth)
  await oauth.ready
  if (oauth.session()) return true
  oauth.requireLogin({ returnTo: state.url })()
  return false
}

const headersOf = request => {
  const headers = {}
  for (const name of request.headers.keys()) headers[name] = request.headers.getAll(name).join(', ')
  const type = request.detectContentTypeHeader()
  if (type && !request.headers.has('content-type')) headers['content-type'] = type
  if (!request.headers.has('accept')) headers.accept = 'application/json, text/plain, */*'
  return headers
}

const bodyOf = async (response, type) => {
  if (type === 'blob') return await response.blob()
  if (type === 'arraybuffer') return await response.arrayBuffer()
  const text = await response.text()
  return type === 'text' ? text : text === '' ? null : JSON.parse(text)
}

const send = async (fetchPrivate, request, signal) => {
  const { method, urlWithParams: url, responseType } = request
  let response
  try {
    const body = request.serializeBody()
    response = await fetchPrivate(url, { method, headers: headersOf(request), body, signal })
  } catch (error) {
    throw new HttpErrorResponse({ url, status: 0, error })
  }
  const { status, statusText } = response
  const answer = { url, status, statusText, headers: new HttpHeaders(response.headers) }
  if (!response.ok) {
    const text = await response.text()
    throw new HttpErrorResponse({ ...answer, error: parsed(text) })
  }
  try {
    return new HttpResponse({ ...answer, body: await bodyOf(response, responseType) })
  } catch (error) {
    throw new HttpErrorResponse({ ...answer, error })
  }
}

const parsed = text => {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Sends requests below these addresses by `fetchPrivate`, and leaves others alone. */
export const oauthInterceptor = (...servers) => {
  const bases = servers.map(server => new URL(server).href.replace(/\/$/, ''))
  const isOurs = url => {
    const { href } = new URL(url, document.baseURI)
    return bases.some(base => href === base || href.startsWith(base + '/') || href.startsWith(base + '?'))
  }
  return (request, next) => {
    if (!isOurs(request.url)) return next(request)
    const { fetchPrivate } = inject(OAuth)
    return new Observable(observer => {
      const controller = new AbortController()
      send(fetchPrivate, request, controller.signal).then(
        response => {
          observer.next(response)
          observer.complete()
        },
        error => observer.error(error),
      )
      return () => controller.abort()
    })
  }
}
