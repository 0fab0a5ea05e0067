// After its examples/oauth.ts: state, PKCE, the record of the login in sessionStorage.
import * as oauth from 'oauth4webapi'
import { clientId, provider, redirectUri, scope } from './config.js'

const server = {
  issuer: provider,
  authorization_endpoint: `${provider}/authorization`,
  token_endpoint: `${provider}/oauth/token`,
}
const client = { client_id: clientId }
const insecure = { [oauth.allowInsecureRequests]: true }
let token

export const answer = async () => {
  const url = new URL(location.href)
  const stored = sessionStorage.getItem('login')
  if (!stored || !url.searchParams.has('state')) return null
  const { state, verifier } = JSON.parse(stored)
  sessionStorage.removeItem('login')
  history.replaceState(history.state, '', redirectUri)
  const parameters = oauth.validateAuthResponse(server, client, url, state)
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    oauth.None(),
    parameters,
    redirectUri,
    verifier,
    insecure,
  )
  token = await oauth.processAuthorizationCodeResponse(server, client, response)
  return token
}

export const logIn = async () => {
  const verifier = oauth.generateRandomCodeVerifier()
  const state = oauth.generateRandomState()
  const url = new URL(server.authorization_endpoint)
  const parameters = {
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    scope,
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  }
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  sessionStorage.setItem('login', JSON.stringify({ state, verifier }))
  location.assign(url)
}

export const call = url =>
  oauth.protectedResourceRequest(token.access_token, 'GET', new URL(url), undefined, undefined, insecure)
