// What every project builds: two logins without leaving the page, one by a provider's name and one by endpoints.
import { fetchPrivate, handleRedirect, logout, startLogin } from 'oauth-wasm'

const asked = new URLSearchParams(location.search)
const harness = asked.get('harness')
const sandbox = asked.get('sandbox')

const post = (path, body) => fetch(harness + path, { method: 'POST', body })

/** The harness is the user: it opens the provider's page, allows, and comes back with the address. */
const user = async url => (await post('/user', url)).text()

const endpoints = {
  clientId: '1620218256833906',
  redirectUri: location.origin + '/',
  scope: ['read'],
  authorizationEndpoint: sandbox + '/authorization',
  tokenEndpoint: sandbox + '/oauth/token',
  resourceServers: [sandbox],
}

async function login(options) {
  let back
  await startLogin({ ...options, navigate: async url => { back = await user(url) } })
  await handleRedirect(back)
  const response = await fetchPrivate(sandbox + '/users/me')
  const { nickname } = await response.json()
  await logout()
  return nickname
}

async function all() {
  const shown = {}
  const logins = { endpoints, provider: { ...endpoints, provider: 'mercadolibre', site: 'MLB' } }
  for (const [name, options] of Object.entries(logins)) {
    shown[name] = await login(options).catch(error => `${error.code ?? error.name}: ${error.message}`)
  }
  await post('/shown', JSON.stringify(shown))
}

all()
