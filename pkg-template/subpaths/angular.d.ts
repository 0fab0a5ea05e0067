/**
 * `oauth-wasm` in Angular 19 and newer, as signals; with zone.js and without.
 *
 * @module
 */

import type { HttpInterceptorFn } from '@angular/common/http'
import type { EnvironmentProviders, InjectionToken, Signal } from '@angular/core'
import type { ActivatedRouteSnapshot, RouterStateSnapshot } from '@angular/router'
import type { fetchPrivate, LoginConfig } from './oauth-wasm.js'
import type { Login, Logout, OAuthLibrary, OAuthOptions, OAuthState } from './store.js'

export type { Login, Logout, OAuthLibrary, OAuthOptions, OAuthState }

/** What a view knows of the session, as signals. */
export type OAuthSignals = { readonly [Name in keyof OAuthState]: Signal<OAuthState[Name]> }

export interface OAuth extends OAuthSignals {
  /** Resolves when it is known whether anybody is logged in. */
  readonly ready: Promise<void>
  readonly login: Login
  readonly logout: Logout
  /** Sends whoever is not logged in to log in, from now on until what it returns is called. */
  requireLogin(more?: Partial<LoginConfig>): () => void
  readonly fetchPrivate: typeof fetchPrivate
}

/** `inject(OAuth)`: the session as signals, login and logout. */
export declare const OAuth: InjectionToken<OAuth>

/**
 * In the application's providers, before `provideRouter`. Answers the redirect, restores the session, and goes by the
 * application's router to the page that the user wanted.
 */
export declare function provideOAuth(
  settings: OAuthOptions & { client?: OAuthLibrary & { fetchPrivate?: typeof fetchPrivate } },
): EnvironmentProviders

/**
 * For `canActivate` and `canActivateChild`: lets users pass, and sends others to log in and back to the route; not after
 * a failure, a logout, or the browser's Back, when it only refuses.
 */
export declare function oauthGuard(route: ActivatedRouteSnapshot, state: RouterStateSnapshot): Promise<boolean>

/**
 * `provideHttpClient(withInterceptors([oauthInterceptor('https://api.example')]))`: requests below these addresses go by
 * `fetchPrivate`, others as ever. An error of the library is the `error` of an `HttpErrorResponse` with status 0.
 */
export declare function oauthInterceptor(...servers: readonly string[]): HttpInterceptorFn
