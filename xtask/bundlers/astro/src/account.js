import { handleRedirect, logout, onSessionChange, restore, session, startLogin } from 'oauth-wasm'

const button = document.querySelector('#account')

const show = now => {
  button.textContent = now ? 'Log out' : 'Log in'
  button.hidden = false
}

const login = () =>
  startLogin({
    provider: 'mercadolibre',
    site: 'MLB',
    clientId: '1620218256833906',
    redirectUri: location.origin + '/',
    scope: ['offline_access', 'read'],
    keep: 'tab',
  })

button.addEventListener('click', async () => ((await session()) ? logout() : login()))
onSessionChange(change => show(change.session))
show((await handleRedirect()) ?? (await restore()))
