// For its size alone.
import { PublicClientApplication } from '@azure/msal-browser'
import { clientId, provider, redirectUri, scope } from './config.js'

const application = new PublicClientApplication({ auth: { clientId, authority: provider, redirectUri } })
const scopes = scope.split(' ')
let account

export const answer = async () => {
  await application.initialize()
  const result = await application.handleRedirectPromise()
  account = result?.account ?? null
  return account
}
export const logIn = () => application.loginRedirect({ scopes })
export const call = async url => {
  const { accessToken } = await application.acquireTokenSilent({ account, scopes })
  return fetch(url, { headers: { authorization: `Bearer ${accessToken}` } })
}
