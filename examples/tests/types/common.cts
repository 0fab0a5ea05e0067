// From CommonJS, as Jest's tests are.

import react = require('oauth-wasm/react')
import testing = require('oauth-wasm/testing')

testing.mock.session({ scope: ['read'] })
export const hook: () => { loading: boolean } = react.useSession
