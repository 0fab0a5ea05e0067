// Your application, as it is registered at the provider.

import type { LoginConfig } from 'oauth-wasm'

/** Where `cargo xtask demo` says its sandbox is (`ng build --define SANDBOX=…`); else Mercado Libre in Argentina itself. */
declare const SANDBOX: string | undefined

export const api = SANDBOX ?? 'https://api.mercadolibre.com'

export const login: LoginConfig = {
  provider: 'mercadolibre',
  site: 'MLA',
  clientId: '1620218256833906',
  redirectUri: location.origin + '/',
  scope: ['offline_access', 'read'],
  keep: 'tab',
  ...(SANDBOX && {
    authorizationEndpoint: `${SANDBOX}/authorization`,
    tokenEndpoint: `${SANDBOX}/oauth/token`,
    resourceServers: [SANDBOX],
  }),
}
