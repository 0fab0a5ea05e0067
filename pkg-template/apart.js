// The wasm in a file beside the module, and the providers' files too.

import { library } from './entry.js'
import files from '#providers-apart'
import { header, of, original, readAll, status, then } from '../src/browser/natives.js'

const { Response } = globalThis
const fetch = original('fetch')
const textOf = of(Response, 'text')
const LIMIT = 1 << 20

/** Fetches a file; `found` gets what came with a sentence about it, for a server may answer every path with its HTML. */
const get = (href, name, found, failed) =>
  then(
    fetch(href),
    response => {
      const type = header(response, 'content-type') || 'no content type'
      const what = name + ' answered ' + status(response) + ', ' + type
      if (status(response) !== 200) return failed(what)
      found(response, what)
    },
    () => failed(name + ' could not be fetched: offline, or blocked by connect-src'),
  )

const providers = files((href, name) => (done, failed) =>
  get(
    href,
    name,
    (response, what) => {
      const check = text =>
        text[0] === '{' && text[text.length - 1] === '}' ? done(text) : failed(what + ', and is no provider')
      then(textOf(response), check, () => failed(name + ' was cut off'))
    },
    failed,
  ),
)


/** The functions over the module at an address, and the providers. */
export const apart = (href, name) =>
  library(
    (done, failed) =>
      get(
        href,
        name,
        (response, what) => {
          const check = wasm => {
            // \0asm is what a module begins with.
            const isWasm = wasm[0] === 0 && wasm[1] === 97 && wasm[2] === 115 && wasm[3] === 109
            isWasm ? done(wasm) : failed(what + ', and is not WebAssembly')
          }
          readAll(response, LIMIT, check, () => failed(name + ' was cut off'))
        },
        failed,
      ),
    providers,
  )
