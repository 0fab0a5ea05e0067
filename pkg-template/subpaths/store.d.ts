import type { DebugEntry, LoginConfig, LogoutOptions, OAuthError, OAuthErrorCode, Session } from './oauth-wasm.js'

/** What a view knows of the session. */
export interface OAuthState {
  /** `undefined` until it is known (and on a server); then who is logged in, or `null`. */
  readonly session: Session | null | undefined
  /** Until it is known whether anybody is logged in. */
  readonly loading: boolean
  /** While a login or a logout is under way. */
  readonly busy: boolean
  /** What went wrong with the last login, its answer, or a logout: show `error.message`, or offer the login again. */
  readonly error: OAuthError | undefined
  /** Why there is no session any more: `logout`, or the code of the refusal. */
  readonly ended: 'logout' | OAuthErrorCode | undefined
}

/** The library itself, that of `oauth-wasm/testing`, or what `vault(address)` gives: what is said to it differs in a vault. */
export type OAuthLibrary = Pick<typeof import('./oauth-wasm.js'), 'handleRedirect' | 'onSessionChange' | 'restore' | 'session'> &
  Partial<Pick<typeof import('./oauth-wasm.js'), 'debug'>> & {
    startLogin(config: never): Promise<Session | void>
    logout(options?: never): Promise<void>
  }

export interface OAuthOptions {
  /** What every login is told, or a function that gives it when one begins. A vault has it in its own page: leave it out. */
  login?: LoginConfig | (() => LoginConfig)
  /** Goes to the page that the user wanted (`returnTo`) by your router. Default: `history.replaceState`, and `popstate`. */
  navigate?: (path: string) => unknown
  /** Hears of every error that lands in the state. */
  onError?: (error: OAuthError) => void
  /** Hears of every step of the library, for example `console.debug`; of a vault, of those on this side. */
  debug?: (entry: DebugEntry) => void
}

/**
 * Starts a login, with more than the provider of the view was told. Comes back to this page, unless `returnTo` says
 * otherwise. Never rejects: what goes wrong is `error`. Fits `onClick`.
 */
export type Login = (more?: Partial<LoginConfig> | Event | { type: string; target: unknown }) => Promise<Session | void>

/** Logs out. Never rejects: what goes wrong is `error`. */
export type Logout = (options?: LogoutOptions | Event | { type: string; target: unknown }) => Promise<void>
