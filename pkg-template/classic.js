// For <script src>: the same as inline.js, as the global OAuthWasm.

export { adoptToken, explain, fetchPrivate, handleRedirect, logout, onSessionChange, restore, scopesFor, session, startLogin, userinfo } from './inline.js'
