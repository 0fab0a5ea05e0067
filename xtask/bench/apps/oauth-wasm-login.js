// What the applications of oauth-wasm tell `startLogin`.
import { clientId, provider, redirectUri, scope } from './config.js'

export const login = {
  authorizationEndpoint: `${provider}/authorization`,
  tokenEndpoint: `${provider}/oauth/token`,
  resourceServers: [provider],
  clientId,
  redirectUri,
  scope: scope.split(' '),
}
