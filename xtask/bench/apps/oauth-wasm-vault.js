import { vault } from 'oauth-wasm/vault'

const { fetchPrivate, handleRedirect, startLogin } = vault(VAULT)

export const answer = () => handleRedirect()
export const logIn = () => startLogin()
export const call = url => fetchPrivate(url)
