// The smallest application, with the wasm inside the module.

import * as oauth from '/pkg/inline.js'
import { use } from '/e2e/use.js'

use(oauth)
