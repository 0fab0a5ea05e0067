import { goto } from '$app/navigation'
import { createOAuth } from 'oauth-wasm/svelte'

export const oauth = createOAuth({
  // A function: `location` is not there when the server renders.
  login: () => ({
    provider: 'mercadolibre',
    site: 'MLB',
    clientId: '1620218256833906',
    redirectUri: location.origin + '/',
    scope: ['offline_access', 'read'],
    keep: 'tab',
  }),
  navigate: to => goto(to, { replaceState: true }),
})
