// The console page: what happens when. example.js is the login itself, choices.js what it is given, routes.js and
// reference.js what the provider's file says of calls and errors, mistakes.js what can go wrong, sandbox.js the
// provider beside this page, provider.js the file, other.js a provider without one, show.js the drawing, turns.js the
// order of things.
import { adoptToken, explain, logout, session } from '/pkg/oauth-wasm.js'
import { configuration, readChoices, restoreChoices, showChoices, showProvider, withoutLogin } from './choices.js'
import { comeBack, getUser, logIn, redirectUri } from './example.js'
import { mistakes } from './mistakes.js'
import { OTHER, callOther, configurationOfOther, showOther } from './other.js'
import { at } from './provider.js'
import { filterErrors, showErrors } from './reference.js'
import { check, makeCall, pickRoute, showRoutes } from './routes.js'
import { SPEAKS, control, documentedErrors, findSandbox, watch } from './sandbox.js'
import { $, fact, json, log, make, problemAsk, say, showState, timeLeft } from './show.js'
import { begin, inTurn, on, onChange, onInput, problem } from './turns.js'

const CALLS = 20

/** What the page knows; never a token. */
const page = {
  sandbox: 'http://127.0.0.1:8788', // where `npx oauth-wasm sandbox` puts it, until the server says so
  relay: undefined, // where token requests go, before a client id; else to the sandbox
  documented: [], // the errors that the sandbox can bring about
  code: '', // example.js
  file: null, // the provider's, if it has one
  language: 'en',
  user: null, // the session as last seen
  nickname: '', // its user's
  get api() {
    return at(page.sandbox, page.file, readChoices().site).resourceServers[0]
  },
}

begin(start().catch(error => problem('start', error)), refresh)

async function start() {
  const address = location.href
  // First of all, while the address bar still has the answer. When the call returns, it has not.
  const arrival = comeBack()
  if (location.href !== address) say('busy', 'Finishing the login.')
  const [back, , code] = await Promise.allSettled([arrival, lookForSandbox(), textOf('example.js')])
  page.code = code.value
  const { choices } = back.value?.appState ?? {}
  await showAll(choices?.provider ?? $('provider').value, choices)
  press()
  showView()
  await refresh()
  showReload(back.value)
  if (back.status === 'rejected') problem('handleRedirect()', back.reason)
  else if (back.value) await welcome(back.value)
}

/** Says so where a reload has ended a session. */
function showReload(back) {
  const [entry] = performance.getEntriesByType('navigation')
  $('reloaded').hidden = back || page.user || entry?.type !== 'reload' || history.state?.user !== true
  if (!page.user) history.replaceState(null, '')
}

async function textOf(path) {
  return (await fetch(path)).text()
}

async function lookForSandbox() {
  try {
    const { origin, relay } = await findSandbox()
    Object.assign(page, { sandbox: origin, relay })
    page.documented = await documentedErrors(page.sandbox)
    $('no-sandbox').hidden = true
    return true
  } catch (error) {
    say('no-sandbox', error.message)
    $('no-sandbox').hidden = false
    return false
  }
}

/** Everything that depends on the provider. */
async function showAll(provider, choices) {
  const isOther = provider === OTHER
  showCode(isOther ? "issuer: '…'" : `provider: '${provider}'`)
  document.documentElement.dataset.provider = isOther ? OTHER : 'known'
  showView()
  if (isOther) return showOther(page, choices)
  await showProvider(page, provider)
  if (choices) restoreChoices(choices)
  await showChoices(page)
  showRoutes(page, (method, path, isCall) => {
    pickRoute(method, path)
    inTurn(() => check(page))
    if (isCall && page.user) $('call').click()
  })
  listErrors()
  listMistakes()
}

