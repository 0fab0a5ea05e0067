// The wasm inside this module: nothing to serve beside it, one round trip less.

import { library } from './entry.js'
import { decoded } from './decoded.js'
import providers from '#providers-inside'

export const { adoptToken, explain, fetchPrivate, handleRedirect, logout, onSessionChange, restore, scopesFor, session, startLogin, userinfo } = library(decoded, providers)
