// What to log in with: the provider, its country, the scopes; and what the library makes of it.
import { handleRedirect, startLogin } from '/pkg/oauth-wasm.js'
import { redirectUri } from './example.js'
import { at, load, say as words } from './provider.js'
import { SPEAKS } from './sandbox.js'
import { $, make, say } from './show.js'

/** Brings the provider's file, and shows what there is to choose. */
export async function showProvider(page, name) {
  page.file = await load(name)
  const { file } = page
  const speaks = SPEAKS[name]
  $('provider').value = name
  $('client-id').value = speaks?.clientId ?? ''
  $('client-id').inputMode = speaks?.isNumber === false ? 'text' : 'numeric'
  $('site').replaceChildren(...sites(file))
  $('site').disabled = !file.sites
  $('applications').replaceChildren(
    ...(speaks?.applications ?? []).map(([value, label]) => make('option', { value, label })),
  )
  const names = Object.keys(file.scopes)
  const kinds = names.filter(name => name.endsWith('*')).map(name => name.slice(0, -1))
  // What a field for many stands for has no box of its own.
  const single = names.filter(name => name.endsWith('*') || !kinds.some(kind => name.startsWith(kind)))
  $('scopes').replaceChildren(...single.map(name => scopeChoice(name, names)))
  $('token-form').hidden = !speaks?.token
  $('token').placeholder = speaks?.token ?? ''
  $('log-in').disabled = !speaks
  say('provider-hint', speaks ? '' : 'The sandbox does not speak it: this page has its data, but no login.')
  $('notes').replaceChildren(...notes(file.about))
}

function sites({ sites }) {
  if (!sites) return [make('option', { value: '' }, 'One address for all')]
  const option = ([id, { about }]) =>
    make('option', { value: id }, `${about.country} · ${id}${about.doubt ? ' (address not confirmed)' : ''}`)
  const byCountry = ([, a], [, b]) => a.about.country.localeCompare(b.about.country, 'en')
  return Object.entries(sites).sort(byCountry).map(option)
}

/** A box to tick; or, where the name ends in `*` and stands for many, a field for theirs. */
function scopeChoice(name, all) {
  const about = make('span', { className: 'about' })
  const words = make('span', {}, make('b', {}, make('code', {}, name)), about)
  const box = { type: 'checkbox', name: 'scope', value: name, checked: !name.endsWith('write') }
  const choice = name.endsWith('*')
    ? make('label', { className: 'many' }, words, fieldOf(all.filter(other => other.startsWith(name.slice(0, -1)))))
    : make('label', { className: 'choice' }, make('input', box), words)
  choice.dataset.scope = name
  return choice
}

/** A field for several names, and those that are known. */
function fieldOf(names) {
  const options = names.filter(name => !name.endsWith('*')).map(value => make('option', { value }))
  const field = make('input', { name: 'scopes', spellcheck: false })
  field.setAttribute('list', 'scope-names')
  return make('span', {}, field, make('datalist', { id: 'scope-names' }, ...options))
}

function notes({ title, documentation = [], notes = [], unverified = [] }) {
  const list = (heading, items) =>
    items.length ? [make('h4', {}, heading), make('ul', {}, ...items.map(item => make('li', {}, item)))] : []
  const link = href => make('a', { href, rel: 'noreferrer' }, href.replace('https://', ''))
  return [
    make('summary', {}, `What is known of ${title}, and what is not`),
    make(
      'div', { className: 'notes' },
      make('div', {}, ...list('Known', notes)),
      make('div', {}, ...list('Not verified', unverified), ...list('Read in', documentation.map(link))),
    ),
  ]
}

export function readChoices() {
  const form = new FormData($('log-in-form'))
  const { provider, clientId, site, responseType } = Object.fromEntries(form)
  const { value: language } = document.querySelector('[name=language]:checked')
  const scope = [...form.getAll('scope'), ...form.getAll('scopes').flatMap(text => text.split(' ').filter(Boolean))]
  return { provider, clientId: clientId.trim(), site, responseType, scope, language }
}

