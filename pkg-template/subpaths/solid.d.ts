/**
 * `oauth-wasm` in Solid: rendered on a server the session is `undefined`.
 *
 * @module
 */

import type { JSX } from 'solid-js'
import type { LoginConfig } from './oauth-wasm.js'
import type { Login, Logout, OAuthLibrary, OAuthOptions, OAuthState } from './store.js'

export type { Login, Logout, OAuthLibrary, OAuthOptions, OAuthState }

export interface OAuthProviderProps extends OAuthOptions {
  children?: JSX.Element
  /** In the place of `oauth-wasm`: a vault, or `createTestLibrary()` of `oauth-wasm/testing`. */
  client?: OAuthLibrary
}

/** Answers the redirect, restores the session, and gives both to what is inside. */
export declare function OAuthProvider(props: OAuthProviderProps): JSX.Element

/** The session, whether it is known yet, and what went wrong. Its members are reactive: do not take it apart. */
export declare function useSession(): OAuthState

/** Logs in and out. */
export declare function useLogin(): { readonly login: Login; readonly logout: Logout } & Pick<OAuthState, 'busy' | 'error'>

export interface ProtectedProps {
  children?: JSX.Element
  /** What is shown instead of `children`: an element, or a component that is given the state and `login`. */
  fallback?: JSX.Element | ((state: OAuthState & { readonly login: Login }) => JSX.Element)
  /** What the login of this part asks for beside what the provider was told. */
  login?: Partial<LoginConfig>
}

/**
 * Shows `children` to users who are logged in, and sends others to log in and back to this page: not after a failure, a
 * logout, or the browser's Back, where `fallback` has to offer it.
 */
export declare function Protected(props: ProtectedProps): JSX.Element
