// For <script src>: the same as inline.js, as the global OAuthWasm.

export { startLogin, handleRedirect, fetchPrivate, session, logout } from './inline.js'