/** They were kept as appState: after the login the form is as it was left. */
export function restoreChoices({ clientId, site, responseType, scope, language }) {
  $('client-id').value = clientId
  if (site) $('site').value = site
  for (const input of document.querySelectorAll('[name=responseType], [name=scope], [name=language]')) {
    input.checked = [responseType, language, ...scope].includes(input.value)
  }
  for (const input of document.querySelectorAll('[name=scopes]')) {
    const start = input.closest('label').dataset.scope.slice(0, -1)
    input.value = scope.filter(name => name.startsWith(start)).join(' ')
  }
}

/** The choices, with the sandbox in place of the provider's own addresses. */
export const configuration = (page, choices) => ({
  ...choices,
  ...at(page.sandbox, page.file, choices.site, page.relay && page.relay + choices.clientId),
  returnTo: location.pathname + location.hash,
  appState: { choices },
})

/** What `scopesFor` and `adoptToken` need to know; nothing about logging in. */
export const withoutLogin = (page, { provider, site, language, scope }, sandbox) => ({
  provider,
  site,
  language,
  scope,
  ...(sandbox && at(sandbox, page.file, site)),
})

// What the choices come to

/** Shows it in the language of the day. */
export async function showChoices(page) {
  if (!page.file) return
  const { file } = page
  const choices = readChoices()
  page.language = choices.language
  const doubt = file.sites?.[choices.site]?.about.doubt
  say('site-hint', doubt ? `Address not confirmed: ${doubt}.` : '')
  explainScopes(file, choices)
  await preview(page, choices)
}

function explainScopes({ scopes }, { language }) {
  for (const choice of $('scopes').children) {
    const about = words(scopes[choice.dataset.scope].about, language) + '.'
    choice.querySelector('.about').replaceChildren(make('span', { lang: language }, about))
  }
}

/** Asks the library for the address that it would open at the real provider, and shows it. */
async function preview({ file, sandbox }, choices) {
  const { revocationRequest: request } = file
  say('opens-here', at(sandbox, file, choices.site).authorizationEndpoint)
  say('endpoint-token', file.tokenEndpoint)
  say('endpoint-api', file.resourceServers.join(' '))
  say('endpoint-revocation', request ? `${request.method} ${request.url}` : (file.revocationEndpoint ?? 'not known'))
  let url
  try {
    url = await addressOf(choices)
  } catch (error) {
    say('requested', '–')
    $('requested-header').replaceChildren()
    say('opens', error.message)
    return
  }
  const { searchParams } = url
  const requested = searchParams.get('scope')?.split(' ') ?? []
  say('requested', requested.join(' ') || 'nothing: the provider decides')
  // A header's list has no spaces: it may break after each comma.
  const list = requested.flatMap((name, at) => [at ? ',' : '', make('wbr', {}), name])
  $('requested-header').replaceChildren(`${file.scopeHeader}: `, ...list)
  $('requested-header-term').hidden = $('requested-header').hidden = !file.scopeHeader
  const lines = Array.from(searchParams, ([name, value]) =>
    make('span', {}, name + ' ', make('i', {}, DRAWN.includes(name) ? 'drawn anew for each login' : value)),
  )
  $('opens').replaceChildren(make('b', {}, url.origin + url.pathname), ...lines)
}

const DRAWN = ['state', 'code_challenge']

async function addressOf({ clientId, site, ...choices }) {
  const config = { ...choices, redirectUri, clientId: clientId || 'your-application-id', site: site || undefined }
  let url
  await startLogin({ ...config, navigate: to => { url = new URL(to) } })
  // Nobody will answer this login: it would go on waiting in this tab.
  const answer = new URLSearchParams({ error: 'access_denied', state: url.searchParams.get('state') })
  await handleRedirect(`${redirectUri}?${answer}`).catch(() => {})
  return url
}

