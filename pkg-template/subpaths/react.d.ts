/**
 * `oauth-wasm` in React 18 and 19: rendered on a server the session is `undefined`; StrictMode is fine.
 *
 * @module
 */

import type { ReactNode } from 'react'
import type { LoginConfig } from './oauth-wasm.js'
import type { Login, Logout, OAuthLibrary, OAuthOptions, OAuthState } from './store.js'

export type { Login, Logout, OAuthLibrary, OAuthOptions, OAuthState }

export interface OAuthProviderProps extends OAuthOptions {
  children?: ReactNode
  /** In the place of `oauth-wasm`: a vault, or `createTestLibrary()` of `oauth-wasm/testing`. */
  client?: OAuthLibrary
}

/** Answers the redirect, restores the session, and gives both to what is inside. */
export declare function OAuthProvider(props: OAuthProviderProps): ReactNode

/** The session, whether it is known yet, and what went wrong. */
export declare function useSession(): OAuthState

/** Logs in and out. */
export declare function useLogin(): { login: Login; logout: Logout } & Pick<OAuthState, 'busy' | 'error'>

export interface ProtectedProps {
  children?: ReactNode
  /** What is shown instead of `children`. Default: nothing while it loads or leaves, a button "Log in" otherwise. */
  fallback?: ReactNode | ((state: OAuthState & { login: Login }) => ReactNode)
  /** What the login of this part asks for beside what the provider was told. */
  login?: Partial<LoginConfig>
}

/**
 * Shows `children` to users who are logged in, and sends others to log in and back to this page: not after a failure, a
 * logout, or the browser's Back, where `fallback` has to offer it.
 */
export declare function Protected(props: ProtectedProps): ReactNode
