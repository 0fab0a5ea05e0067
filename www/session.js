// The session page: one session in several windows, kept over a reload if the visitor wants that. timeline.js is what
// the windows tell each other, sandbox.js the provider beside this page.
import { fetchPrivate, handleRedirect, logout, onSessionChange, restore, session, startLogin } from '/pkg/oauth-wasm.js'
import { at, load } from './provider.js'
import { SPEAKS, control, findSandbox, tally, withFault } from './sandbox.js'
import { $, fact, say, showState, timeLeft } from './show.js'
import { openTimeline, takeLetter } from './timeline.js'

const SITE = 'MLA'
const redirectUri = location.origin + location.pathname

/** What the page knows; never a token. */
const page = { sandbox: null, relay: undefined, file: null, user: null, expired: false }

let open
const timeline = new Promise(resolve => {
  open = resolve
})

/** Adds a line to the timeline of every window. */
async function tell(what, words) {
  const now = Date.now()
  const { tell } = await timeline
  tell(what, words, now)
}

start().catch(wrong)

async function start() {
  const began = Date.now()
  const isAnswer = new URLSearchParams(location.search).has('state')
  // First of all, while the address bar still has the answer.
  const arrival = handleRedirect()
  onSessionChange(changed)
  const [back] = await Promise.allSettled([arrival, prepare()])
  if (isAnswer && back.value === null) return say('busy', 'The login goes on in the other window: close this one.')
  const letter = await takeLetter()
  say('window', letter)
  document.title = `${letter} · ${document.title}`
  const lines = openTimeline(letter, { added: count, asked })
  lines.tell('window', 'opened', began)
  open(lines)
  if (!back.value) await restore().catch(wrong)
  press()
  await refresh()
  if (back.status === 'rejected') wrong(back.reason)
}

async function prepare() {
  try {
    page.file = await load('mercadolibre')
    const { origin, relay } = await findSandbox()
    Object.assign(page, { sandbox: origin, relay })
  } catch (error) {
    say('no-sandbox', error.message)
    $('no-sandbox').hidden = false
    $('log-in').disabled = true
  }
}

function press() {
  on('log-in-form', 'submit', logIn)
  on('call', 'click', call)
  on('expire', 'click', expire)
  on('burst', 'click', async () => {
    await expire()
    const { askOthers } = await timeline
    askOthers('call')
    await call()
  })
  const busy = { body: { status: 503, contentType: 'text/plain', body: 'Service Unavailable', headers: {} } }
  on('down', 'click', () => renewWhile('answers with 503 for a moment', busy, { times: 1000 }))
  const next = { method: 'POST', times: 1 }
  on('lost', 'click', () => renewWhile('will lose its next answer', 'dropAfterProcessing', next))
  on('log-out', 'click', async () => {
    await logout()
    await refresh()
    $('log-in').focus()
  })
  $('log-in-form').addEventListener('change', showCode)
  showCode()
  setInterval(showExpiry, 1000)
}

/** Runs `task` at once: the browser opens a popup only while the click is handled. */
function on(id, event, task) {
  const element = $(id)
  element.addEventListener(event, async happened => {
    happened.preventDefault()
    $('wrong').hidden = true
    element.setAttribute('aria-busy', 'true')
    await task().catch(wrong)
    await refresh()
    element.removeAttribute('aria-busy')
  })
}

function wrong(error) {
  const { code, name, message, remedy } = error
  say('wrong', [`${code ?? name}: ${message}`, remedy].filter(Boolean).join('. '))
  $('wrong').hidden = false
  $('wrong').scrollIntoView({ block: 'nearest' })
}

// The session

const readChoices = () => Object.fromEntries(new FormData($('log-in-form')))

