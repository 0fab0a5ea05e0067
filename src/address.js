// The address bar's part of a redirect (RFC 9700 section 4.3: out of the URL before anything else runs). It is
// JavaScript because the wasm may not be loaded yet when the first line of the page calls handleRedirect().
//
// It reads an address as protocol/authorization/response.rs does: what is accepted there does not stay here.

import { indexOf, lowerCase, slice } from './browser/natives.js'
import { href, load, replaceAddress } from './browser/page.js'

const decode = decodeURIComponent

// As protocol/authorization.rs makes them.
const OURS = 'state=ow1x'
// As src/client stores them.
const PENDING = 'oauth-wasm.pending.'

// As protocol/parameters.rs has them: those of a response, then those that servers add.
const NAMES = Object.create(null)
for (const name of [
  'state',
  'code',
  'iss',
  'error',
  'error_description',
  'error_uri',
  'access_token',
  'token_type',
  'expires_in',
  'scope',
  'refresh_token',
  'id_token',
  'session_state',
  'authuser',
  'client_info',
  'hd',
  'prompt',
  'user_id',
]) {
  NAMES[name] = true
}

const has = (text, part) => indexOf(text, part) >= 0

const cut = (text, mark) => {
  const at = indexOf(text, mark)
  return at < 0 ? [text, ''] : [slice(text, 0, at), slice(text, at)]
}

const plain = text => {
  try {
    return decode(text)
  } catch {
    return text
  }
}

/** Calls `f` with each pair of a query or a fragment, its name and its value. */
const each = (text, f) => {
  for (let rest = slice(text, 1); rest; ) {
    const parts = cut(rest, '&')
    const named = cut(parts[0], '=')
    f(parts[0], plain(named[0]), plain(slice(named[1], 1)))
    rest = slice(parts[1], 1)
  }
}

/** The `state` of ours in a query or a fragment. */
const stateIn = text => {
  let state = ''
  each(text, (pair, name, value) => {
    if (name === 'state' && indexOf('state=' + value, OURS) === 0) state = value
  })
  return state
}

const fragmentOf = address => cut(address, '#')[1]
const queryOf = address => cut(cut(address, '#')[0], '?')[1]
const stateOf = address => stateIn(fragmentOf(address)) || stateIn(queryOf(address))

/** A text of a stored record, and what follows. */
const textOf = record => {
  const length = cut(record, ';')
  const end = 1 + +length[0]
  return [slice(length[1], 1, end), slice(length[1], end)]
}

/** The redirect URI of the login that waits for this state in this tab: its second text. */
const redirectUriOf = state => {
  const record = state && load(PENDING + state)
  return record ? textOf(textOf(slice(cut(record, ';')[1], 1))[1])[0] : ''
}

/** A query without the parameters of a response: the application's own stay. */
const withoutResponse = query => {
  let kept = ''
  each(query, (pair, name) => {
    if (!NAMES[name]) kept += (kept ? '&' : '?') + pair
  })
  return kept
}

/** Whether the address is a response to a login of ours, or was one. */
export const isOurs = address => has(address, OURS) || !!stateOf(address)
// No regular expression: it asks the page's `exec`, and RegExp.input keeps what it read.
const hasPairs = text => has(text, '=') || has(text, '{') || has(text, '%')
/** Whether it may be a response, ours or not. */
export const hasParameters = address => hasPairs(queryOf(address)) || hasPairs(fragmentOf(address))
/** Whether it may carry a token: a parameter says so, or there are some in its fragment. */
export const mayHaveToken = address => {
  let may = hasPairs(fragmentOf(address))
  each(queryOf(address), (pair, name, value) => {
    if (has(lowerCase(name + value), 'token')) may = true
  })
  return may
}
/** Whether it takes the whole library to answer it. */
export const isOfFull = address => {
  const state = 'state=' + stateOf(address)
  return indexOf(state, OURS + '.') === 0 || indexOf(state, OURS + 'f.') === 0
}

/** The address as it was. If it is a response to a login of ours, the address bar no longer shows it. */
export const takeAddress = () => {
  const address = href()
  if (isOurs(address)) {
    const whole = cut(address, '#')
    const base = cut(whole[0], '?')
    let fragment = whole[1]
    const opening = slice(fragment, 0, 4)
    const json = opening === '#%7B' || opening === '#%7b' || slice(opening, 0, 2) === '#{'
    if (json || fragment === '#_=_' || has(fragment, OURS) || has(fragment, 'access_token=')) fragment = ''
    each(fragment, (pair, name) => {
      if (NAMES[name]) fragment = ''
    })
    // The login that waits knows what its address was; else what is no response's stays.
    const own = cut(redirectUriOf(stateOf(address)), '?')
    const home = own[0] === base[0] || own[0] + '/' === base[0]
    replaceAddress(base[0] + (home ? own[1] : withoutResponse(base[1])) + fragment)
  }
  return address
}
