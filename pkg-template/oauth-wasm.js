// The wasm in a file beside this module.

import { library } from './entry.js'
import { header, responseBytes, status, then } from '../src/browser/natives.js'

const { Promise, fetch } = globalThis
const url = new URL('./oauth-wasm.wasm', import.meta.url)

const bytes = () =>
  new Promise((resolve, reject) =>
    then(
      fetch(url),
      response => {
        const type = header(response, 'content-type') || 'no content type'
        const found = 'oauth-wasm.wasm answered ' + status(response) + ', ' + type
        if (status(response) !== 200) return reject(found)
        then(
          responseBytes(response),
          buffer => {
            // A single-page server answers every path with its HTML; \0asm is what a module begins with.
            const isWasm = new DataView(buffer).getUint32(0) === 0x0061736d
            isWasm ? resolve(buffer) : reject(found + ', and is not WebAssembly')
          },
          () => reject('oauth-wasm.wasm was cut off'),
        )
      },
      () => reject('oauth-wasm.wasm could not be fetched (offline, or connect-src in the Content-Security-Policy)'),
    ),
  )

export const { startLogin, handleRedirect, fetchPrivate, session, logout } = library(bytes)
