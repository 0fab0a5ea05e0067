import { OAuth2Client, OAuth2Fetch, generateCodeVerifier } from '@badgateway/oauth2-client'
import { clientId, provider, redirectUri, scope } from './config.js'

const client = new OAuth2Client({
  server: provider,
  clientId,
  authorizationEndpoint: '/authorization',
  tokenEndpoint: '/oauth/token',
})
let token
const wrapper = new OAuth2Fetch({ client, getNewToken: () => token })

export const answer = async () => {
  const stored = sessionStorage.getItem('login')
  if (!stored || !new URLSearchParams(location.search).has('state')) return null
  const { state, codeVerifier } = JSON.parse(stored)
  sessionStorage.removeItem('login')
  token = await client.authorizationCode.getTokenFromCodeRedirect(location.href, { redirectUri, state, codeVerifier })
  history.replaceState(history.state, '', redirectUri)
  return token
}

export const logIn = async () => {
  const codeVerifier = await generateCodeVerifier()
  const state = await generateCodeVerifier()
  sessionStorage.setItem('login', JSON.stringify({ state, codeVerifier }))
  location.assign(
    await client.authorizationCode.getAuthorizeUri({ redirectUri, state, codeVerifier, scope: scope.split(' ') }),
  )
}

export const call = url => wrapper.fetch(url)
