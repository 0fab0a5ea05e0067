/** What went wrong. The list and what to do about each: docs/errors.md. */
export type OAuthErrorCode =
  | 'invalid_config'
  | 'unknown_provider'
  | 'unknown_site'
  | 'unknown_scope'
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
  | 'issuer_missing'
  | 'invalid_metadata'
  | 'redirect_uri_mismatch'
  | 'framed'
  | 'access_denied'
  | 'interaction_required'
  | 'third_party_cookies'
  | 'popup_blocked'
  | 'popup_closed'
  | 'login_abandoned'
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
  | 'session_indeterminate'
  | 'insufficient_scope'
  | 'insufficient_user_authentication'
  | 'request_refused'
  | 'undeclared_resource_server'
  | 'internal_error'
  | 'invalid_request'
  | 'invalid_id_token'
  | 'invalid_keys'
  | 'invalid_userinfo'
  | 'pushed_request_refused'
  | 'invalid_pushed_response'
  | 'token_not_bound'
  | 'nonce_unreadable'
  | 'crypto_unavailable'
  | 'key_lost'

/** Every failure of the library's own. Neither it nor its `stack` carries a token, code, verifier or state. */
export interface OAuthError extends Error {
  readonly name: 'OAuthError'
  /** Never changes once published. `message` begins with it: `login_required: nobody is logged in`. */
  readonly code: OAuthErrorCode
  /** What to do next: the provider's own advice in your `language` where its table has the error, else ours. */
  readonly remedy: string
  /** Whether the same call may succeed later. */
  readonly retryable: boolean
  /** The server's own `error` (RFC 6749 sections 4.1.2.1 and 5.2), where it said one. */
  readonly error?: string
  /** The server's own `error_description`: text from outside, never to be shown as HTML. */
  readonly errorDescription?: string
  /** The server's own `error_uri`. */
  readonly errorUri?: string
  /** The HTTP status, where a server answered. */
  readonly status?: number
  /** The scopes that were missing (`insufficient_scope`). */
  readonly scope?: readonly string[]
  /** The route of the provider's table that says so, for example `PUT /products/{product_id}`. */
  readonly route?: string
  /**
   * What the next login has to ask for: `startLogin({ ...config, ...error.ask })`. Absent where the last login asked
   * for it already, and asking again would go round in circles.
   */
  readonly ask?: Pick<LoginFields, 'scope' | 'authorizationParameters'>
  /** Seconds to wait, as the server says (`Retry-After`). */
  readonly retryAfter?: number
  readonly rateLimit?: RateLimit
}

/** The provider's limit of requests and their number so far, by its last response; null if it does not say. */
export interface RateLimit {
  readonly limit: number | null
  readonly usage: number | null
}

/** A value that JSON can carry. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** A text, or the same in several languages: `{ en: "..", es: "..", pt: ".." }`. */
export type Texts = string | { readonly [language: string]: string }

