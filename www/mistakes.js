// What goes wrong, brought about on purpose. One mistake is [name, what is wrong, in plain words, what to run];
// what runs gets `page`: { sandbox, config, userUrl }.
import { startLogin, handleRedirect, fetchPrivate } from '/pkg/oauth-wasm.js'
import { control, withFault } from './sandbox.js'

/** [title, mistakes] by where they are noticed. `documented` is the sandbox's table of the provider's errors. */
export const mistakes = documented => [
  ['In your own code', IN_THE_PAGE],
  ['On the way back', ON_THE_WAY_BACK],
  ['At the token endpoint', ACCIDENTS],
  ['With a token: log in first', [FOREIGN, ...documented.filter(isApiError).map(atApi), REVOKED]],
  ['At the token endpoint, in the provider’s words', documented.filter(isTokenError).map(atTokenEndpoint)],
]

/** Errors that the provider shows to the user: nothing comes back to the page. */
export const isUnheard = row => row.shape === 'page'
const isTokenError = row => row.shape === 'token' || row.error === 'local_rate_limited'
const isApiError = row => !isTokenError(row) && ['api', 'gateway'].includes(row.shape)

const ELSEWHERE = 'https://elsewhere.example/'

const IN_THE_PAGE = [
  ['own-header', 'Authorization', 'a header of your own', page =>
    fetchPrivate(page.userUrl, { headers: { authorization: 'Bearer mine' } })],
  ['unknown-field', 'scopes', 'a field that does not exist', page => startLogin({ ...page.config, scopes: 'read' })],
  ['client-secret', 'clientSecret', 'a secret that everyone can read', page =>
    startLogin({ ...page.config, clientSecret: 'hush' })],
  ['unknown-site', 'site', 'of no country', page => startLogin({ ...page.config, site: 'MLX' })],
  ['foreign-return', 'returnTo', 'somebody else’s page', page => startLogin({ ...page.config, returnTo: ELSEWHERE })],
]

const ON_THE_WAY_BACK = [
  ['denied', 'error', 'the user said no', page =>
    answerLogin(page, state => ({ error: 'access_denied', error_description: 'The user said no', state }))],
  ['unknown-state', 'state', 'of an old bookmark', () => handleRedirect(location.origin + '/old?code=x&state=ow1xold')],
  ['state-mismatch', 'state', 'of somebody else’s login', answerOfSomebodyElse],
  ['expired', 'pendingMaxAge', 'is over, and then the answer comes', page =>
    answerLogin(page, state => ({ code: 'x', state }), { pendingMaxAge: 0 }, 1100)],
  ['duplicate', 'code', 'stands there twice', page =>
    answerLogin(page, state => [['code', 'x'], ['code', 'y'], ['state', state]])],
  ['issuer', 'iss', 'names another server', page =>
    answerLogin(page, state => ({ code: 'x', iss: ELSEWHERE, state }), { issuer: page.sandbox })],
]

const accident = (name, wrong, words, kind) => [name, wrong, words, page =>
  withFault(page.sandbox, '/oauth/token', kind, () => exchange(page, 'x'))]

const ACCIDENTS = [
  accident('dropped', 'nothing', 'comes: the connection breaks', 'dropBefore'),
  accident('broken', '500', 'the server fails', 'status500'),
  accident('html', 'text/html', 'a web page instead of JSON', 'html'),
  accident('endless', '2 MB', 'of JSON, more than any token response', { tooLarge: 2_000_000 }),
]

const FOREIGN = ['foreign-origin', 'fetchPrivate', 'to an address that is not the API’s', () =>
  fetchPrivate(ELSEWHERE)]

const REVOKED = ['revoked', 'invalid_token', 'the user has taken the permission back', async page => {
  await control(page.sandbox, 'revoke-grants')
  return fetchPrivate(page.userUrl)
}]

// The sandbox gives a documented error for a code of this form.
const atTokenEndpoint = row => [row.id, row.error, words(row), page => exchange(page, 'sandbox:' + row.id)]

const atApi = row => [row.id, row.error, words(row), page =>
  withFault(page.sandbox, '/users', { documented: row.id }, () => fetchPrivate(page.userUrl))]

const words = ({ error, description, shape }) =>
  description === error ? (shape === 'text' ? 'as plain text' : 'as JSON') : description.replace('{0}', '…')

const exchange = (page, code) => answerLogin(page, state => ({ code, state }))

/** A login that stays on this page: `answer` makes the provider's reply to its state. */
async function answerLogin(page, answer, more, wait = 0) {
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
      return { code: 'x', state: 'ow1xtheirs' }
    })
  } finally {
    // Our login still waits for its own answer: give it one, or it would go on waiting in this tab.
    await answerTo(page, ours).catch(() => {})
  }
}

const answerTo = (page, state) => handleRedirect(`${page.config.redirectUri}?error=access_denied&state=${state}`)
