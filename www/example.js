// A whole login in three calls. The README shows this file; the console page runs it.
import { startLogin, handleRedirect, fetchPrivate } from '/pkg/oauth-wasm.js'

// 1. Send the user to the provider: this leaves the page.
export const logIn = choices =>
  startLogin({ provider: 'mercadolibre', redirectUri: location.origin + '/', ...choices })

// 2. Back again: what is known of the session, or null on a page that is no way back. No token in it.
export const comeBack = () => handleRedirect()

// 3. fetch, with the token: to the provider's API only, renewed when it has expired.
export const getUser = (api, id) => fetchPrivate(`${api}/users/${id}`)