/** What is known of a provider: its endpoints, scopes, routes and errors. All fields are optional. */
export interface ProviderFields {
  /** The authorization server's issuer identifier, compared with `iss` (RFC 9207). Without endpoints, its metadata is fetched. */
  issuer?: string
  /**
   * Whether a refresh token may be sent again if the response to it was lost. `true`: yes, the provider accepts it twice.
   * `false`: never. Default: once, after the access token has expired.
   */
  refreshTokenReuse?: boolean
  /** Refuses a response without `iss` (RFC 9207). */
  issRequired?: boolean
  authorizationEndpoint?: string
  /** The token endpoint, or your own backend that adds a secret. */
  tokenEndpoint?: string
  /** Where `logout({ revoke: true })` revokes the tokens (RFC 7009). */
  revocationEndpoint?: string
  /** Where the server's public keys are (RFC 8414 `jwks_uri`). */
  jwksUri?: string
  /** The UserInfo endpoint (OpenID Connect Core section 5.3), for `userinfo()`. */
  userinfoEndpoint?: string
  /** Where authorization requests are posted to (RFC 9126). */
  pushedAuthorizationRequestEndpoint?: string
  /**
   * Posts the authorization request before the user leaves, so that its parameters are in no URL. Done anyway if the server's
   * metadata demands it. If the metadata only offers it, the default is a login without it, which saves a round trip.
   */
  pushedAuthorizationRequest?: boolean
  /** Where `logout({ endSession })` sends the user (OpenID Connect RP-Initiated Logout 1.0). */
  endSessionEndpoint?: string
  /**
   * The request of the provider's API that revokes a grant, for example
   * `{ method: "DELETE", url: "https://api.example/users/{user_id}/applications/{client_id}" }`. Names in braces are
   * `client_id` and members of the token response.
   */
  revocationRequest?: { readonly method: string; readonly url: string }
  /** Where tokens may go: origins, or origins with a path, which stands for everything below it. */
  resourceServers?: readonly string[]
  /** The provider's scopes, each with those it implies. A name that ends in `*` stands for all that begin so. What to ask for is `scope`. */
  scopes?: { readonly [scope: string]: { readonly implies?: readonly string[]; readonly about?: Texts } }
  /** The header that narrows the scope of one call: a list with commas. */
  scopeHeader?: string
  /**
   * Which scope a call needs. The first match counts. `path` is relative to the resource server and begins with a
   * slash; `{name}` is one segment, a final `/*` is everything below. `read` is for GET, HEAD and OPTIONS, `write` for
   * other methods: scopes with spaces between them (of `scopes`, where there are any), "" where none is needed, left
   * out where it is not known. With `holding` the row counts only for sessions that hold such a scope (a name that ends
   * in `*` stands for all that begin so).
   */
  routes?: readonly {
    readonly path: string
    readonly holding?: string
    readonly read?: string
    readonly write?: string
  }[]
  /**
   * What the provider's errors mean. The first match counts: `error` (or one of `also`) is what the body says as
   * `error` or `code`, or a word of plain text; `status` is the HTTP status; `says` is a part of its description. A row with
   * `error: "insufficient_scope"` is also for the library's own, found before anything is sent; `says` is then a part of
   * the scopes and the route.
   */
  errors?: readonly {
    readonly error?: string
    readonly also?: readonly string[]
    readonly status?: number
    readonly says?: string
    /** What happened. */
    readonly message: Texts
    /** What to do. */
    readonly remedy: Texts
  }[]
  /** The API's response headers with its limit of requests, and with their number so far. */
  limitHeader?: string
  usageHeader?: string
  /** `S256` (default); `plain` only for a server that cannot do better. */
  codeChallengeMethod?: 'S256' | 'plain'
  /** More parameters of the authorization request; the protocol's own cannot be set here. */
  authorizationParameters?: Readonly<Record<string, string>>
  /** The provider's responses lack `token_type`; its tokens are bearer tokens. */
  tokenTypeOptional?: boolean
  /**
   * Members of the token response that `session.extra` shows although their names sound like secrets (`invite_token`,
   * `deviceToken`). A token, code or secret of this session is shown under no name; the tokens of RFC 6749 cannot be listed.
   */
  extraMembers?: readonly string[]
  /** Also accepts the old fragment that is JSON (`#{"authorization_info":..}`); `state` is then in the query. */
  jsonFragment?: boolean
}

/** A provider's file, as `oauth-wasm/providers/*` have it. Yours may stand in `provider` instead of a name. */
export interface Provider extends ProviderFields {
  name?: string
  /** For people: title, documentation, notes. */
  about?: Json
  /** Fields that differ by `site`. */
  sites?: { readonly [site: string]: ProviderFields & { readonly about?: Json } }
}

/** The providers that the package knows. */
export type ProviderName = 'appfigures' | 'mercadolibre' | 'mercadopago'

/** Mercado Libre's countries, and `CBT` for Global Selling. */
export type MercadoLibreSite =
  | 'MLA' | 'MLB' | 'MLM' | 'MLC' | 'MCO' | 'MLU' | 'MPE' | 'MLV' | 'MEC' | 'MBO' | 'MPY' | 'MPA' | 'MRD'
  | 'MCR' | 'MGT' | 'MHN' | 'MNI' | 'MSV' | 'CBT'

/** A provider by name, or your own; every other field of the configuration overrides what it says. */
export type KnownProvider =
  | {
      provider: 'mercadolibre'
      /** The country, for example `MLB` for Brazil. */
      site: MercadoLibreSite
    }
  | {
      /** A provider by name, or an object with what your own says. */
      provider: Exclude<ProviderName, 'mercadolibre'> | Provider
      /** The provider's site, where it has several. */
      site?: string
    }

/** A provider by its addresses: its issuer, whose metadata has the endpoints, or the endpoints themselves. */
export type ProviderByAddress = { provider?: undefined; site?: undefined } & (
  | { issuer: string }
  | { authorizationEndpoint: string }
)

/**
 * What `startLogin` is told. An unknown field is an error that names it, and the nearest one. TypeScript widens what an object literal
 * of its own says; `const login = { .. } satisfies LoginConfig` keeps it, and with it what `display` makes of the result.
 */
