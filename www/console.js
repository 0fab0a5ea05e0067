// The console page. example.js is the login, mistakes.js what goes wrong, sandbox.js the provider beside us,
// show.js the drawing; here is what happens when.
import { session, logout } from '/pkg/oauth-wasm.js'
import { comeBack, getUser, logIn } from './example.js'
import { isUnheard, mistakes } from './mistakes.js'
import { ask, control, findSandbox, watch } from './sandbox.js'
import { $, hideProblem, json, log, make, say, showProblem, showState, timeLeft } from './show.js'

const CALLS = 20
let sandbox
let known // the session as last seen; it holds no token
let running = false

start()

async function start() {
  // First of all, while the address still has the answer; it is clean when the call returns.
  const arrival = comeBack()
  if (location.search || location.hash) say('busy', 'Finishing the login.')
  try {
    sandbox = await findSandbox()
  } catch (error) {
    noSandbox(error)
  }
  wire()
  await arrive(arrival)
  await listMistakes()
}

async function arrive(arrival) {
  try {
    const back = await arrival
    await refresh()
    if (!back) return
    log('handleRedirect()', `user ${back.extra.user_id} is logged in`)
    history.replaceState(null, '', back.returnTo)
    restoreChoices(back.appState)
    $('session-title').focus({ preventScroll: true })
    await callBoth()
  } catch (error) {
    await refresh()
    problem('handleRedirect()', error)
  }
}

function wire() {
  on('log-in-form', 'submit', leave)
  on('log-out', 'click', async () => {
    await logout()
    log('logout()', 'the tokens are overwritten')
  })
  on('call-again', 'click', callBoth)
  on('expire', 'click', expireAndCall)
  on('burst', 'click', expireAndBurst)
  setInterval(showExpiry, 1000)
  // Back from the provider without an answer: the browser shows this page as it was left.
  addEventListener('pageshow', event => event.persisted && location.reload())
}

/** One thing at a time; whatever fails is shown beside what was pressed. */
function on(target, event, task) {
  const element = typeof target === 'string' ? $(target) : target
  element.addEventListener(event, async happened => {
    happened.preventDefault()
    if (running) return
    running = true
    element.setAttribute('aria-busy', 'true')
    hideProblem()
    try {
      await task()
      await refresh()
    } catch (error) {
      await refresh()
      problem(element.dataset.error ?? element.id, error, element.closest('li, form, .actions'))
    } finally {
      element.removeAttribute('aria-busy')
      running = false
    }
  })
}

function problem(call, error, place) {
  log(call, `${error.code ?? error.name}: ${error.message}`)
  showProblem(error, place)
}

function noSandbox(error) {
  say('no-sandbox', error.message)
  $('no-sandbox').hidden = false
}

// The login

async function leave() {
  const choices = readChoices()
  const valid = /^\d{6,20}$/.test(choices.clientId)
  $('client-id').setAttribute('aria-invalid', String(!valid))
  say('client-id-error', valid ? '' : 'An application id is a number, such as 1620218256833906.')
  if (!valid) return $('client-id').focus()
  sandbox = await findSandbox()
  $('no-sandbox').hidden = true
  await logIn(configuration(choices))
}

const readChoices = () => {
  const form = new FormData($('log-in-form'))
  const { clientId, site, responseType } = Object.fromEntries(form)
  return { clientId: clientId.trim(), site, responseType, scope: form.getAll('scope') }
}

/** What startLogin is told: the choices, and the sandbox in place of the provider's own addresses. */
const configuration = choices => ({
  ...choices,
  authorizationEndpoint: sandbox + '/authorization',
  tokenEndpoint: sandbox + '/oauth/token',
  resourceServers: [sandbox],
  authorizationParameters: { site: choices.site },
  returnTo: location.pathname,
  appState: choices,
})

/** The choices have travelled as appState: the form is as it was left. */
function restoreChoices({ clientId, site, responseType, scope }) {
  $('client-id').value = clientId
  $('site').value = site
  for (const input of $('log-in-form').querySelectorAll('[name=responseType], [name=scope]')) {
    input.checked = input.value === responseType || scope.includes(input.value)
  }
}

