// The address bar's part of a redirect (RFC 9700 section 4.3: out of the URL before anything else runs). It is
// JavaScript because the wasm may not be loaded yet when the first line of the page calls handleRedirect().

import { uncurry } from './browser/natives.js'
import { href, replaceAddress } from './browser/page.js'

const indexOf = uncurry(String.prototype.indexOf)
const slice = uncurry(String.prototype.slice)

// As protocol/authorization.rs makes them.
const OURS = 'state=ow1x'

const NAMES = Object.create(null)
for (const name of [
  'code',
  'state',
  'iss',
  'error',
  'error_description',
  'error_uri',
  'session_state',
  'access_token',
  'scope',
  'user_id',
]) {
  NAMES[name] = true
}

const has = (text, part) => indexOf(text, part) >= 0

const cut = (text, mark) => {
  const at = indexOf(text, mark)
  return at < 0 ? [text, ''] : [slice(text, 0, at), slice(text, at)]
}

/** A query without the parameters of a response: the application's own stay. */
const withoutResponse = query => {
  let kept = ''
  for (let rest = slice(query, 1); rest; ) {
    const parts = cut(rest, '&')
    if (!NAMES[cut(parts[0], '=')[0]]) kept += (kept ? '&' : '?') + parts[0]
    rest = slice(parts[1], 1)
  }
  return kept
}

/** Whether the address is a response to a login of ours. */
export const isOurs = address => has(address, OURS)

/** The address as it was. If it is a response to a login of ours, the address bar no longer shows it. */
export const takeAddress = () => {
  const address = href()
  if (isOurs(address)) {
    const whole = cut(address, '#')
    const base = cut(whole[0], '?')
    const opening = slice(whole[1], 0, 4)
    const json = opening === '#%7B' || opening === '#%7b' || slice(opening, 0, 2) === '#{'
    const answered = has(whole[1], OURS) || has(whole[1], 'access_token=') || json
    replaceAddress(base[0] + withoutResponse(base[1]) + (answered ? '' : whole[1]))
  }
  return address
}