export type LoginConfig = LoginFields & (KnownProvider | ProviderByAddress)

/** The fields of a configuration beside the provider. */
export interface LoginFields extends ProviderFields {
  /** The application's id at the provider. There is no `clientSecret`: a page cannot keep one. */
  clientId: string
  /** Where the provider sends the user back; exactly as registered. https, loopback, or an app's own scheme. */
  redirectUri: string | URL
  /** The language of what a provider's errors mean: `en` (default), `es`, `pt`, or what your own file has. */
  language?: 'en' | 'es' | 'pt' | (string & {})
  /**
   * `code` (default) or `token`, the implicit grant, which RFC 9700 advises against: its token passes through the
   * address bar, and the browser keeps the page's first address readable to scripts (performance entries).
   */
  responseType?: 'code' | 'token' | 'id_token token'
  /**
   * Checks the signature of every ID Token (RS, PS and ES with 256, 384 or 512, EdDSA) by the keys of `jwksUri`. One that came through the
   * address bar is checked always; one of the token endpoint comes over TLS, and a signature adds little to that.
   */
  verifyIdToken?: boolean
  /** Other audiences that an ID Token may have in `aud` without `azp`; some providers add themselves. */
  trustedAudiences?: readonly string[]
  /** Binds the tokens to a key that no script can read (RFC 9449); a server that gives others is refused. */
  dpop?: boolean
  /** The resources that the tokens are for (RFC 8707): absolute URIs. */
  resource?: string | readonly string[]
  /** Permissions in detail (RFC 9396). What was granted is in `session.extra.authorization_details`. */
  authorizationDetails?: readonly { readonly type: string; readonly [name: string]: Json }[]
  /** The scopes to ask for. One that another implies is left out of the request. */
  scope?: readonly string[] | string
  /** Where to go after the login: a path of this origin. Returned in the session. */
  returnTo?: string
  /**
   * Any JSON, stored in this tab and sent nowhere: up to some 20,000 values, 250 levels, and no half of a surrogate pair.
   * Returned in the session.
   */
  appState?: Json
  /** Seconds that a login may take. Default: 600. */
  pendingMaxAge?: number
  /** Allows a `redirectUri` on plain http: for development on a local network only. */
  allowHttp?: boolean
  /**
   * `none`: silent login; the provider shows no page, and answers `login_required` or `interaction_required` if it would have to.
   * Other words (`login`, `consent`, ..) are sent as they are (OpenID Connect Core section 3.1.2.1).
   */
  prompt?: 'none' | 'login' | 'consent' | 'select_account' | (string & {})
  /** Lets `handleRedirect` answer in a page that a foreign one has framed; `framed` otherwise. */
  allowFramed?: boolean
  /**
   * The token endpoint is a relay of yours that keeps the refresh token in a cookie (docs/relay.md): this page gets access
   * tokens only. Requests to it, and to `revocationEndpoint`, go with that cookie and the header `relay-cookie`.
   */
  refreshTokenCookie?: boolean
  /** Called with the URL instead of leaving the page: for webviews and tests. */
  navigate?: (url: string) => void | Promise<void>

  // What follows makes the page download the whole library.

  /**
   * `page` (default) leaves the page. `popup` opens the provider's page in a second window, `iframe` in an invisible frame with
   * `prompt: "none"`; `startLogin` then resolves with the session. The page of `redirectUri` has to call `handleRedirect`
   * too. Call `startLogin` in a click handler, or the browser blocks the popup.
   */
  display?: 'page' | 'popup' | 'iframe'
  /** Seconds before a login in a popup or a frame rejects with `timeout`. Default: 600, in a frame 10. */
  displayTimeout?: number
  /** Aborts a login in a popup or a frame. */
  signal?: AbortSignal
  /**
   * `tab` (default): the session belongs to this page alone. `origin`: it is shared with every tab that calls `restore`; its
   * tokens are in the memory of the tabs, and one tab renews them for all.
   */
  sessionScope?: 'tab' | 'origin'
  /**
   * Stores the refresh token, never the access token, in IndexedDB, so that `restore` gives the session back: after a reload of
   * this tab (`tab`), or after the browser was closed (`device`). It is encrypted with a key that no script can read; script in
   * the page can still use it, as it can use the session.
   */
  keep?: 'tab' | 'device'
  /** Seconds after its last renewal until a stored session is deleted. Default: 30 days. */
  keepMaxAge?: number
  /**
   * In a browser without `crypto.subtle` or IndexedDB: ignore `keep`, `sessionScope` and `keepPending` (see `Session.keep`),
   * instead of rejecting with `unsupported_environment` before the page is left.
   */
  keepOptional?: boolean
  /** Stores the pending login beyond its tab, for apps that the system may end while its browser is in front. */
  keepPending?: boolean
}