// The session

async function refresh() {
  known = await session().catch(() => null)
  showState(known ? 'logged-in' : 'logged-out')
  if (!known) return
  say('user-id', known.extra.user_id)
  say('scope', known.scope.join(' '))
  say('renewable', known.renewable ? 'yes, without the user' : 'no: then the user logs in again')
  say('session-site', known.site)
  say('address', userUrl())
  showExpiry()
}

function showExpiry() {
  if (!known) return
  const over = known.expiresAt !== null && known.expiresAt <= Date.now()
  say('expires', known.expiresAt === null ? 'the server did not say' : over ? 'now' : 'in ' + timeLeft(known.expiresAt))
}

const userUrl = () => `${sandbox}/users/${known?.extra.user_id ?? 'me'}`

// Public and private data

async function callBoth() {
  const [open, own] = await Promise.all([fetch(userUrl()), getUser(sandbox, known.extra.user_id)])
  const [publicData, privateData] = await Promise.all([read(open), read(own)])
  $('public').replaceChildren(...json(publicData))
  $('private').replaceChildren(...json(privateData, publicData))
  const more = $('private').querySelectorAll('mark').length
  say('public-status', `${open.status}, ${Object.keys(publicData).length} members`)
  say('private-status', `${own.status}, ${more} more that only the token brings`)
  log('fetchPrivate(…)', `${own.status}, ${more} members more than fetch`)
  return own
}

const read = async response => {
  const text = await response.text()
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

async function expireAndCall() {
  await control(sandbox, 'expire-tokens')
  showTrail(await watch(sandbox, callBoth), 'one call')
}

async function expireAndBurst() {
  await control(sandbox, 'expire-tokens')
  const call = () => getUser(sandbox, known.extra.user_id)
  const outcome = await watch(sandbox, () => Promise.all(Array.from({ length: CALLS }, call)))
  const good = outcome.result.filter(response => response.ok).length
  showTrail(outcome, `${CALLS} calls at once, ${good} answered 200`)
}

/** What the sandbox saw, equal lines counted. */
function showTrail({ seen }, calls) {
  const refreshes = seen.filter(request => request.isRefresh).length
  const counts = new Map()
  for (const { line, isPreflight } of seen) if (!isPreflight) counts.set(line, (counts.get(line) ?? 0) + 1)
  say('refreshes', `${refreshes} refresh request${refreshes === 1 ? '' : 's'}`)
  $('requests').replaceChildren(...Array.from(counts, ([line, n]) => make('li', {}, make('code', {}, `${n} × ${line}`))))
  $('trail').hidden = false
  log(`fetchPrivate(…), ${calls}`, `${refreshes} refresh`)
}

// What goes wrong

async function listMistakes() {
  const documented = sandbox ? await ask(sandbox, 'errors') : []
  $('errors').replaceChildren(...mistakes(documented).map(([title, rows]) => group(title, rows.map(mistake))))
  const unheard = documented.filter(isUnheard).map(row => make('li', {}, row.description))
  if (unheard.length) $('unheard').replaceChildren(group('Shown to the user; no page ever hears of it', unheard))
}

const group = (title, items) => make('div', {}, make('h3', {}, title), make('ul', {}, ...items))

function mistake([name, words, run]) {
  const button = make('button', { type: 'button' }, words)
  button.dataset.error = name
  on(button, 'click', async () => {
    const response = await run({ sandbox, config: { ...configuration(readChoices()), provider: 'mercadolibre', redirectUri: location.origin + '/' }, userUrl: userUrl() })
    if (response instanceof Response) throw await asAnswer(response)
  })
  return make('li', {}, button)
}

/** fetchPrivate hands over what the API answers, whatever its status: shown in the same card. */
const asAnswer = async response => ({
  code: `HTTP ${response.status}`,
  message: 'fetchPrivate resolved: the answer is the API’s own',
  remedy: 'Judge it as you judge the answer of fetch',
  errorDescription: await response.text(),
})
