// What all forms of the package share: the functions, and which part of the library answers each. A part is a wasm module
// that is loaded when something wants it:
//
//   start    sends a user to log in
//   session  answers the redirect, and has the sessions
//   full     both, and what only some applications need: sessions that last, popups, OpenID Connect, DPoP
//
// All glue of all parts is here, and with it all natives, taken before anything is loaded. Whatever is the caller's
// (getters, toJSON, the request) is read here too, before a module is on the stack (see natives.js).

import { start } from '#glue'
import { hasParameters, isOfFull, isOurs, mayHaveToken, takeAddress } from '../src/address.js'
import { anyItem, canSeal } from '../src/browser/kept.js'
import {
  Error,
  Failure,
  Promise,
  WebAssembly,
  abortable,
  calls as readCalls,
  document,
  error,
  fromJson,
  guarded,
  indexOf,
  inspect,
  keys,
  lacking,
  listen,
  listenTo,
  own,
  ownFlag,
  ownFunction,
  ownText,
  ownValue,
  prepare,
  record,
  setTimeout,
  slice,
  step,
  then,
  toJson,
  traced,
  unlisten,
  watch,
} from '../src/browser/natives.js'
import { href, load as stored, nthKey, remove, store, whenShown as whenShownAgain } from '../src/browser/page.js'
import { hearOnce } from '../src/browser/tabs.js'
import { popup, putAway } from '../src/browser/windows.js'
import { decoded } from './text.js'

const { navigator, requestIdleCallback } = globalThis
const { compile } = WebAssembly || {}
const onLine = navigator && navigator.connection
const saves = onLine && onLine.saveData
// As protocol/resource.rs has them.
const OPTIONS = 'idempotent scope maxWait'
const LONGEST_REFUSAL = 65536
// As the client has them.
const PENDING = 'oauth-wasm.pending.'
const SALT = 'oauth-wasm.kept.'
const TAKEN = 'oauth-wasm.taken'
const RECORD = 'session.'
/** As task/part.rs counts the modules. */
const NUMBERS = record({ start: 0, session: 1, full: 2 })
/** What a part gives that lacks what it is asked for; `full` has it. */
const LACKS = 0
/** Fields with which only `full` starts a login; without this, `start` would be loaded only to say so. */
const WANTS_FULL = /"(keepPending|display|dpop|pushed|verifyId|authorizationDetails)|id_token token/
/** A login that `start` begins and `full` answers. */
const WANTS_LONGER = /"(keep|sessionScope)"|openid/
/** Fields of a session that outlives the page or is shared by tabs. `start` starts its login where the browser can store one. */
const WANTS_KEPT = /"(keep|sessionScope)"/

/**
 * The functions, over the parts: by name a function of (done, failed), which gives the text of the module, or the reason
 * there is none; and over the providers: by name and language the same, which gives the JSON text of the file.
 */
