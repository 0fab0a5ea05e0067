import { fetchPrivate, handleRedirect, startLogin } from 'oauth-wasm'
import { clientId, provider, redirectUri, scope } from './config.js'

export const answer = () => handleRedirect()
export const logIn = () =>
  startLogin({
    authorizationEndpoint: `${provider}/authorization`,
    tokenEndpoint: `${provider}/oauth/token`,
    resourceServers: [provider],
    clientId,
    redirectUri,
    scope: scope.split(' '),
  })
export const call = url => fetchPrivate(url)
