// What goes wrong, brought about on purpose. A mistake: a name, words for people, and what to run.
import { startLogin, handleRedirect, fetchPrivate } from '/pkg/oauth-wasm.js'
import { control, withFault } from './sandbox.js'

/** Groups of mistakes. `page` is { sandbox, config, userUrl }; `documented` the sandbox's table of errors. */
export const mistakes = documented => [
  ['On this page: refused before anything is sent', HERE],
  ['On the way back from the provider', WAY_BACK],
  ['At the token endpoint, as documented', documented.filter(isTokenError).map(atTokenEndpoint)],
  ['At the token endpoint, by accident', ACCIDENTS],
  ['At the API, with a token (log in first)', [...documented.filter(isApiError).map(atApi), ...ENDINGS]],
]

/** Errors that the provider shows to the user, and of which the page never hears. */
export const isUnheard = row => row.shape === 'page'
const isTokenError = row => row.shape === 'token' || row.error === 'local_rate_limited'
const isApiError = row => !isTokenError(row) && ['api', 'gateway', 'text'].includes(row.shape)

const HERE = [
  ['foreign-origin', 'fetchPrivate to an address that is not the API’s', () => fetchPrivate('https://elsewhere.example/')],
  ['own-header', 'an Authorization header of your own',
    page => fetchPrivate(page.userUrl, { headers: { authorization: 'Bearer mine' } })],
  ['unknown-field', 'a misspelt field: scopes', page => startLogin({ ...page.config, scopes: 'read' })],
  ['client-secret', 'a clientSecret in the page', page => startLogin({ ...page.config, clientSecret: 'not a secret' })],
  ['unknown-site', 'a country that does not exist', page => startLogin({ ...page.config, site: 'MLX' })],
  ['foreign-return', 'returnTo another site', page => startLogin({ ...page.config, returnTo: 'https://elsewhere.example/' })],
]

const WAY_BACK = [
  ['denied', 'the user says no',
    page => answerLogin(page, state => ({ error: 'access_denied', error_description: 'The user said no', state }))],
  ['unknown-state', 'an old bookmark', () => handleRedirect(location.origin + '/old?code=TG-1&state=ow1-old')],
  ['state-mismatch', 'an answer to somebody else’s login', answerOfSomebodyElse],
  ['expired', 'an answer that comes too late',
    page => answerLogin(page, state => ({ code: 'TG-1', state }), { pendingMaxAge: 0, wait: 1100 })],
  ['duplicate', 'an answer with two codes', page => answerLogin(page, state => [['code', 'TG-1'], ['code', 'TG-2'], ['state', state]])],
  ['issuer', 'an answer from another server',
    page => answerLogin(page, state => ({ code: 'TG-1', iss: 'https://elsewhere.example', state }), { issuer: page.sandbox })],
]

const ACCIDENTS = [
  ['dropped', 'the connection breaks', { kind: 'dropBefore' }],
  ['broken', 'the server fails', { kind: 'status500' }],
  ['html', 'a web page comes instead of JSON', { kind: 'html' }],
  ['endless', 'two megabytes come', { kind: { tooLarge: 2_000_000 } }],
].map(([name, words, { kind }]) => [
  name, words, page => withFault(page.sandbox, '/oauth/token', kind, () => exchange(page, 'TG-1')),
])

const ENDINGS = [
  ['revoked', 'the user takes the permission back, and everything ends', async page => {
    await control(page.sandbox, 'revoke-grants')
    return fetchPrivate(page.userUrl)
  }],
]

const atTokenEndpoint = row => [row.id, `${row.error}: ${row.description}`, page => exchange(page, 'sandbox:' + row.id)]

const atApi = row => [row.id, `${row.error}: ${row.description}`,
  page => withFault(page.sandbox, '/users', { documented: row.id }, () => fetchPrivate(page.userUrl))]

const exchange = (page, code) => answerLogin(page, state => ({ code, state }))

/** A login that never leaves the page: `navigate` gets the address, and `answer` makes the provider's reply to its state. */
async function answerLogin(page, answer, { wait = 0, ...more } = {}) {
  let state
  const navigate = url => {
    state = new URL(url).searchParams.get('state')
  }
  await startLogin({ ...page.config, responseType: 'code', ...more, navigate })
  await new Promise(resolve => setTimeout(resolve, wait))
  return handleRedirect(page.config.redirectUri + '?' + new URLSearchParams(answer(state)))
}

async function answerOfSomebodyElse(page) {
  let ours
  try {
    return await answerLogin(page, state => {
      ours = state
      return { code: 'TG-1', state: 'ow1-somebody-else' }
    })
  } finally {
    // The login still waits for its own answer: give it one, or it would stay in this tab.
    await handleRedirect(`${page.config.redirectUri}?error=access_denied&state=${ours}`).catch(() => {})
  }
}
