// The console page: what happens when. example.js is the login itself, mistakes.js what can go wrong,
// sandbox.js the provider beside this page, show.js the drawing.
import { session, logout } from '/pkg/oauth-wasm.js'
import { comeBack, getUser, logIn, redirectUri } from './example.js'
import { isUnheard, mistakes } from './mistakes.js'
import { control, documentedErrors, findSandbox, watch } from './sandbox.js'
import { $, hideProblem, json, log, make, say, showProblem, showState, timeLeft } from './show.js'

const CALLS = 20
let sandbox = 'http://127.0.0.1:8788' // where `cargo xtask demo` puts it, until the server says so
let user = null // the session as last seen: never a token

// One thing at a time: what is pressed meanwhile waits.
let queue = start().catch(error => problem('start', error))

async function start() {
  const address = location.href
  // First of all, while the address bar still has the answer. When the call returns, it has not.
  const arrival = comeBack()
  if (location.href !== address) say('busy', 'Finishing the login.')
  const [back, found, code] = await Promise.allSettled([arrival, lookForSandbox(), textOf('example.js')])
  say('code', code.value)
  press()
  await refresh()
  if (back.status === 'rejected') problem('handleRedirect()', back.reason)
  else if (back.value) await welcome(back.value)
  listMistakes(found.value ? await documentedErrors(sandbox) : [])
}

async function textOf(path) {
  return (await fetch(path)).text()
}

async function lookForSandbox() {
  try {
    sandbox = await findSandbox()
    $('no-sandbox').hidden = true
    return true
  } catch (error) {
    say('no-sandbox', error.message)
    $('no-sandbox').hidden = false
    return false
  }
}

function press() {
  on($('log-in-form'), 'submit', leave)
  on($('log-out'), 'click', forget)
  on($('call-again'), 'click', callBoth)
  on($('expire'), 'click', expireAndCall)
  on($('burst'), 'click', expireAndBurst)
  setInterval(showExpiry, 1000)
}

/** Runs `task` when its turn comes. What it throws is shown beside what was pressed. */
function on(element, event, task) {
  const turn = async () => {
    element.setAttribute('aria-busy', 'true')
    hideProblem()
    const error = await task().then(() => null, reason => reason)
    await refresh()
    if (error) problem(element.dataset.error ?? element.id, error, element.closest('li, form, .actions'))
    element.removeAttribute('aria-busy')
  }
  element.addEventListener(event, happened => {
    happened.preventDefault()
    queue = queue.then(turn)
  })
}

function problem(call, error, place) {
  log(call, `${error.code ?? error.name}: ${error.message}`)
  showProblem(error, place)
}

// The login

async function leave() {
  const choices = readChoices()
  const isNumber = /^\d{6,20}$/.test(choices.clientId)
  $('client-id').setAttribute('aria-invalid', String(!isNumber))
  say('client-id-error', isNumber ? '' : 'An application id is a number, such as 1620218256833906.')
  if (!isNumber) $('client-id').focus()
  else if (await lookForSandbox()) await logIn(configuration(choices))
}

function readChoices() {
  const form = new FormData($('log-in-form'))
  const { clientId, site, responseType } = Object.fromEntries(form)
  return { clientId: clientId.trim(), site, responseType, scope: form.getAll('scope') }
}

/** The choices, with the sandbox in place of the provider's own addresses. */
const configuration = choices => ({
  ...choices,
  authorizationEndpoint: sandbox + '/authorization',
  tokenEndpoint: sandbox + '/oauth/token',
  resourceServers: [sandbox],
  authorizationParameters: { site: choices.site }, // one host for all countries, so it must be told
  returnTo: location.pathname,
  appState: { choices },
})

async function welcome(back) {
  log('handleRedirect()', `user ${back.extra.user_id} is logged in`)
  history.replaceState(null, '', back.returnTo)
  if (back.appState?.choices) restoreChoices(back.appState.choices)
  $('session-title').focus({ preventScroll: true })
  await callBoth().catch(error => problem('fetchPrivate()', error))
}

/** They were kept as appState: after the login the form is as it was left. */
function restoreChoices({ clientId, site, responseType, scope }) {
  $('client-id').value = clientId
  $('site').value = site
  for (const input of document.querySelectorAll('[name=responseType], [name=scope]')) {
    input.checked = input.value === responseType || scope.includes(input.value)
  }
}

// The session

