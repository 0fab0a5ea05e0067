/**
 * `oauth-wasm` in Vue 3: rendered on a server the session is `undefined`.
 *
 * @module
 */

import type { App, ComputedRef, DefineComponent, SlotsType } from 'vue'
import type { LoginConfig } from './oauth-wasm.js'
import type { Login, Logout, OAuthLibrary, OAuthOptions, OAuthState } from './store.js'

export type { Login, Logout, OAuthLibrary, OAuthOptions, OAuthState }

/** What a view knows of the session, as refs. */
export type OAuthRefs = { readonly [Name in keyof OAuthState]: ComputedRef<OAuthState[Name]> }

export interface OAuth extends OAuthRefs {
  login: Login
  logout: Logout
  /** Sends whoever is not logged in to log in, from now on until what it returns is called. */
  requireLogin(more?: Partial<LoginConfig>): () => void
}

/**
 * A plugin: `app.use(createOAuth({ login }))`. It answers the redirect and restores the session;
 * make it before the router, so that the router never sees the response.
 */
export declare function createOAuth(
  options: OAuthOptions & { client?: OAuthLibrary },
): OAuth & { install(app: App): void }

/** The session, whether it is known yet, and what went wrong. */
export declare function useSession(): OAuthRefs

/** Logs in and out. */
export declare function useLogin(): { login: Login; logout: Logout } & Pick<OAuthRefs, 'busy' | 'error'>

/**
 * Shows its default slot to users who are logged in, and sends others to log in and back to this page: not after a
 * failure, a logout, or the browser's Back, where the slot `fallback` has to offer it (default: a button "Log in").
 */
export declare const Protected: DefineComponent<
  { login?: Partial<LoginConfig> },
  {},
  {},
  {},
  {},
  {},
  {},
  {},
  string,
  {},
  {},
  {},
  SlotsType<{ default: {}; fallback: Omit<OAuthState, 'session'> & { login: Login } }>
>
