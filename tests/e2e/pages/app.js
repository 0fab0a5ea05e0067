// The smallest application.

import * as oauth from '/pkg/oauth-wasm.js'
import { use } from '/e2e/use.js'

use(oauth)
