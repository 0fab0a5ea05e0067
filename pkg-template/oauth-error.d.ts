
/** What every failure of the library is an instance of; the library makes them, `oauth-wasm/testing` has one that tests make. */
export declare class OAuthError extends Error {
  private constructor()
}

/**
 * Whether a caught value is an error of this library, of a vault's or of `oauth-wasm/testing`; `instanceof OAuthError` knows only those
 * of the module that it is imported from.
 */
export declare function isOAuthError(value: unknown): value is OAuthError
