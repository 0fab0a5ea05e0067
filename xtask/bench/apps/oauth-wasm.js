import { fetchPrivate, handleRedirect, startLogin } from 'oauth-wasm'
import { login } from './oauth-wasm-login.js'

export const answer = () => handleRedirect()
export const logIn = () => startLogin(login)
export const call = url => fetchPrivate(url)