function press() {
  on($('log-in-form'), 'submit', leave)
  on($('token-form'), 'submit', adopt)
  on($('log-out'), 'click', forget)
  on($('call-again'), 'click', callBoth)
  on($('expire'), 'click', expireAndCall)
  on($('burst'), 'click', expireAndBurst)
  on($('check-form'), 'submit', () => makeCall(page))
  on($('ask-again'), 'click', askAgain)
  on($('other-form'), 'submit', callOther)
  on($('provider'), 'change', () => showAll($('provider').value))
  for (const id of ['site', 'scopes', 'grant']) onChange($(id), () => showChoices(page))
  onChange($('language'), async () => {
    await showChoices(page)
    await check(page)
    listErrors()
  })
  for (const id of ['client-id', 'scopes']) onInput($(id), () => showChoices(page))
  for (const id of ['method', 'path']) onInput($(id), () => check(page))
  $('errors-filter').addEventListener('input', filterErrors)
  addEventListener('hashchange', showView)
  setInterval(showExpiry, 1000)
}

/** example.js, with the chosen provider where it has one. */
const showCode = provider => say('code', page.code.replace("provider: 'mercadolibre'", provider))

// The pages

const VIEWS = ['home', 'calls', 'reference', 'mistakes']

/** Shows the page that the address names. */
function showView() {
  const named = location.hash.slice(1)
  const view = VIEWS.includes(named) && document.documentElement.dataset.provider !== OTHER ? named : 'home'
  document.documentElement.dataset.view = view
  for (const link of document.querySelectorAll('#views a')) {
    const isHere = link.getAttribute('href') === '#' + view
    isHere ? link.setAttribute('aria-current', 'page') : link.removeAttribute('aria-current')
  }
  scrollTo(0, 0)
}

// The login

async function leave() {
  if (!page.file) return logIn(configurationOfOther())
  const choices = readChoices()
  const right = isApplication(choices)
  $('client-id').setAttribute('aria-invalid', String(!right))
  say('client-id-error', right ? '' : `An application id looks like this: ${SPEAKS[choices.provider].clientId}.`)
  if (!right) $('client-id').focus()
  else if (await lookForSandbox()) await logIn(configuration(page, choices))
}

const isApplication = ({ provider, clientId }) => (SPEAKS[provider]?.isNumber ? /^\d{6,20}$/ : /./).test(clientId)

/** Another login, with what the last error asks for. */
async function askAgain() {
  const ask = problemAsk()
  if (!page.file) return logIn({ ...configurationOfOther(), ...ask })
  const choices = { ...readChoices(), ...(ask.scope && { scope: ask.scope }) }
  if (await lookForSandbox()) await logIn({ ...configuration(page, choices), ...ask })
}

async function adopt() {
  const token = $('token').value.trim()
  // It stays nowhere in this page: from here on only the library has it.
  $('token').value = ''
  const right = token !== ''
  $('token').setAttribute('aria-invalid', String(!right))
  say('token-error', right ? '' : 'Paste a token first.')
  if (!right) return $('token').focus()
  const choices = readChoices()
  if (!$('token-scope').checked) choices.scope = undefined
  const adopted = await adoptToken(token, withoutLogin(page, choices, page.sandbox))
  log('adoptToken()', adopted.scope.join(' ') || 'nobody said what it may do')
  await refresh()
  $('session-title').focus({ preventScroll: true })
  await callBoth()
}

async function welcome(back) {
  log('handleRedirect()', `user ${back.extra.user_id ?? 'unnamed'} is logged in`)
  history.replaceState({ user: true }, '', back.returnTo)
  showView()
  $('session-title').focus({ preventScroll: true })
  if (page.file) await callBoth().catch(error => problem('fetchPrivate()', error))
  await refresh()
}

// The session

async function refresh() {
  page.user = await session().catch(() => null)
  const { user } = page
  showState(user ? 'logged-in' : 'logged-out')
  $('relay-step').hidden = !page.relay
  if (user) $('reloaded').hidden = true
  if (user && !history.state?.user) history.replaceState({ user: true }, '')
  await check(page)
  if (!user) return forgetData()
  const { scope, rateLimit, appState } = user
  fact('user-id', [page.nickname, user.extra.user_id].filter(Boolean).join(' · '))
  fact('scope', scope.join(' '), 'nobody said')
  const lost = user.state === 'indeterminate' && 'not known: the answer to the last renewal was lost'
  say('renewable', lost || (user.renewable ? 'yes, without asking the user' : 'no, the user has to log in again'))
  say('session-site', [user.provider ?? appState?.choices?.issuer, user.site].filter(Boolean).join(' · '))
  $('rate-limit').hidden = $('rate-limit').previousElementSibling.hidden = !page.file?.limitHeader
  fact('rate-limit', rateLimit && `${rateLimit.usage ?? '?'} of ${rateLimit.limit ?? '?'}`)
  if (page.file) say('address', userUrl())
  showExpiry()
}

