// An application whose own script makes every call, and again where a test presses a button: what WebDriver runs need
// not be under the page's Content-Security-Policy.

import * as oauth from '/pkg/oauth-wasm.js'
import { use } from '/e2e/use.js'

use(oauth)
for (const [name, call] of [
  ['call', () => oauth.fetchPrivate('https://api.example/')],
  ['answer', oauth.handleRedirect],
]) {
  document.getElementById(name).onclick = () => {
    window.again = outcome(call())
  }
}
