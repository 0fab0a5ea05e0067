import { Auth0Client } from '@auth0/auth0-spa-js'
import { clientId, provider, redirectUri, scope } from './config.js'

const client = new Auth0Client({ domain: provider, clientId, authorizationParams: { redirect_uri: redirectUri, scope } })
const fetcher = client.createFetcher()

export const answer = async () => {
  if (new URLSearchParams(location.search).has('state')) {
    await client.handleRedirectCallback()
    history.replaceState(history.state, '', redirectUri)
  }
  return (await client.getUser()) ?? null
}

export const logIn = () => client.loginWithRedirect()

export const call = url => fetcher.fetchWithAuth(url)
