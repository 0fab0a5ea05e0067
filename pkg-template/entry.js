// What the package's three modules share: the functions, and loading the wasm when the first is called.

import * as glue from '#glue'
import { isOurs, takeAddress } from '../src/address.js'
import { error, isSignal, then, toJson } from '../src/browser/natives.js'

const { Promise, WebAssembly } = globalThis
const { compile } = WebAssembly || {}

/** The functions, over `bytes()`: a promise of the wasm, or a rejection with a reason as text. */
export const library = bytes => {
  let loading

  const load = () =>
    (loading ||= new Promise((resolve, reject) => {
      const fail = reason => {
        loading = undefined
        reject(loadFailed(reason))
      }
      if (!compile) return fail('this browser has no WebAssembly')
      const start = module => then(glue.start(module), resolve, e => fail(said(e)))
      then(bytes(), wasm => then(compile(wasm), start, e => fail(blocked(e))), fail)
    }))

  const call = use =>
    new Promise((resolve, reject) =>
      then(
        load(),
        () => {
          try {
            then(use(), resolve, reject)
          } catch (e) {
            // A bug of ours (the module traps) must not leave the caller waiting.
            reject(e)
          }
        },
        reject,
      ),
    )

  // A response that has left the address bar, and that the wasm has not seen: loading it may fail, and the next
  // call must still find it.
  let taken

  const handleRedirect = url => {
    if (url !== undefined) return call(() => glue.handleRedirect('' + url, false))
    // Now: the wasm may take a while.
    const address = takeAddress()
    if (isOurs(address)) taken = address
    return call(() => {
      const response = taken || address
      taken = undefined
      return glue.handleRedirect(response, true)
    })
  }

  return {
    startLogin: config => call(() => glue.startLogin(config)),
    handleRedirect,
    fetchPrivate: (input, init) => abortable(input, init, call(() => glue.fetchPrivate(input, init))),
    session: () => call(glue.session),
    logout: () => call(glue.logout),
  }
}

/** As `fetch` does, rejects when the caller's signal says so, even while a renewal for others goes on. */
const abortable = (input, init, answer) => {
  const signal = (init && init.signal) || (input && input.signal)
  if (!isSignal(signal)) return answer
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    then(answer, resolve, reject)
    signal.aborted ? abort() : signal.addEventListener('abort', abort, { once: true })
  })
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
