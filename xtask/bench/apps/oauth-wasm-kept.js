// As the first page of the README: the session outlives a reload.
import { fetchPrivate, handleRedirect, restore, startLogin } from 'oauth-wasm'
import { clientId, provider, redirectUri, scope } from './config.js'

export const answer = async () => (await handleRedirect()) ?? (await restore())
export const logIn = () =>
  startLogin({
    authorizationEndpoint: `${provider}/authorization`,
    tokenEndpoint: `${provider}/oauth/token`,
    resourceServers: [provider],
    clientId,
    redirectUri,
    scope: scope.split(' '),
    keep: 'tab',
  })
export const call = url => fetchPrivate(url)
