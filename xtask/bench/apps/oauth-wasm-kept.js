// As the first page of the README: the session outlives a reload.
import { fetchPrivate, handleRedirect, restore, startLogin } from 'oauth-wasm'
import { login } from './oauth-wasm-login.js'

export const answer = async () => (await handleRedirect()) ?? (await restore())
export const logIn = () => startLogin({ ...login, keep: 'tab' })
export const call = url => fetchPrivate(url)