function showExpiry() {
  if (!page.user) return
  const { expiresAt } = page.user
  fact('expires', expiresAt && (expiresAt > Date.now() ? timeLeft(expiresAt) : 'now'))
}

async function forget() {
  const revoke = $('revoke').checked
  try {
    await logout({ revoke })
    history.replaceState(null, '')
    log('logout()', 'the tokens are overwritten' + (revoke ? ', and the provider has forgotten them' : ''))
  } finally {
    await refresh()
    $('log-in').focus()
  }
}

function forgetData() {
  page.nickname = ''
  for (const id of ['public', 'private', 'requests']) $(id).replaceChildren()
  $('trail').hidden = true
  $('answer').hidden = $('other-answer').hidden = true
}

// Public and private data

const userId = () => SPEAKS[page.file.name]?.userOf(page.user) ?? 'me'
const userUrl = () => `${page.api}/users/${userId()}`

async function callBoth() {
  $('trail').hidden = true
  const [open, own] = await Promise.all([fetch(userUrl()), getUser(page.api, userId())])
  const [publicData, privateData] = [await open.json(), await own.json()]
  page.nickname = own.ok && String(privateData.nickname ?? '')
  fact('user-id', [page.nickname, page.user?.extra.user_id].filter(Boolean).join(' · '))
  $('public').replaceChildren(...json(publicData))
  $('private').replaceChildren(...json(privateData, own.ok ? publicData : undefined))
  const more = $('private').querySelectorAll('mark').length
  say('public-status', open.status)
  const refused = own.status === 401 ? '401, the user must log in again' : own.status
  say('private-status', own.ok ? `200, ${more} members more` : refused)
  log('fetchPrivate()', own.ok ? `${own.status}, ${more} members more than fetch()` : own.status)
}

async function expireAndCall() {
  await control(page.sandbox, 'expire-tokens')
  showTrail(await watch(page.sandbox, callBoth))
}

async function expireAndBurst() {
  await control(page.sandbox, 'expire-tokens')
  const call = () => getUser(page.api, userId())
  const outcome = await watch(page.sandbox, () => Promise.all(Array.from({ length: CALLS }, call)))
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

const listErrors = () => page.file && showErrors(page)

function listMistakes() {
  $('problem-home').append($('problem'))
  $('errors').replaceChildren(...mistakes(page.file, page.documented).map(group).filter(Boolean))
}

/** What needs a session says so, and cannot be pressed without one. */
function group({ title, api, rows }) {
  if (rows.length === 0) return ''
  const list = make('ul', { className: api ? 'when-logged-in' : '' }, ...rows.map(mistake))
  const first = make('p', { className: 'aside when-logged-out' }, 'Log in, and these can be tried.')
  return make('div', {}, make('h3', {}, title), ...(api ? [first] : []), list)
}

const mistake = ([name, wrong, words, run]) =>
  make('li', {}, trial(name, run, make('code', {}, wrong), ' ', words))

/** A button that makes something go wrong. What fetchPrivate hands over is explained by the provider's file. */
function trial(name, run, ...label) {
  const button = make('button', { type: 'button' }, ...label)
  button.dataset.error = name
  on(button, 'click', async () => {
    const { sandbox, api, file } = page
    const config = { provider: file.name, redirectUri, ...configuration(page, readChoices()) }
    const open = api + (SPEAKS[file.name]?.open ?? '/')
    const tokenPath = new URL(file.tokenEndpoint).pathname
    const outcome = await run({ sandbox, config, api, userUrl: userUrl(), open, tokenPath })
    const error = outcome instanceof Response && (await explain(outcome))
    if (error) throw error
  })
  return button
}
