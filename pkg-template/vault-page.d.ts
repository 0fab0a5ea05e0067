import type { LoginConfig } from './oauth-wasm.js'

/** What a vault serves, and to whom. None of it can be said by an application. */
export interface VaultConfig {
  /** The origins of the applications, exactly: `https://app.example`. */
  applications: readonly string[]
  /** What `startLogin` is told. Default of `redirectUri`: this page; of `keep`: `tab`. `sessionScope` is always `origin`. */
  login: Omit<
    LoginConfig,
    'redirectUri' | 'sessionScope' | 'display' | 'displayTimeout' | 'signal' | 'navigate' | 'returnTo' | 'appState' | 'prompt' | 'allowFramed' | 'responseType'
  > & { redirectUri?: string | URL; sessionScope?: 'origin' }
  /**
   * What the applications may call: methods with commas between them, and a pattern of a URL, as in
   * `GET,POST https://api.example/items/{id}`. `{name}` is one segment of the path, a final `/*` everything below.
   */
  allow: readonly string[]
  /** Headers that they may set besides the usual ones of content, ranges and caches. */
  headers?: readonly string[]
  limits?: {
    /** Calls at once, in one tab. Default: 32 */
    concurrent?: number
    /** Calls in a minute, in this browser. Default: 600 */
    perMinute?: number
    /** Bytes of a request's body. Default: 10 MiB */
    bodyBytes?: number
  }
}

/** Makes this page a vault. Throws `invalid_config` where the configuration is wrong, and tells the applications so. */
export function serveVault(config: VaultConfig): void
