// It has no call of its own: the token goes into a header by hand, as its documentation shows.
import { UserManager } from 'oidc-client-ts'
import { clientId, provider, redirectUri, scope } from './config.js'

const manager = new UserManager({
  authority: provider,
  metadata: {
    issuer: provider,
    authorization_endpoint: `${provider}/authorization`,
    token_endpoint: `${provider}/oauth/token`,
  },
  client_id: clientId,
  redirect_uri: redirectUri,
  scope,
})

export const answer = async () => {
  if (!new URLSearchParams(location.search).has('state')) return manager.getUser()
  const user = await manager.signinRedirectCallback()
  history.replaceState(history.state, '', redirectUri)
  return user
}

export const logIn = () => manager.signinRedirect()

export const call = async url => {
  const user = await manager.getUser()
  return fetch(url, { headers: { authorization: `Bearer ${user.access_token}` } })
}
