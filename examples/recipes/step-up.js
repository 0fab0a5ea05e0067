import { fetchPrivate, isOAuthError, startLogin } from 'oauth-wasm'

/** Makes a call, and where it lacks something (a scope, a newer login) asks for that in a popup first. */
export const fetchWithMore = async (config, input, init) => {
  try {
    return await fetchPrivate(input, init)
  } catch (error) {
    if (!isOAuthError(error) || !error.ask) throw error
    await startLogin({ ...config, ...error.ask, display: 'popup' })
    return fetchPrivate(input, init)
  }
}
