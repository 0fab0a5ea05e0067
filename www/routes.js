// Which scope a call needs, by the provider's routes, and what becomes of the call.
import { explain, fetchPrivate, scopesFor } from '/pkg/oauth-wasm.js'
import { readChoices, withoutLogin } from './choices.js'
import { say as words } from './provider.js'
import { SPEAKS } from './sandbox.js'
import { $, json, log, make, say } from './show.js'

/** The table of routes, each of which can be tried, and a seller's first calls. `pick` is called with what is tried. */
export function showRoutes({ file }, pick) {
  const { routes = [], scopes, resourceServers } = file
  say('path-base', resourceServers[0])
  $('path').value = SPEAKS[file.name]?.path ?? '/'
  $('method').value = 'GET'
  const quick = SPEAKS[file.name]?.quick ?? []
  $('quick').hidden = quick.length === 0
  $('quick').replaceChildren(
    ...quick.map(([label, method, path]) => {
      const button = make('button', { type: 'button' }, label)
      button.addEventListener('click', () => pick(method, path, true))
      return button
    }),
  )
  $('all-routes').hidden = routes.length < 2
  say('route-count', `All ${routes.length} routes of the file`)
  $('routes').replaceChildren(...routes.map(route => routeRow(route, pick)))
  const options = Object.keys(scopes).map(name => make('option', { value: name }, name))
  $('narrow').replaceChildren(make('option', { value: '' }, 'No: with all the session has'), ...options)
  $('narrow-field').hidden = !file.scopeHeader
  say('narrow-header', file.scopeHeader ?? '')
  $('answer').hidden = true
}

function routeRow({ path, holding, read, write }, pick) {
  const cell = (need, method, term) => {
    if (need === undefined) return make('td', { className: 'unknown' }, 'not said')
    const button = make('button', { type: 'button' }, make('code', {}, need || 'none'))
    button.setAttribute('aria-label', `${method} ${path} needs ${need || 'no scope'}: check it`)
    button.addEventListener('click', () => pick(method, path))
    const shown = make('td', {}, button)
    shown.dataset.term = term
    return shown
  }
  return make(
    'tr', {},
    make('th', { scope: 'row' }, make('code', {}, path), ...(holding ? [' ', make('small', {}, `for tokens with ${holding}`)] : [])),
    cell(read, 'GET', 'Reading'),
    cell(write, 'PUT', 'Writing'),
  )
}

export function pickRoute(method, path) {
  $('method').value = method
  // What stands in braces is filled in by whoever calls: any number will do.
  $('path').value = path.replace(/\{email\}/, 'me@example.com').replace(/\{\w+\}/g, '280598515284').replace('/*', '')
  $('path').focus()
}

const call = base => ({ method: $('method').value, url: base + '/' + $('path').value.trim().replace(/^\/+/, '') })

/** Shows what the library says the call needs, and whether the session has it. */
export async function check(page) {
  if (!page.file) return
  const { file, user, language } = page
  const [base] = file.resourceServers
  const asked = call(base)
  say('held', held(user))
  let needed
  try {
    needed = await scopesFor([asked], withoutLogin(page, { ...readChoices(), scope: undefined }))
  } catch (error) {
    say('needs', error.message)
    return say('needs-why', '')
  }
  say('needs', needed.join(' ') || 'none that is known')
  const why = needed.map(name => words(file.scopes[name]?.about, language) + '.')
  $('needs-why').lang = needed.length ? language : 'en'
  say('needs-why', why.join(' ') || 'Either anybody may, or the file does not say: then the library sends the call, and the API decides.')
}

/** What the session may do, as far as anybody said; whether that is enough, fetchPrivate says before anything is sent. */
function held(user) {
  if (!user) return 'nobody is logged in'
  return user.scope.join(' ') || 'nobody said what this token may do: the API decides'
}

/** Makes the call; a refusal is thrown as what it means. */
export async function makeCall(page) {
  $('answer').hidden = true
  const base = page.api
  const { method, url } = call(base)
  const scope = page.file.scopeHeader ? $('narrow').value : ''
  const body = ['POST', 'PUT'].includes(method) ? '{}' : undefined
  const response = await fetchPrivate(url, {
    method,
    body,
    headers: body && { 'content-type': 'application/json' },
    ...(scope && { scope: [scope] }),
  })
  log('fetchPrivate()', `${method} ${new URL(url).pathname} → ${response.status}`)
  const error = await explain(response)
  if (error) throw error
  say('answer-status', `${method} ${new URL(url).pathname} → ${response.status}`)
  $('answer-body').replaceChildren(...(await shown(response)))
  $('answer').hidden = false
}

/** What a response brings, as nodes. */
export async function shown(response) {
  const text = await response.text()
  if (!text) return ['no body']
  try {
    return json(JSON.parse(text))
  } catch {
    return [text.slice(0, 2000)]
  }
}
