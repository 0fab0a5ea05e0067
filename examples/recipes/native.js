import { handleRedirect, startLogin } from 'oauth-wasm'

/**
 * A login in the system's browser, for Capacitor, Tauri and Electron. `open(url)` opens it there; `onUrl(listener)` hears of the
 * addresses by which the system opens the application, and gives what stops it.
 */
export const logInBySystemBrowser = (config, { open, onUrl }) =>
  new Promise((resolve, reject) => {
    const stop = onUrl(url => handleRedirect(url).then(session => session && (stop(), resolve(session)), reject))
    startLogin({ ...config, keepPending: true, navigate: open }).catch(reject)
  })
