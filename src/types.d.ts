/** What went wrong. The list and what to do about each: docs/errors.md. */
export type OAuthErrorCode =
  | 'invalid_config'
  | 'unknown_provider'
  | 'unknown_site'
  | 'client_secret_refused'
  | 'unsupported_environment'
  | 'load_failed'
  | 'storage_blocked'
  | 'storage_full'
  | 'entropy_failure'
  | 'unknown_state'
  | 'state_mismatch'
  | 'login_expired'
  | 'duplicate_parameter'
  | 'invalid_authorization_response'
  | 'issuer_mismatch'
  | 'redirect_uri_mismatch'
  | 'access_denied'
  | 'authorization_error'
  | 'network_error'
  | 'timeout'
  | 'server_error'
  | 'rate_limited'
  | 'token_request_refused'
  | 'invalid_token_response'
  | 'response_too_large'
  | 'unsupported_token_type'
  | 'login_required'
  | 'session_ended'
  | 'undeclared_resource_server'
  | 'internal_error'
  | 'invalid_request'

/** Every failure of the library's own. Neither it nor its `stack` carries a token, code, verifier or state. */
export interface OAuthError extends Error {
  readonly name: 'OAuthError'
  readonly code: OAuthErrorCode
  /** What to do next. */
  readonly remedy: string
  /** Whether the same call may succeed later. */
  readonly retryable: boolean
  /** The server's own `error` (RFC 6749 sections 4.1.2.1 and 5.2), where it said one. */
  readonly error?: string
  /** The server's own `error_description`: text from outside, never to be shown as HTML. */
  readonly errorDescription?: string
  /** The server's own `error_uri`. */
  readonly errorUri?: string
  /** The HTTP status of the token endpoint, where it answered. */
  readonly status?: number
}

/** A value that JSON can carry. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** What `startLogin` is told. An unknown field is an error that names it. */
export interface LoginConfig {
  /** A preset, for example `mercadolibre`. Whatever it says can be said otherwise by the fields below. */
  provider?: 'mercadolibre' | (string & {})
  /** The provider's site, for example `MLB` for Brazil. */
  site?: string
  /** The application's id at the provider. There is no `clientSecret`: a page cannot keep one. */
  clientId: string
  /** Where the provider sends the user back; exactly as registered. https, loopback, or an app's own scheme. */
  redirectUri: string | URL
  /** The authorization server's issuer identifier, compared with `iss` (RFC 9207). */
  issuer?: string
  authorizationEndpoint?: string
  /** The token endpoint, or your own backend that adds a secret. */
  tokenEndpoint?: string
  /** Where tokens may go: origins, each perhaps with a path below which all belongs to it. */
  resourceServers?: readonly string[]
  /**
   * `code` (default) or `token`, the implicit grant, which RFC 9700 advises against: its token passes through the
   * address bar, and the browser keeps the page's first address readable to scripts (performance entries).
   */
  responseType?: 'code' | 'token'
  /** `S256` (default); `plain` only for a server that cannot do better. */
  codeChallengeMethod?: 'S256' | 'plain'
  /** What to ask for. */
  scope?: readonly string[] | string
  /** Where to go afterwards: a path of this origin. Comes back in the session. */
  returnTo?: string
  /** Anything JSON can carry, kept in this tab (not sent anywhere). Comes back in the session. */
  appState?: Json
  /** More parameters of the authorization request; the protocol's own cannot be set here. */
  authorizationParameters?: Readonly<Record<string, string>>
  /** Seconds the user may take; 600 unless said otherwise. */
  pendingMaxAge?: number
  /** The provider leaves `token_type` out of its implicit response. */
  tokenTypeOptional?: boolean
  /** Allows a `redirectUri` on plain http: for development on a local network only. */
  allowHttp?: boolean
  /** Gets the URL instead of leaving the page: for webviews and tests. */
  navigate?: (url: string) => void | Promise<void>
}

/** What is known of a session. It never holds a token. */
export interface Session {
  readonly provider: string | null
  readonly site: string | null
  readonly clientId: string
  /** What was granted. */
  readonly scope: readonly string[]
  /** When the access token ends, in milliseconds since 1970 by this device's clock; null if the server did not say. */
  readonly expiresAt: number | null
  /** Whether it can be renewed without the user. */
  readonly renewable: boolean
  /** The provider's own members of the token response, for example `user_id`; none that ends in `_token` or `_secret`. */
  readonly extra: { readonly [name: string]: Json }
  readonly returnTo: string | null
  readonly appState: Json
}

/** `fetch`'s options, and one more. An `Authorization` header of your own is refused. */
export interface PrivateRequestInit extends RequestInit {
  /** Your word that sending it twice does no harm: it may then be sent again after a renewal, as a GET is. */
  idempotent?: boolean
}

/** Sends the user to the provider. Resolves when the page is being left, or when `navigate` has resolved. */
export function startLogin(config: LoginConfig): Promise<void>

/**
 * Answers the redirect that brought the user back, once however often it is called. `null` on every other page.
 * The address bar is clean when the call returns, before the promise resolves.
 */
export function handleRedirect(url?: string | URL): Promise<Session | null>

/**
 * `fetch` with the token of the session whose resource server the URL belongs to; renews an expired token first.
 * Resolves to the native Response, whatever its status. Unless you say otherwise: `redirect: "error"`,
 * `credentials: "omit"`, `referrerPolicy: "no-referrer"`.
 */
export function fetchPrivate(input: string | URL | Request, init?: PrivateRequestInit): Promise<Response>

/** What is known of the newest session, or `null`. */
export function session(): Promise<Session | null>

/** Forgets every session of this page and overwrites its tokens. */
export function logout(): Promise<void>
