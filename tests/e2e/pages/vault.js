// The smallest application on a vault, whose address is in its own.

import { vault } from '/pkg/vault.js'
import { use } from '/e2e/use.js'

window.vault = vault
use(vault(new URLSearchParams(location.search).get('vault'), { timeout: 15 }))
