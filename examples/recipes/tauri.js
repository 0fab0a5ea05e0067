import { getCurrent, onOpenUrl } from '@tauri-apps/plugin-deep-link'
import { openUrl } from '@tauri-apps/plugin-opener'
import { logInBySystemBrowser } from './native.js'

/** @param {import('oauth-wasm').LoginConfig} config */
export const logIn = config =>
  logInBySystemBrowser(config, {
    open: url => openUrl(url),
    onUrl: listener => {
      const added = onOpenUrl(urls => urls.forEach(url => listener(url)))
      return async () => (await added)()
    },
  })

/** Where the system had ended the application meanwhile: when it starts. */
export const startedBy = async () => (await getCurrent())?.[0]
