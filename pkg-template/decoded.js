// The wasm that stands in this module as base64.

import wasm from '#wasm'

export const decoded = () => Promise.resolve(wasm)
