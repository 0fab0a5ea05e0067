// Your application, as it is registered at the provider; the same for every example here.

/** Where `cargo xtask demo` says its sandbox is; without it, Mercado Libre in Argentina itself. */
const sandbox = import.meta.env.VITE_SANDBOX

export const api = sandbox ?? 'https://api.mercadolibre.com'

export const login = {
  provider: 'mercadolibre',
  site: 'MLA',
  clientId: '1620218256833906',
  redirectUri: location.origin + '/',
  scope: ['offline_access', 'read'],
  keep: 'tab',
  ...(sandbox && {
    authorizationEndpoint: `${sandbox}/authorization`,
    tokenEndpoint: `${sandbox}/oauth/token`,
    resourceServers: [sandbox],
  }),
}
