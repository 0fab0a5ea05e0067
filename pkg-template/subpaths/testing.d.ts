/**
 * The functions of `oauth-wasm` for the tests of an application: the same types, without wasm, network, storage or a
 * browser. What they answer is up to the test.
 *
 * ```ts
 * vi.mock('oauth-wasm', () => import('oauth-wasm/testing'))        // Vitest
 * jest.mock('oauth-wasm', () => require('oauth-wasm/testing'))     // Jest
 * ```
 *
 * @module
 */

import type {
  adoptToken as AdoptToken,
  debug as Debug,
  explain as Explain,
  fetchPrivate as FetchPrivate,
  handleRedirect as HandleRedirect,
  logout as Logout,
  onSessionChange as OnSessionChange,
  restore as Restore,
  scopesFor as ScopesFor,
  session as CurrentSession,
  startLogin as StartLogin,
  userinfo as Userinfo,
  OAuthError as LibraryError,
  OAuthErrorCode,
  Session,
  SessionChange,
} from './oauth-wasm.js'

export type * from './oauth-wasm.js'

export declare const adoptToken: typeof AdoptToken
export declare const debug: typeof Debug
export declare const explain: typeof Explain
export declare const fetchPrivate: typeof FetchPrivate
export declare const handleRedirect: typeof HandleRedirect
export declare const logout: typeof Logout
export declare const onSessionChange: typeof OnSessionChange
export declare const restore: typeof Restore
export declare const scopesFor: typeof ScopesFor
export declare const session: typeof CurrentSession
export declare const startLogin: typeof StartLogin
export declare const userinfo: typeof Userinfo

/** Members of an error beside its code. */
export type ErrorMembers = Partial<Omit<LibraryError, 'name' | 'code' | 'stack'>>

/** An error as the library makes it: with the message, remedy and `retryable` of its code. */
export declare class OAuthError extends Error {
  constructor(code: OAuthErrorCode, more?: ErrorMembers)
  readonly name: 'OAuthError'
  readonly code: OAuthErrorCode
  readonly remedy: string
  readonly retryable: boolean
}
export interface OAuthError extends LibraryError {}

/** Whether a caught value is an error of the library. */
export declare function isOAuthError(value: unknown): value is OAuthError

/** The functions that a test can answer or let fail. */
export interface TestFunctions {
  adoptToken: typeof AdoptToken
  explain: typeof Explain
  fetchPrivate: typeof FetchPrivate
  handleRedirect: typeof HandleRedirect
  logout: typeof Logout
  restore: typeof Restore
  scopesFor: typeof ScopesFor
  session: typeof CurrentSession
  startLogin: typeof StartLogin
  userinfo: typeof Userinfo
}

/** A call of `fetchPrivate`. Header names are in lower case. */
export interface TestCall {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
  readonly signal: AbortSignal | undefined
}

/** A `Response`, or a value that becomes the JSON of a 200; `undefined` becomes a 204. A string becomes plain text. */
export type TestAnswer = unknown | ((call: TestCall) => unknown)

export interface TestOptions {
  /** Who is logged in already; what you leave out has a usual value. Default: nobody. */
  session?: Partial<Session> | null
  /** Who comes back from the provider: the first `handleRedirect()` resolves with this session. */
  redirect?: Partial<Session>
  /** Answers to `fetchPrivate`, by pattern (see `TestControls.answer`). */
  answers?: { readonly [pattern: string]: TestAnswer }
}

export interface TestControls {
  /** Forgets everything, calls and listeners too; call it in `beforeEach`. */
  reset(options?: TestOptions): void
  /** Says who is logged in, without an event; `null` is nobody. */
  session(session: Partial<Session> | null): void
  /** The next `handleRedirect()` resolves with this session, as when the user comes back from the provider. */
  redirect(session: Partial<Session>): void
  /**
   * Answers calls of `fetchPrivate`: `'https://api.example/me'`, `'POST https://api.example/items'`,
   * `'https://api.example/*'`, or a RegExp over the URL. The newest pattern that fits counts.
   */
  answer(pattern: string | RegExp, answer: TestAnswer): void
  /** Lets the next call of a function reject, with the library's error of that code or with any value. */
  fail(name: keyof TestFunctions, code: OAuthErrorCode, more?: ErrorMembers): void
  fail(name: keyof TestFunctions, reason: Error): void
  /** Puts a function of your own in the place of one, until `reset`. */
  on<N extends keyof TestFunctions>(name: N, answer: TestFunctions[N]): void
  /** Tells the listeners of `onSessionChange`, and changes the session accordingly. */
  emit(change: SessionChange['type'] | (Partial<Omit<SessionChange, 'session'>> & Pick<SessionChange, 'type'> & { session?: Partial<Session> | null })): void
  /** What was called, oldest first. */
  calls: { readonly name: string; readonly args: readonly unknown[] }[]
  /** The arguments of every call of one function. */
  called(name: string): (readonly unknown[])[]
}

/** Controls the functions of this module. */
export declare const mock: TestControls

/** An answer of the API with a status and headers, where `Response` is missing too. */
export declare function reply(status: number, body?: unknown, headers?: Readonly<Record<string, string>>): Response

/** The functions, and their controls, apart from those of this module: for `<OAuthProvider client={…}>`. */
export declare function createTestLibrary(options?: TestOptions): TestFunctions & {
  onSessionChange: typeof OnSessionChange
  OAuthError: typeof OAuthError
  isOAuthError: typeof isOAuthError
  mock: TestControls
}
