// What the pages' snippets take for granted: names that their reader has.
import type * as library from 'oauth-wasm'

declare global {
  const clientId: string
  const logInButton: HTMLButtonElement
  const redirectUri: string
  /** Of the provider's API. */
  const url: string
  const startLogin: typeof library.startLogin
  const handleRedirect: typeof library.handleRedirect
  const fetchPrivate: typeof library.fetchPrivate
  const restore: typeof library.restore
  const logout: typeof library.logout
  const session: typeof library.session
  const explain: typeof library.explain
  const debug: typeof library.debug
  const onSessionChange: typeof library.onSessionChange
  const scopesFor: typeof library.scopesFor
  const userinfo: typeof library.userinfo
  const adoptToken: typeof library.adoptToken
  const login: library.LoginConfig
  const show: (session: library.Session | null) => void
  const mock: import('oauth-wasm/testing').TestControls
  // Of other programs.
  const handlers: unknown[]
  const Deno: { serve(handler: (request: Request) => Promise<Response>): void; env: { toObject(): Record<string, string> } }
  const jest: { mock(name: string, factory: () => unknown): void }
  const page: import('playwright').Page
}
