// A whole login in three calls.
import { startLogin, handleRedirect, fetchPrivate }
  from '/pkg/oauth-wasm.js'

export const redirectUri = location.origin + '/'

// 1. Off to the provider: this leaves the page.
export const logIn = choices =>
  startLogin({
    provider: 'mercadolibre',
    redirectUri,
    ...choices, // clientId, site, scope
  })

// 2. Back again: who it is and until when.
//    No token. On any other visit, null.
export const comeBack = () => handleRedirect()

// 3. fetch, with the token: to the provider's
//    API and nowhere else, renewed in time.
export const getUser = (api, id) =>
  fetchPrivate(`${api}/users/${id}`)