export const library = (parts, providers) => {
  /** What is loaded and what is being loaded, by the names of the parts. */
  const asks = record({})
  const loads = record({})
  /** The part that has the sessions, once one has. */
  let holder

  const load = name =>
    (loads[name] ||= step(
      'load',
      name,
      new Promise((resolve, reject) => {
        const fail = reason => {
          loads[name] = undefined
          reject(loadFailed(reason))
        }
        supported()
        const opened = ask => {
          asks[name] = ask
          resolve()
        }
        const open = module => start(NUMBERS[name], module, opened, e => fail(said(e)))
        parts[name](text => then(compile(decoded(text)), open, e => fail(blocked(e))), fail)
      }),
    ))

  /** The part to ask: the whole library, where it is loaded already or nothing else is there. */
  const part = name => (parts[name] && !loads.full ? name : 'full')

  /** Asks a part; see `src/npm`. */
  const askPart = (name, called, first, second, value) => {
    const asked = () => {
      let answer
      guarded(
        NUMBERS[name],
        () => {
          answer = step('call', called, asks[name](called, first || '', second || '', value))
        },
        reason => {
          answer = new Promise((_, reject) => reject(reason))
        },
      )
      return answer
    }
    // At once where it is there: each turn costs a call as much as its work.
    return asks[name] ? asked() : after(load(name), asked)
  }

  let moving
  /** The part that has the sessions, `full` if that is wanted: then it has them from now on. */
  const hold = name => {
    if (!holder) holder = part(name)
    if (moving) return moving
    if (name !== 'full' || holder === 'full') return load(holder)
    const moved = () => {
      holder = 'full'
      moving = undefined
    }
    moving = new Promise((resolve, reject) => {
      const failed = reason => {
        moving = undefined
        reject(reason)
      }
      const take = () => after(askPart('session', 'handOver'), () => askPart('full', 'takeOver'))
      then(after(load('full'), take), () => (moved(), resolve()), failed)
    })
    return moving
  }

  /** Asks the part that has the sessions, or is to have them. */
  const call = (name, called, first, second, value) => {
    const asked = () => askPart(holder, called, first, second, value)
    return asks[holder] && !moving && name !== 'full' ? asked() : after(hold(name), asked)
  }

  const partOf = address => (isOfFull(address) ? 'full' : 'session')

  // A response that has left the address bar, and that no part has seen: loading one may fail, and the next call must
  // still find it, after a reload too, for some browsers try no module twice. A code is worth no more than the record of
  // its login, which is stored; a token is stored nowhere, and its login begins anew.
  let taken = (isOurs(href()) ? null : stored(TAKEN)) || undefined

  const handleRedirect = url => {
    const own = url === undefined || '' + url === href()
    // Now: a part may take a while.
    const address = own ? takeAddress() : '' + url
    if (own && isOurs(address)) taken = address
    // Without a `state` of ours it may still answer a login that waits in this tab.
    const may = () => hasParameters(address) && nthKey(PENDING, 0) !== null
    if (!holder && !taken && !isOurs(address) && !may()) return nothing()
    const answer = () => {
      const response = own ? taken || address : address
      if (own) taken = undefined
      remove(TAKEN)
      return call('session', 'handleRedirect', response, own ? 'own' : '')
    }
    return new Promise((resolve, reject) =>
      then(hold(partOf(own ? taken || address : address)), () => then(answer(), resolve, reject), reason => {
        if (own && taken && !mayHaveToken(taken)) store(TAKEN, taken)
        reject(reason)
      }),
    )
  }

  /** Whether a session may be had here without the user, of another tab or one that was kept. */
  const lasting = () =>
    new Promise(resolve =>
      anyItem(
        RECORD,
        // What a tab keeps for itself is nobody else's; what it shares has a part for the others.
        (name, text, shared) => shared || !/"keep":"tab"/.test(text) || stored(SALT + name) !== null,
        found => resolve(found),
      ),
    )

  /** Whether this browser can store a session; where it cannot, `full` gives the error. */
  const keeping = () =>
    new Promise(resolve =>
      canSeal() ? anyItem(RECORD, () => false, found => resolve(found !== undefined)) : resolve(false),
    )

  const restore = options => {
    const wanted = options === undefined ? '' : toJson(options)
    const restored = () => call('full', 'restore', wanted)
    if (holder === 'full') return restored()
    const found = there => {
      if (there) return restored()
      // Another tab may begin a session that it shares. A server has none, nor has what imitates a page, where nothing can
      // be kept either: a channel would keep both running.
      if (document && (there === false || !lacking())) hearOnce('"said":"started"', () => then(restored(), ignored, ignored))
      return holder ? call('session', 'sessionOf', wanted) : nothing()
    }
    return after(lasting(), found)
  }

  // The providers' files that have come, once a page.
  const files = record({})

  /** The text of what the configuration's provider says, or the names that there are. */
  const known = (text, done, failed) => {
    const config = text > ' ' && fromJson(text)
    const name = ownText(config, 'provider')
    const texts = name !== undefined && providers[name]
    if (!texts) return done(toJson(keys(providers)))
    // As provider.rs has it: the language without its country, or English.
    const said = ownText(config, 'language') || ''
    const end = indexOf(said, '-')
    const wanted = end < 0 ? said : slice(said, 0, end)
    const language = texts[wanted] ? wanted : 'en'
    const key = name + '.' + language
    if (files[key]) return done(files[key])
    texts[language](
      found => {
        files[key] = found
        done(found)
      },
      reason => failed(loadFailed(reason)),
    )
  }

  /**
   * Asks with the configuration's text and what its provider's file says; `ask(name, text, found)` asks a part. One
   * that lacks something is asked no more: `full` is.
   */
  const configured = (config, name, ask) =>
    new Promise((resolve, reject) => {
      const text = toJson(config) || (config === undefined ? '' : ' ')
      const first = WANTS_FULL.test(text) ? 'full' : part(name)
      // Both at once: neither waits for the other.
      then(load(first), ignored, ignored)
      const go = found =>
        then(
          ask(first, text, found),
          value => (value === LACKS && first !== 'full' ? then(ask('full', text, found), resolve, reject) : resolve(value)),
          reject,
        )
      known(text, go, reject)
    })

  const startLogin = config => {
    const display = ownValue(config, 'display')
    // Now: while the user's click is handled.
    const isPopup = display === 'popup'
    const going = isPopup ? popup() : ownFunction(config, 'navigate')
    const signal = ownValue(config, 'signal')
    const ask = (name, text, found) =>
      name === 'full' || !WANTS_KEPT.test(text)
        ? asked(name, text, found)
        : after(keeping(), can => asked(can ? name : 'full', text, found))
    const asked = (name, text, found) => {
      taken = undefined
      remove(TAKEN)
      // A login in a popup or a frame ends with a session, and `full` knows of the redirect that was answered before.
      if (name === 'full') return call('full', 'startLogin', text, found, going)
      if (holder) then(call('session', 'forgetRedirect'), ignored, ignored)
      // What will answer comes while the user is on the way.
      const next = WANTS_LONGER.test(text) ? 'full' : 'session'
      if (!saves && !loads[next] && parts[next]) then(load(name), () => parts[next](ignored, ignored), ignored)
      return askPart(name, 'startLogin', text, found, going)
    }
    const started = () => configured(config, 'start', ask)
    return new Promise((resolve, reject) => {
      // A page that is being left goes no further; one that is shown again as it was left has not logged in.
      const gone = session => (session || going ? resolve(session) : whenShownAgain(() => reject(abandoned())))
      then(signal ? abortable(signal, started) : started(), gone, reason => {
        if (isPopup && going) putAway(going)
        reject(reason)
      })
    })
  }

  // What is no text is no token: a promise that nobody awaited, for example.
  const adoptToken = (token, config) =>
    configured(config, 'full', (_, text, found) =>
      call('full', 'adoptToken', text, found, typeof token === 'string' ? token : ''),
    )

  const scopesFor = (calls, config) => {
    const list = readCalls(calls)
    // `start` checks the configuration, and gives what it comes to; what calls need is known where they are made.
    const ask = (name, text, found) => {
      const given = askPart(name, 'scopesFor', text, found, list)
      return name === 'full' ? given : after(given, client => askPart(part('session'), 'scopesOf', client, '', list))
    }
    return config === undefined ? call('session', 'scopesFor', '', '', list) : configured(config, 'start', ask)
  }

  const explain = response =>
    new Promise((resolve, reject) => {
      asks[holder] || supported()
      inspect(response, LONGEST_REFUSAL, (answer, body) =>
        then(call('session', 'explain', answer, '', body), resolve, reject),
      )
    })

  const fetchPrivate = (input, init) => {
    asks[holder] || supported()
    const prepared = prepare(input, init, OPTIONS)
    const sent = () => call('session', 'fetchPrivate', '', '', prepared)
    return prepared.signal ? abortable(prepared.signal, sent) : sent()
  }

  const logout = options => {
    const end = ownValue(options, 'endSession')
    const back = end === true ? '' : ownText(end, 'postLogoutRedirectUri')
    const revoke = ownFlag(options, 'revoke') ? 'revoke' : ''
    const navigate = ownFunction(options, 'navigate')
    const leave = there =>
      call(there ? 'full' : 'session', 'logout', revoke, back === undefined ? '' : 'end ' + back, navigate)
    // Who has no session here leaves what could have been restored.
    return holder ? leave() : after(lasting(), leave)
  }

  // A response is answered soon: its part comes while the page's own files do.
  const address = taken || href()
  if (isOurs(address)) then(load(part(partOf(address))), ignored, ignored)
  else whenIdle(() => holder || loads.start || !parts.start || parts.start(ignored, ignored))

  const session = () => (holder ? call('session', 'session') : nothing())
  const userinfo = () => call('full', 'userinfo')

  return {
    OAuthError: own(Failure, 'name', 'OAuthError', false),
    isOAuthError: value => value instanceof Error && value.name === 'OAuthError' && typeof value.code === 'string',
    startLogin: traced(startLogin),
    handleRedirect: traced(handleRedirect),
    adoptToken: traced(adoptToken),
    fetchPrivate: traced(fetchPrivate, true),
    explain: traced(explain),
    scopesFor: traced(scopesFor),
    debug: watch,
    onSessionChange: (listener, options) => listenTo(listener, ownValue(options, 'signal')),
    restore: traced(restore),
    session: traced(session),
    userinfo: traced(userinfo),
    logout: traced(logout),
  }
}