/** What `adoptToken` and `scopesFor` are told. */
export type AdoptConfig = ProviderFields &
  Pick<LoginFields, 'language' | 'scope'> & { clientId?: string } & (KnownProvider | { provider?: undefined; site?: undefined })

/** What a provider says about a user (OpenID Connect Core sections 2 and 5.1): text from outside. */
export interface Claims {
  /** The provider's issuer identifier. */
  readonly iss: string
  /** The user's identifier at this issuer: never changed, never reassigned. */
  readonly sub: string
  readonly [claim: string]: Json
}

/** What is known of a session. It never holds a token. */
export interface Session {
  readonly provider: string | null
  readonly site: string | null
  /** null for an adopted token. */
  readonly clientId: string | null
  /** The granted scope, as far as it is known. */
  readonly scope: readonly string[]
  /** When the access token expires, in milliseconds since 1970 by this device's clock; null if the server does not say. */
  readonly expiresAt: number | null
  /** Whether it can be renewed without the user. */
  readonly renewable: boolean
  /**
   * `indeterminate` when the answer to a renewal was lost: the access token is used while it lives, then the refresh token
   * is sent once more, unless `refreshTokenReuse: false` forbids it. Where that fails too, or `renewable` is false, the
   * next step is `startLogin`.
   */
  readonly state: 'active' | 'indeterminate'
  /**
   * The provider's own members of the token response, for example `user_id`; none, in whatever depth, whose name means a
   * secret (`access_token`, `jwt`, `Authorization`, `code` ..) or that has in it the text of a token, code or secret that
   * the session holds or held.
   * A whole number beyond 2^53 is a text, so that no digit is lost.
   */
  readonly extra: { readonly [name: string]: Json }
  readonly returnTo: string | null
  readonly appState: Json
  /**
   * The user, by the claims of the checked ID Token (OpenID Connect); null without `openid` in the scope.
   * Absent in the small build.
   */
  readonly claims?: Claims | null
  /** By the API's last response, if the provider sends it. */
  readonly rateLimit: RateLimit | null
  /** How it is stored; null if it is not, or could not be. */
  readonly keep: 'tab' | 'device' | null
  /** Whether other tabs share it. */
  readonly shared: boolean
}

/** `fetch`'s options, and a few more. An `Authorization` header of your own is refused. */
export interface PrivateRequestInit extends RequestInit {
  /** The request may safely be sent twice: it is then retried after a renewal, as a GET is. */
  idempotent?: boolean
  /** Narrows this call to these scopes, if the provider has a header for that. */
  scope?: readonly string[] | string
  /**
   * Total seconds to wait while the server asks to slow down (429, 420): as long as `Retry-After` says, else 1, 2, 4 ..
   * seconds with jitter. Only GET, HEAD and OPTIONS are retried. Default: 0.
   */
  maxWait?: number
}

/**
 * Sends the user to the provider. A page that is left for it goes no further; shown again as it was left, by Back, it gets
 * `login_abandoned`. Resolves when `navigate` has resolved, or with the session where `display` lets the page stay.
 */
export function startLogin(config: LoginConfig & { display: 'popup' | 'iframe' }): Promise<Session>
export function startLogin(config: LoginConfig & { display?: 'page' }): Promise<void>
export function startLogin(config: LoginConfig): Promise<Session | void>

/**
 * Answers the redirect that brought the user back, once however often it is called. `null` on every other page.
 * The address bar is clean when the call returns, before the promise resolves.
 */
export function handleRedirect(url?: string | URL): Promise<Session | null>

/**
 * Begins a session with a token that the user already has, for example a personal access token. The same rules hold: it goes to the
 * resource servers only. `scope` is what it may do, where that is known.
 */
export function adoptToken(accessToken: string, config: AdoptConfig): Promise<Session>

/**
 * `fetch` with the token of the session whose resource server the URL belongs to; renews an expired token first.
 * Resolves to the native Response, whatever its status, unless only another login helps: `insufficient_scope` (before
 * anything is sent where the provider's routes say so, or by the server's challenge, RFC 6750) and
 * `insufficient_user_authentication` (RFC 9470) reject. Defaults: `redirect: "error"`,
 * `credentials: "omit"`, `referrerPolicy: "no-referrer"`.
 */
export function fetchPrivate(input: string | URL | Request, init?: PrivateRequestInit): Promise<Response>

