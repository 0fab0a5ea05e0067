import init from './oauth-wasm-yew.js'

init()
