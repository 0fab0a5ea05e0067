// What goes wrong, brought about on purpose. One mistake is [name, what is wrong, in plain words, what to run];
// what runs gets `page`: { sandbox, config, api, userUrl, open, tokenPath }; `open` is an address of the API that asks for little
// scope or none.
import { startLogin, handleRedirect, fetchPrivate } from '/pkg/oauth-wasm.js'
import { control, withFault } from './sandbox.js'

/**
 * { title, api, rows } by where they are noticed. `api`: it needs a session. `documented` is the sandbox's own table of
 * the providers' errors; what it shows to the user only, on a page of its own, is left out.
 */
export const mistakes = ({ name, sites }, documented) => {
  const heard = documented.filter(row => row.shape !== 'page' && speaker(row) === name).map(attempt)
  const all = [...heard, ...(MORE[name] ?? [])]
  const of = wanted => all.filter(({ api }) => api === wanted).map(({ id, error, words, run }) => [id, error, words, run])
  return [
    { title: 'In your own code', rows: IN_THE_PAGE.filter(([name]) => sites || name !== 'unknown-site') },
    { title: 'On the way back', rows: ON_THE_WAY_BACK },
    { title: 'At the token endpoint, by accident', rows: ACCIDENTS },
    { title: 'At the token endpoint, as documented', rows: of(false) },
    { title: 'With a token', api: true, rows: [FOREIGN, REVOKED] },
    { title: 'From the API, as documented', api: true, rows: of(true) },
  ]
}

const speaker = ({ shape }) => (shape === 'appfigures' ? 'appfigures' : 'mercadolibre')

function attempt(row) {
  const atTokenEndpoint = row.shape === 'token' || row.error === 'local_rate_limited'
  const api = !atTokenEndpoint
  const { id, error } = row
  const description = row.description.replace('{0}', '…')
  // The sandbox gives a documented error for a code of this form.
  const run = page => (api ? refused(page, { documented: id }) : exchange(page, 'sandbox:' + id))
  return { id, words: words({ ...row, description }), error, api, run }
}

const words = ({ error, description, shape }) =>
  description === error ? (shape === 'text' ? 'as plain text' : 'as JSON') : description

/** The next call of the API goes wrong so. */
const refused = (page, kind) =>
  withFault(page.sandbox, new URL(page.api).pathname, kind, () => fetchPrivate(page.open))

function says(id, status, message) {
  const body = { status, contentType: 'application/json', body: JSON.stringify({ status, message }), headers: {} }
  const run = page => refused(page, { body })
  return { id, words: message, error: String(status), api: true, run }
}

// What the sandbox's table does not have, but the sandbox can do.
const MORE = {
  appfigures: [
    {
      id: 'unknown_client',
      words: 'with a client that does not exist',
      error: 'invalid_client',
      api: false,
      run: page => answerLogin(page, state => ({ code: 'x', state }), { clientId: 'nobody' }),
    },
    says('unauthorized', 401, 'Unauthorized'),
    says('no_api_access', 403, 'No API Access'),
    says('api_access_disabled', 403, 'API Access is disabled'),
  ],
}

const ELSEWHERE = 'https://elsewhere.example/'

const IN_THE_PAGE = [
  ['own-header', 'Authorization', 'a header of your own', page =>
    fetchPrivate(page.userUrl, { headers: { authorization: 'Bearer mine' } })],
  ['unknown-field', 'client_id', 'a field that does not exist', page => startLogin({ ...page.config, client_id: '1' })],
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
  withFault(page.sandbox, page.tokenPath, kind, () => exchange(page, 'x'))]

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
