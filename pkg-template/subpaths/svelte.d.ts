/**
 * `oauth-wasm` in Svelte 4 and 5, as stores: rendered on a server `$session` is `undefined`.
 *
 * @module
 */

import type { Readable } from 'svelte/store'
import type { LoginConfig } from './oauth-wasm.js'
import type { Login, Logout, OAuthLibrary, OAuthOptions, OAuthState } from './store.js'

export type { Login, Logout, OAuthLibrary, OAuthOptions, OAuthState }

export type OAuthStores = { readonly [Name in keyof OAuthState]: Readable<OAuthState[Name]> }

export interface OAuth extends OAuthStores {
  login: Login
  logout: Logout
  /**
   * For a page of users only: `onMount(() => requireLogin())` sends others to log in and back to this page, not after a
   * failure, a logout, or the browser's Back.
   */
  requireLogin(more?: Partial<LoginConfig>): () => void
}

/** Make one for the application, in a module. It answers the redirect and restores the session when a view reads it. */
export declare function createOAuth(options: OAuthOptions & { client?: OAuthLibrary }): OAuth
