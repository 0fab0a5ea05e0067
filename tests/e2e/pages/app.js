// The smallest application: it answers the redirect on every load and leaves the rest to the test.

import * as oauth from '/pkg/oauth-wasm.js'

const told = e => ({ ...e, name: e.name, message: e.message, stack: e.stack, real: e instanceof Error })

window.oauth = oauth
window.redirected = oauth.handleRedirect().then(
  session => ({ session }),
  e => ({ error: told(e) }),
)
// What the address bar shows before anything was awaited.
window.addressAfterCall = location.href
window.outcome = promise =>
  promise.then(
    value => ({ value }),
    e => ({ error: told(e) }),
  )
