// What examples/config.js says, in the words of oidc-client-ts.
import { api, login } from '../config.js'

export { api }

export const settings = {
  authority: new URL(login.authorizationEndpoint).origin,
  metadata: {
    issuer: new URL(login.authorizationEndpoint).origin,
    authorization_endpoint: login.authorizationEndpoint,
    token_endpoint: login.tokenEndpoint,
  },
  client_id: login.clientId,
  redirect_uri: login.redirectUri,
  scope: login.scope.join(' '),
  loadUserInfo: false,
}
