import { createOAuth } from 'oauth-wasm/vue'

/** A function: `location` is not there when the server renders. */
const login = () => ({
  provider: 'mercadolibre',
  site: 'MLB',
  clientId: '1620218256833906',
  redirectUri: location.origin + '/',
  scope: ['offline_access', 'read'],
  keep: 'tab',
})

export default defineNuxtPlugin(nuxt => {
  const navigate = to => nuxt.runWithContext(() => navigateTo(to, { replace: true }))
  nuxt.vueApp.use(createOAuth({ login, navigate }))
})
