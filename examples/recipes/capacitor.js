import { App } from '@capacitor/app'
import { Browser } from '@capacitor/browser'
import { logInBySystemBrowser } from './native.js'

/** @param {import('oauth-wasm').LoginConfig} config */
export const logIn = config =>
  logInBySystemBrowser(config, {
    open: url => Browser.open({ url }),
    onUrl: listener => {
      const added = App.addListener('appUrlOpen', ({ url }) => listener(url))
      return async () => {
        await (await added).remove()
        await Browser.close().catch(() => {}) // Android closes it by itself
      }
    },
  })

/** Where the system had ended the application meanwhile: when it starts. */
export const startedBy = async () => (await App.getLaunchUrl())?.url