/** What this page runs, as the choices have it. */
function showCode() {
  const { sessionScope, keep, display } = readChoices()
  const options = [sessionScope === 'origin' && "sessionScope: 'origin'", keep && `keep: '${keep}'`]
  const popup = display === 'popup'
  const lines = [
    '// On every page: what is there already.',
    'let session = (await handleRedirect())',
    '  ?? (await restore())',
    '',
    '// On a click, when nobody is logged in.',
    popup ? 'session = await startLogin({' : 'await startLogin({',
    "  provider: 'mercadolibre',",
    `  site: '${SITE}',`,
    '  clientId,',
    '  redirectUri,',
    "  scope: ['offline_access', 'read'],",
    ...[...options, popup && "display: 'popup'"].filter(Boolean).map(option => `  ${option},`),
    popup ? '}) // the page stays' : '}) // leaves the page',
    '',
    '// What happens to it, in whichever window.',
    'onSessionChange(({ type, reason }) => …)',
  ]
  say('code', lines.join('\n'))
}

/** Waits for the popup; whoever does not want to may say so. */
async function waitFor(login, controller) {
  const stop = () => controller.abort()
  $('cancel').addEventListener('click', stop)
  $('cancel').hidden = false
  say('waiting', 'Waiting for the login in the other window.')
  try {
    return await login
  } finally {
    $('cancel').removeEventListener('click', stop)
    $('cancel').hidden = true
    say('waiting', '')
  }
}

async function logIn() {
  const { sessionScope, keep, display } = readChoices()
  const controller = new AbortController()
  const { clientId } = SPEAKS.mercadolibre
  const login = startLogin({
    provider: 'mercadolibre',
    site: SITE,
    clientId,
    redirectUri,
    ...at(page.sandbox, page.file, SITE, page.relay && page.relay + clientId),
    scope: ['offline_access', 'read'],
    sessionScope,
    ...(keep && { keep }),
    display,
    ...(display === 'popup' && { signal: controller.signal }),
  })
  if (display === 'page') return login
  await waitFor(login, controller)
  await refresh()
  $('session-title').focus({ preventScroll: true })
}

function changed({ type, from, reason }) {
  if (type === 'renewed' || type === 'started') page.expired = false
  tell(type, reason ? `${from}, ${reason}` : from)
  refresh()
}

async function refresh() {
  const user = await session().catch(() => null)
  page.user = user
  showState(user ? 'logged-in' : 'logged-out')
  const isLost = user?.state === 'indeterminate'
  $('log-in-part').hidden = user !== null && !isLost
  if (!user) return
  fact('user-id', user.extra.user_id)
  say('shared', user.shared ? 'every window’s' : 'this window’s alone')
  say('kept', { tab: 'kept for this tab', device: 'kept on this device' }[user.keep] ?? 'not kept')
  say('state', isLost ? 'not known: the answer to the last renewal was lost. Log in again' : user.state)
  showExpiry()
}

function showExpiry() {
  if (!page.user?.expiresAt) return
  // The library cannot know: the provider says so when it is asked.
  const over = page.expired && 'already, at the provider: the next call renews it'
  fact('expires', over || timeLeft(page.user.expiresAt))
}

// Calls

async function call() {
  try {
    const { status } = await fetchPrivate(page.sandbox + '/users/me')
    tell('fetchPrivate()', `GET /users/me → ${status}`)
  } catch (error) {
    tell('fetchPrivate()', error.code ?? error.name)
    throw error
  }
}

/** What another window wants of all. */
function asked(what) {
  if (what === 'call' && page.user) call().catch(wrong)
}

async function expire() {
  await control(page.sandbox, 'expire-tokens')
  page.expired = true
  tell('sandbox', 'expired every access token')
}

async function renewWhile(words, kind, which) {
  await expire()
  tell('sandbox', words)
  await withFault(page.sandbox, '/oauth/token', kind, call, which)
}

// What the sandbox saw

let counted = Promise.resolve()
let isWaiting = false

/** After each line; several that come at once are counted for together. */
function count() {
  if (isWaiting || !page.sandbox) return
  isWaiting = true
  counted = counted.then(showTally).catch(() => say('refreshes', '–'))
}

async function showTally() {
  isWaiting = false
  const { refreshes, spentTwice } = await tally(page.sandbox)
  say('refreshes', refreshes)
  say('spent-twice', spentTwice)
}
