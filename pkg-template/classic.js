// For <script src>: the same as inline.js, as the global OAuthWasm.

export { adoptToken, explain, fetchPrivate, handleRedirect, logout, onSessionChange, scopesFor, session, startLogin } from './inline.js'
