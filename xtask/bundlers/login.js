// What every project builds: two logins without leaving the page, one by a provider's name and one by endpoints.
import { fetchPrivate, handleRedirect, logout, startLogin } from 'oauth-wasm'

async function run() {
  const asked = new URLSearchParams(location.search)
  const harness = asked.get('harness')
  const sandbox = asked.get('sandbox')
  const post = (path, body) => fetch(harness + path, { method: 'POST', body })
  /** The harness is the user: it opens the provider's page, allows, and comes back with the address. */
  const user = async url => (await post('/user', url)).text()

  /** Where the page has a button, it follows the session. */
  const shows = async text => {
    const button = () => document.querySelector('button')
    while (button() && button().textContent !== text) await new Promise(resolve => setTimeout(resolve))
  }

  async function login(options) {
    let back
    await startLogin({ ...options, navigate: async url => { back = await user(url) } })
    await handleRedirect(back)
    const response = await fetchPrivate(sandbox + '/users/me')
    const { nickname } = await response.json()
    await shows('Log out')
    await logout()
    await shows('Log in')
    return nickname
  }

  const endpoints = {
    clientId: '1620218256833906',
    redirectUri: location.origin + '/',
    scope: ['read'],
    authorizationEndpoint: sandbox + '/authorization',
    tokenEndpoint: sandbox + '/oauth/token',
    resourceServers: [sandbox],
  }
  const shown = {}
  const logins = { endpoints, provider: { ...endpoints, provider: 'mercadolibre', site: 'MLB' } }
  for (const [name, options] of Object.entries(logins)) {
    shown[name] = await login(options).catch(error => `${error.code ?? error.name}: ${error.message}`)
  }
  await post('/shown', JSON.stringify(shown))
}

let once

/** Once, however often a framework shows its component. */
export const all = () => {
  once ??= run()
}
