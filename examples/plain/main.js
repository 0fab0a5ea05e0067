import { fetchPrivate, handleRedirect, logout, restore, startLogin } from 'oauth-wasm'

const login = {
  provider: 'mercadolibre',
  site: 'MLB', // the country: Brazil
  clientId: '1620218256833906',
  redirectUri: location.origin + '/', // as registered at the provider
  keep: 'tab', // the session outlives a reload
}

const session = (await handleRedirect()) ?? (await restore()) // null: nobody is logged in

const logIn = document.querySelector('#log-in')
logIn.hidden = session !== null
logIn.onclick = () => startLogin(login) // leaves the page, and comes back to it

const logOut = document.querySelector('#log-out')
logOut.hidden = session === null
logOut.onclick = () => logout().then(() => location.reload())

if (session) {
  const response = await fetchPrivate('https://api.mercadolibre.com/users/me') // fetch, with the token
  document.querySelector('#user').textContent = (await response.json()).nickname
}
