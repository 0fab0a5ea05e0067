import type { Claims, DebugEntry, OAuthErrorCode, PrivateRequestInit, Session, SessionChange, Json } from './oauth-wasm.js'
import { OAuthError, isOAuthError } from './oauth-wasm.js'

/** As in `oauth-wasm`; `instanceof OAuthError` knows the errors of this module. */
export { OAuthError, isOAuthError }

/** What can go wrong between an application and its vault; the rest is what went wrong in the vault. */
export type VaultErrorCode =
  | OAuthErrorCode
  /** There is nobody at the address, it may not be framed, or it stopped answering. */
  | 'vault_unreachable'
  /** The vault's policy says no: to this origin, this call, this header. */
  | 'vault_refused'
  /** More calls, or more bytes, than the vault's limits allow. */
  | 'vault_limited'
  /** The vault and the application are of two versions that do not understand each other. */
  | 'vault_version'
  /** The browser keeps the vault's storage apart in pages of the application: they are of two sites. */
  | 'vault_partitioned'

export type VaultError = Omit<OAuthError, 'code'> & { readonly code: VaultErrorCode }

export interface VaultOptions {
  /** Seconds that the vault's page may take to load. Default: 10 */
  timeout?: number
}

/** What an application may say of a login; all the rest stands in the vault's page. */
export interface VaultLogin {
  /** Where to go afterwards: an address of this origin. Default: the address of this page. */
  returnTo?: string | URL
  /** Anything JSON can carry, kept in the vault. Comes back in the session. */
  appState?: Json
  prompt?: 'none' | 'login' | 'consent' | 'select_account'
  /** As an error's `ask` has it, by `startLogin({ ...error.ask })`: the vault asks for nothing else that is said here. */
  scope?: string | readonly string[]
  authorizationParameters?: Readonly<Record<string, string>>
  /** `page` (default) leaves for the vault and the provider. `popup` shows them in a window: call it while a click is handled. */
  display?: 'page' | 'popup'
  /** Seconds that a login in a popup may take. Default: 600 */
  displayTimeout?: number
  /** Gives a login in a popup up. */
  signal?: AbortSignal
  /** Gets the vault's URL instead of leaving the page. */
  navigate?: (url: string) => void | Promise<void>
}

export interface VaultLogout {
  /** Tells the provider to forget the tokens too. */
  revoke?: boolean
  /** Logs the user out at the provider, by way of the vault, and comes back to this page. */
  endSession?: boolean
  /** Gets the vault's URL of `endSession` instead of leaving the page. */
  navigate?: (url: string) => void | Promise<void>
}

/** The library's functions, over a vault. */
export interface Vault {
  OAuthError: typeof OAuthError
  isOAuthError: typeof isOAuthError
  startLogin(login: VaultLogin & { display: 'popup' }): Promise<Session>
  /** Leaves the page, and does not resolve where it does. */
  startLogin(login?: VaultLogin): Promise<void>
  /** The session of a login that has just come back to this page; rejects where it failed; `null` on every other page. */
  handleRedirect(): Promise<Session | null>
  /**
   * `fetch` by the vault, within its policy. The body of the request is sent whole, that of the response is streamed.
   * Redirects are errors.
   */
  fetchPrivate(input: string | URL | Request, init?: PrivateRequestInit): Promise<Response>
  /** What a refusal by the API means; `null` for an answer that is none, or did not come by `fetchPrivate` of this vault. */
  explain(response: Response): Promise<OAuthError | null>
  /** The minimal scope for these calls, by what the vault knows of the provider. */
  scopesFor(calls: readonly (string | URL | Request | { readonly method?: string; readonly url: string | URL })[]): Promise<string[]>
  session(): Promise<Session | null>
  restore(): Promise<Session | null>
  userinfo(): Promise<Claims>
  logout(options?: VaultLogout): Promise<void>
  /**
   * Calls `listener` at each step on this side from now on, for example `debug(console.debug)`; `debug()` ends it. `load`: the
   * frame was opened; `call`; `leave`: for the vault's page. A `code` may be one of a vault's. What the vault does for it
   * is told by `debug` of `oauth-wasm` in its own page.
   */
  debug(listener?: (entry: DebugEntry) => void): void
  onSessionChange(listener: (change: SessionChange) => void, options?: { signal?: AbortSignal }): () => void
}

/**
 * The functions of the vault at this address: a page of another origin of the same site (docs/vault.md). Throws
 * `invalid_config` where it can be none. Its frame is opened by the first function that is called.
 */
export function vault(address: string | URL, options?: VaultOptions): Vault
