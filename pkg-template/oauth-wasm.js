// What every application needs; the wasm in a file beside this module.

import { apart } from './apart.js'

const { href } = new URL('./oauth-wasm.wasm', import.meta.url)

export const {
  adoptToken,
  explain,
  fetchPrivate,
  handleRedirect,
  logout,
  onSessionChange,
  restore,
  scopesFor,
  session,
  startLogin,
  userinfo,
} = apart(href, 'oauth-wasm.wasm')