/** What `f` gives of what the promise gives. */
const after = (promise, f) =>
  new Promise((resolve, reject) => then(promise, value => then(f(value), resolve, reject), reject))

const ignored = () => {}
const nothing = () => new Promise(resolve => resolve(null))

/** When the page has nothing else to do; never where the user saves data. */
const whenIdle = work => {
  if (!document || saves) return
  const idle = () => (requestIdleCallback ? requestIdleCallback(work) : setTimeout(work, 500))
  if (document.readyState === 'complete') return idle()
  const loaded = () => {
    unlisten(globalThis, 'load', loaded)
    idle()
  }
  listen(globalThis, 'load', loaded)
}

const said = reason => (reason && reason.message) || 'no reason given'

const blocked = reason => {
  const text = said(reason)
  const policy = /content security policy|unsafe-eval|csp/i.test(text)
  return policy ? "the Content-Security-Policy needs script-src 'wasm-unsafe-eval'" : text
}

const failure = (code, message, remedy, retryable = false) =>
  error(toJson(record({ name: 'OAuthError', code, message, remedy, retryable })))

const abandoned = () => failure('login_abandoned', 'the user has come back without logging in', 'Offer the login again')

const loadFailed = reason =>
  failure(
    'load_failed',
    'a file of the library could not be loaded: ' + reason,
    'Correct what the message names, or reload the page',
    true,
  )

/** Throws, before anything is done with what is missing. */
const supported = () => {
  const lacks = lacking()
  if (lacks)
    throw failure(
      'unsupported_environment',
      'this environment lacks a required feature: ' + lacks,
      'Use a current browser; in tests, oauth-wasm/testing',
    )
}