/**
 * What a refusal by the API means, as an error to show or to throw: by the provider's table of errors, its routes and
 * its limits. `null` where the response is no refusal. The response stays unread.
 */
export function explain(response: Response): Promise<OAuthError | null>

/**
 * The minimal scope for these calls, from the routes of `config`'s provider, or else of the session whose resource server
 * has the first URL. A string or URL is a GET.
 */
export function scopesFor(
  calls: readonly (string | URL | Request | { readonly method?: string; readonly url: string | URL })[],
  config?: AdoptConfig,
): Promise<string[]>

/** A change of a session. */
export interface SessionChange {
  /**
   * `started`: logged in, or a token adopted. `restored`: given back without the user. `renewed`: it has new tokens.
   * `expiring`: it ends in a minute, and nothing will renew it. `indeterminate`: see `Session.state`. `ended`: see `reason`.
   */
  readonly type: 'started' | 'restored' | 'renewed' | 'expiring' | 'indeterminate' | 'ended'
  /** Whether this page did it, or another one of the origin. */
  readonly from: 'here' | 'elsewhere'
  /** The session as it is now; null when it has ended. */
  readonly session: Session | null
  /** Why it has ended: `logout`, or the error code of the renewal that was refused. */
  readonly reason?: 'logout' | OAuthErrorCode
}

/**
 * Calls `listener` at each change, until `signal` is aborted or the function that this returns is called. A page that
 * comes back from the back/forward cache after a logout in its tab is told too.
 */
export function onSessionChange(
  listener: (change: SessionChange) => void,
  options?: { signal?: AbortSignal },
): () => void

/**
 * A step of the library's work, as `debug` is told of it. It is made of these members alone, so that no token, code, verifier,
 * `state`, path or query is in it.
 */
export interface DebugEntry {
  /**
   * `load`: a part of the library was loaded. `call`: a part has done what a function of the library wants of it. `request`: one
   * of the library's own (token endpoint, metadata, keys ..). `fetch`: one that `fetchPrivate` sent; a call may take several.
   * `leave`: the user is sent to the provider, or `navigate` was called.
   */
  readonly step: 'load' | 'call' | 'request' | 'fetch' | 'leave'
  /** The part (`load`), the function (`call`), the method (`request`, `fetch`). */
  readonly name?: string
  /** When it began, in milliseconds since the page did (as `performance.now()`). */
  readonly at: number
  /** How long it took, in milliseconds; a request until the headers of its response came. */
  readonly ms: number
  /** Where a request went, or the user: the origin, without path or query. */
  readonly origin?: string
  /** The HTTP status, where there was a response. */
  readonly status?: number
  /** Why it failed: the code of an error of the library's, `failed` for any other (no answer, an error of `navigate` ..). */
  readonly code?: OAuthErrorCode | 'failed'
}

/**
 * Calls `listener` at each step from now on, for example `debug(console.debug)`; `debug()` ends it. Call it before the others.
 */
export function debug(listener?: (entry: DebugEntry) => void): void

/** Which session to restore if there are several: the newest of this client. */
export interface RestoreOptions {
  clientId?: string
}

/**
 * Gives a session back without a redirect: the one that this page has; of `sessionScope: "origin"` the one that another
 * tab has; else the one that `keep` has kept, which is renewed. `null` where there is none. Call it at start, after
 * `handleRedirect`.
 */
export function restore(options?: RestoreOptions): Promise<Session | null>

/**
 * What the provider says of the user of the newest session (`userinfoEndpoint`), and what only the ID Token says. It is
 * refused where it is about another user (`invalid_userinfo`).
 */
export function userinfo(): Promise<Claims>

/** What is known of the newest session, or `null`. */
export function session(): Promise<Session | null>

/** Options of `logout`. */
export interface LogoutOptions {
  /** Revokes the tokens at the provider too (`revocationRequest`, else `revocationEndpoint`). */
  revoke?: boolean
  /**
   * Sends the user to the provider (`endSessionEndpoint`) to be logged out there as well, and from there back to
   * `postLogoutRedirectUri`, which has to be registered there and may be whatever `redirectUri` may be. Of several sessions that of the newest counts.
   */
  endSession?: boolean | { postLogoutRedirectUri?: string | URL }
  /** Called with the URL of `endSession` instead of leaving the page. */
  navigate?: (url: string) => void | Promise<void>
}

/**
 * Forgets every session of this page and overwrites its tokens. If a remote step of `options` fails after that, the promise
 * rejects, and the tokens stay wiped.
 */
export function logout(options?: LogoutOptions): Promise<void>
