// The smallest application, with the library from a classic script.

import { use } from '/e2e/use.js'

use(window.OAuthWasm)
