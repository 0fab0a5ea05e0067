// What the package's three modules share: the functions, and loading the wasm when the first is called. Whatever is
// the caller's (getters, toJSON, the request) is read here, before the module is on the stack (see natives.js).

import { start } from '#glue'
import { isOurs, takeAddress } from '../src/address.js'
import {
  Promise,
  abortable,
  calls as readCalls,
  error,
  fromJson,
  guarded,
  inspect,
  listenTo,
  ownFlag,
  ownFunction,
  ownText,
  ownValue,
  prepare,
  then,
  toJson,
} from '../src/browser/natives.js'
import { href } from '../src/browser/page.js'
import { popup, putAway } from '#windows'

const { Object, WebAssembly } = globalThis
const { compile } = WebAssembly || {}
const { keys } = Object
// As protocol/resource.rs has them.
const OPTIONS = 'idempotent scope maxWait'
const LONGEST_REFUSAL = 65536

/**
 * The functions, over `bytes(done, failed)`, which gives the wasm or the reason there is none, as text, and over the
 * providers: by name a function like that, which gives the JSON text of the file.
 */
export const library = (bytes, providers) => {
  let loading
  // The module's function. No promise resolves with it: looking for a `then` would show it to the page.
  let ask

  const load = () =>
    (loading ||= new Promise((resolve, reject) => {
      const fail = reason => {
        loading = undefined
        reject(loadFailed(reason))
      }
      if (!compile) return fail('this browser has no WebAssembly')
      const opened = asked => {
        ask = asked
        resolve()
      }
      const open = module => start(module, opened, e => fail(said(e)))
      bytes(wasm => then(compile(wasm), open, e => fail(blocked(e))), fail)
    }))

  /** See `npm.rs`. */
  const call = (name, first = '', second = '', value) =>
    new Promise((resolve, reject) => {
      const asked = () => then(ask(name, first, second, value), resolve, reject)
      then(load(), () => guarded(asked, reject), reject)
    })

  // A response that has left the address bar, and that the wasm has not seen: loading it may fail, and the next
  // call must still find it.
  let taken

  const handleRedirect = url => {
    if (url !== undefined && '' + url !== href()) return call('handleRedirect', '' + url)
    // Now: the wasm may take a while.
    const address = takeAddress()
    if (isOurs(address)) taken = address
    const answer = () => {
      const response = taken || address
      taken = undefined
      return call('handleRedirect', response, 'own')
    }
    return new Promise((resolve, reject) => then(load(), () => then(answer(), resolve, reject), reject))
  }

  // The providers' files that have come, once a page.
  const files = { __proto__: null }

  /** Calls with the configuration's text and what its provider's file says, or the names that there are. */
  const configured = (called, config, value) =>
    new Promise((resolve, reject) => {
      const text = toJson(config) || (config === undefined ? '' : ' ')
      const name = text > ' ' && ownValue(fromJson(text), 'provider')
      const file = typeof name === 'string' && providers[name]
      const go = found => then(call(called, text, found, value), resolve, reject)
      if (!file) return go(toJson(keys(providers)))
      if (files[name]) return go(files[name])
      // Both at once: neither waits for the other.
      then(load(), nothing, nothing)
      file(
        found => {
          files[name] = found
          go(found)
        },
        reason => reject(loadFailed(reason)),
      )
    })

  const startLogin = config => {
    if (!popup) return configured('startLogin', config, ownFunction(config, 'navigate'))
    // Now: while the user's click is handled.
    const isPopup = ownValue(config, 'display') === 'popup'
    const going = isPopup ? popup() : ownFunction(config, 'navigate')
    const signal = ownValue(config, 'signal')
    const started = () => configured('startLogin', config, going)
    return new Promise((resolve, reject) =>
      then(signal ? abortable(signal, started) : started(), resolve, reason => {
        if (isPopup && going) putAway(going)
        reject(reason)
      }),
    )
  }

  // What is no text is no token: a promise that nobody awaited, for example.
  const adoptToken = (token, config) => configured('adoptToken', config, typeof token === 'string' ? token : '')

  const scopesFor = (calls, config) =>
    new Promise((resolve, reject) =>
      then(configured('scopesFor', config, readCalls(calls)), resolve, reject),
    )

  const explain = response =>
    new Promise((resolve, reject) =>
      inspect(response, LONGEST_REFUSAL, (answer, body) =>
        then(call('explain', answer, '', body), resolve, reject),
      ),
    )

  const fetchPrivate = (input, init) =>
    new Promise((resolve, reject) => {
      const prepared = prepare(input, init, OPTIONS)
      const sent = () => call('fetchPrivate', '', '', prepared)
      then(abortable(prepared.signal, sent), resolve, reject)
    })

  return {
    startLogin,
    handleRedirect,
    adoptToken,
    fetchPrivate,
    explain,
    scopesFor,
    onSessionChange: (listener, options) => listenTo(listener, ownValue(options, 'signal')),
    restore: options => call('restore', options === undefined ? '' : toJson(options)),
    session: () => call('session'),
    userinfo: () => call('userinfo'),
    logout: options =>
      new Promise((resolve, reject) => {
        const end = ownValue(options, 'endSession')
        const back = end === true ? '' : ownText(end, 'postLogoutRedirectUri')
        const revoke = ownFlag(options, 'revoke') ? 'revoke' : ''
        const navigate = ownFunction(options, 'navigate')
        then(call('logout', revoke, back === undefined ? '' : 'end ' + back, navigate), resolve, reject)
      }),
  }
}

const nothing = () => {}

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
      message: 'a file of the library could not be loaded: ' + reason,
      remedy: 'Correct what the message names, or import oauth-wasm/inline',
      retryable: true,
    }),
  )
