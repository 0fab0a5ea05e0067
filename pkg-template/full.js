// The same functions with everything they can do; the wasm in a file beside this module.

import { apart } from './apart.js'

const { href } = new URL('./full.wasm', import.meta.url)

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
} = apart(href, 'full.wasm')