async function refresh() {
  user = await session().catch(() => null)
  showState(user ? 'logged-in' : 'logged-out')
  if (!user) return forgetData()
  say('user-id', userId())
  say('scope', user.scope.join(' '))
  say('renewable', user.renewable ? 'yes, without asking the user' : 'no, the user has to log in again')
  say('session-site', user.site)
  say('address', userUrl())
  showExpiry()
}

function showExpiry() {
  if (!user) return
  const { expiresAt } = user
  say('expires', expiresAt === null ? 'the server did not say' : expiresAt > Date.now() ? timeLeft(expiresAt) : 'now')
}

async function forget() {
  await logout()
  await refresh()
  log('logout()', 'the tokens are overwritten')
  $('log-in').focus()
}

function forgetData() {
  for (const id of ['public', 'private', 'requests']) $(id).replaceChildren()
  $('trail').hidden = true
}

// Public and private data

const userId = () => user?.extra.user_id ?? 'me'
const userUrl = () => `${sandbox}/users/${userId()}`

async function callBoth() {
  $('trail').hidden = true
  const [open, own] = await Promise.all([fetch(userUrl()), getUser(sandbox, userId())])
  const [publicData, privateData] = [await open.json(), await own.json()]
  $('public').replaceChildren(...json(publicData))
  $('private').replaceChildren(...json(privateData, own.ok ? publicData : undefined))
  const more = $('private').querySelectorAll('mark').length
  say('public-status', open.status)
  const refused = own.status === 401 ? '401, the user must log in again' : own.status
  say('private-status', own.ok ? `200, ${more} members more` : refused)
  log('fetchPrivate()', own.ok ? `${own.status}, ${more} members more than fetch()` : own.status)
}

async function expireAndCall() {
  await control(sandbox, 'expire-tokens')
  showTrail(await watch(sandbox, callBoth))
}

async function expireAndBurst() {
  await control(sandbox, 'expire-tokens')
  const call = () => getUser(sandbox, userId())
  const outcome = await watch(sandbox, () => Promise.all(Array.from({ length: CALLS }, call)))
  const answered = outcome.result.filter(response => response.ok).length
  log(`${CALLS} × fetchPrivate()`, `${answered} answered with 200`)
  showTrail(outcome)
}

/** What the sandbox saw: equal requests counted, preflights left out. */
function showTrail({ seen }) {
  const refreshes = seen.filter(request => request.isRefresh).length
  const noun = refreshes === 1 ? 'refresh request' : 'refresh requests'
  const counts = new Map()
  for (const { line, isPreflight } of seen) if (!isPreflight) counts.set(line, (counts.get(line) ?? 0) + 1)
  say('refreshes', refreshes)
  say('refreshes-noun', noun)
  const lines = Array.from(counts, ([line, n]) => make('li', {}, make('code', {}, `${n} × ${line}`)))
  $('requests').replaceChildren(...lines)
  $('trail').hidden = false
  log('the sandbox', `saw ${refreshes} ${noun}`)
}

// What goes wrong

function listMistakes(documented) {
  const groups = mistakes(documented).map(([title, rows]) => group(title, rows.map(mistake)))
  const unheard = documented.filter(isUnheard).map(row => make('li', {}, row.description))
  const byTheProvider = groups.pop() // much the longest: a column of its own
  groups.push(group('At the provider: your page never hears of it', unheard))
  $('errors').replaceChildren(make('div', {}, ...groups), make('div', {}, byTheProvider))
}

const group = (title, items) =>
  items.length ? make('div', {}, make('h3', {}, title), make('ul', {}, ...items)) : ''

function mistake([name, wrong, words, run]) {
  const button = make('button', { type: 'button' }, make('code', {}, wrong), ' ', words)
  button.dataset.error = name
  on(button, 'click', async () => {
    const config = { provider: 'mercadolibre', redirectUri, ...configuration(readChoices()) }
    const outcome = await run({ sandbox, config, userUrl: userUrl() })
    if (outcome instanceof Response) throw await asProblem(outcome)
  })
  return make('li', {}, button)
}

/** fetchPrivate hands over whatever the API answers, as fetch does; the card shows that too. */
const asProblem = async response => ({
  code: `HTTP ${response.status}`,
  message: 'fetchPrivate resolves: the API answered, and its answer is handed over as it is',
  remedy: 'Look at response.status, as you do after fetch',
  errorDescription: await response.text(),
})
