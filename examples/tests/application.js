// A piece of an application, as it would be anywhere: it imports the library by its name.

import { explain, fetchPrivate, handleRedirect, restore, startLogin } from 'oauth-wasm'

const API = 'https://api.example'

export const begin = async () => (await handleRedirect()) ?? (await restore())

export const nickname = async () => {
  const response = await fetchPrivate(`${API}/users/me`)
  if (!response.ok) throw await explain(response)
  return (await response.json()).nickname
}

export const publish = item =>
  fetchPrivate(`${API}/items`, { method: 'post', headers: { 'X-Kind': 'new' }, body: JSON.stringify(item) })

export const logIn = () => startLogin({ clientId: 'app', redirectUri: 'https://app.example/', display: 'popup' })
