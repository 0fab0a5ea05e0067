// What the package's three modules share: the functions, and loading the wasm when the first is called. Whatever is
// the caller's (getters, toJSON, the request) is read here, before the module is on the stack (see natives.js).

import {
  fetchPrivate as fetchPrepared,
  handleRedirect as answer,
  logout,
  session,
  start,
  startLogin as login,
} from '#glue'
import { isOurs, takeAddress } from '../src/address.js'
import { abortable, error, guarded, ownFunction, prepare, then, toJson } from '../src/browser/natives.js'
import { href } from '../src/browser/page.js'

const { Promise, WebAssembly } = globalThis
const { compile } = WebAssembly || {}

/** The functions, over `bytes(done, failed)`, which gives the wasm or the reason there is none, as text. */
export const library = bytes => {
  let loading

  const load = () =>
    (loading ||= new Promise((resolve, reject) => {
      const fail = reason => {
        loading = undefined
        reject(loadFailed(reason))
      }
      if (!compile) return fail('this browser has no WebAssembly')
      const open = module => start(module, resolve, e => fail(said(e)))
      bytes(wasm => then(compile(wasm), open, e => fail(blocked(e))), fail)
    }))

  const call = use =>
    new Promise((resolve, reject) =>
      then(load(), () => guarded(() => then(use(), resolve, reject), reject), reject),
    )

  // A response that has left the address bar, and that the wasm has not seen: loading it may fail, and the next
  // call must still find it.
  let taken

  const handleRedirect = url => {
    if (url !== undefined && '' + url !== href()) return call(() => answer('' + url, false))
    // Now: the wasm may take a while.
    const address = takeAddress()
    if (isOurs(address)) taken = address
    return call(() => {
      const response = taken || address
      taken = undefined
      return answer(response, true)
    })
  }

  const startLogin = config => {
    const text = toJson(config)
    const navigate = ownFunction(config, 'navigate')
    return call(() => login(text, navigate))
  }

  const fetchPrivate = (input, init) =>
    new Promise((resolve, reject) => {
      const prepared = prepare(input, init)
      then(abortable(prepared.signal, () => call(() => fetchPrepared(prepared))), resolve, reject)
    })

  return {
    startLogin,
    handleRedirect,
    fetchPrivate,
    session: () => call(session),
    logout: () => call(logout),
  }
}

const said = reason => (reason && reason.message) || 'no reason given'

const blocked = reason => {
  const text = said(reason)
  const policy = /content security policy|unsafe-eval|csp/i.test(text)
  return policy ? "the Content-Security-Policy needs script-src 'wasm-unsafe-eval'" : text
}

const loadFailed = reason =>
  error(
    toJson({
      name: 'OAuthError',
      code: 'load_failed',
      message: 'the WebAssembly module could not be loaded: ' + reason,
      remedy: 'Correct what the message names, or import oauth-wasm/inline',
      retryable: true,
    }),
  )
