// The wasm inside this module: nothing to serve beside it, one round trip less.

import { library } from './entry.js'
import { decoded } from './decoded.js'

export const { startLogin, handleRedirect, fetchPrivate, session, logout } = library(decoded)
