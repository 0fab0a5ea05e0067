import { logInBySystemBrowser } from './native.js'

const { open, onUrl, startedBy } = window.system // of electron-preload.cjs

/** @param {import('oauth-wasm').LoginConfig} config */
export const logIn = config => logInBySystemBrowser(config, { open, onUrl })
export { startedBy }
