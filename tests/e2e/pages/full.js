// The smallest application on oauth-wasm/full.

import * as oauth from '/pkg/full.js'
import { use } from '/e2e/use.js'

use(oauth)
