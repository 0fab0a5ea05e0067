// The wasm in a file beside this module.

import { library } from './entry.js'
import files from '#providers-apart'
import { header, readAll, status, then } from '../src/browser/natives.js'

const { Promise, fetch } = globalThis
const { href } = new URL('./oauth-wasm.wasm', import.meta.url)
const LIMIT = 1 << 20

const bytes = (done, failed) =>
  then(
    fetch(href),
    response => {
      const type = header(response, 'content-type') || 'no content type'
      const found = 'oauth-wasm.wasm answered ' + status(response) + ', ' + type
      if (status(response) !== 200) return failed(found)
      const check = wasm => {
        // A single-page server answers every path with its HTML; \0asm is what a module begins with.
        const isWasm = wasm[0] === 0 && wasm[1] === 97 && wasm[2] === 115 && wasm[3] === 109
        isWasm ? done(wasm) : failed(found + ', and is not WebAssembly')
      }
      readAll(response, LIMIT, check, () => failed('oauth-wasm.wasm was cut off'))
    },
    () => failed('oauth-wasm.wasm could not be fetched: offline, or blocked by connect-src'),
  )

// The text of a provider's file; its module has nothing else.
const providers = files(
  module => new Promise((resolve, reject) => then(module, ({ text }) => resolve(text), reject)),
)

export const { adoptToken, explain, fetchPrivate, handleRedirect, logout, scopesFor, session, startLogin } = library(bytes, providers)
