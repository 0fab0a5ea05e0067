import { handleRedirect, startLogin } from 'oauth-wasm'

/**
 * A login in the system's browser, for Capacitor, Tauri and Electron. `open(url)` opens it there; `onUrl(listener)` hears of the
 * addresses by which the system opens the application, and gives what stops it.
 * @param {import('oauth-wasm').LoginConfig} config
 * @param {{ open: (url: string) => void | Promise<void>, onUrl: (listener: (url: string) => void) => () => void }} system
 * @returns {Promise<import('oauth-wasm').Session>}
 */
export const logInBySystemBrowser = (config, { open, onUrl }) =>
  new Promise((resolve, reject) => {
    const over = settle => value => (stop(), settle(value))
    const stop = onUrl(url => handleRedirect(url).then(
      session => session && over(resolve)(session),
      error => error.code === 'redirect_uri_mismatch' || over(reject)(error), // another part of the application's
    ))
    startLogin({ ...config, keepPending: true, navigate: open }).catch(over(reject))
  })
