// How things are shown: text only, never HTML. What comes from a server is not to be trusted with markup.

export const $ = id => document.getElementById(id)

export const say = (id, text) => {
  $(id).textContent = text
}

/** A value, or in plain words that there is none. */
export function fact(id, value, otherwise = 'the provider did not say') {
  say(id, value || otherwise)
  $(id).classList.toggle('value', Boolean(value))
}

export function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties)
  element.append(...children)
  return element
}

/** `loading`, `logged-out` or `logged-in`: style.css shows the sections that belong to it. */
export const showState = state => {
  document.documentElement.dataset.state = state
}

const KEPT = 8

export function log(call, result) {
  const time = new Date().toLocaleTimeString('en-GB')
  $('log').prepend(make('li', {}, make('time', {}, time), ' ', make('code', {}, call), ' ', make('span', {}, result)))
  while ($('log').children.length > KEPT) $('log').lastChild.remove()
}

const languages = new Map()

/** Remembers the language of a provider's texts, which errors may bring. */
export function remember(texts) {
  for (const [language, text] of Object.entries(texts)) languages.set(text, language)
}

let asked // what the shown error wants of the next login

export const problemAsk = () => asked

/** The error card, moved to where it happened; to the top if that is not to be seen. */
export function showProblem(error, place) {
  const card = $('problem')
  asked = error.ask
  say('problem-code', error.code ?? error.name)
  // The code stands before it, and in a place of its own.
  const message = error.code ? error.message.slice(error.code.length + 2) : error.message
  say('problem-message', message)
  say('problem-retryable', error.retryable === undefined ? '' : error.retryable ? 'retryable' : 'not retryable')
  // For whoever has the page read aloud.
  $('problem-message').lang = languages.get(message) ?? 'en'
  $('problem-remedy').lang = languages.get(error.remedy) ?? 'en'
  say('problem-remedy', error.remedy ?? 'This is no error of the library’s: it comes from the browser’s own fetch')
  const status = error.status && `HTTP ${error.status}`
  const limits = error.rateLimit && `${error.rateLimit.usage} of ${error.rateLimit.limit} requests`
  const wait = error.retryAfter !== undefined && `wait ${error.retryAfter} s`
  const words = [status, error.error, error.errorDescription, limits, wait].filter(Boolean)
  say('problem-server', words.join(' · ') || 'none')
  const known = error.message.includes(error.scope?.join(' '))
  sayIf('problem-scope', error.scope && !known && [error.scope.join(' '), error.route].filter(Boolean).join(' for '))
  const asks = Object.entries(error.ask ?? {}).map(([name, value]) => `${name}: ${JSON.stringify(value)}`)
  sayIf('problem-ask', asks.join(', '))
  $('ask-again').hidden = !error.ask
  // Where it happened may be gone: a session that ends takes its sections with it.
  const gone = !place?.isConnected || place.getClientRects().length === 0
  if (gone) $('problem-top').append(card)
  else if (place.contains(card)) card.hidden = false
  else place.append(card)
  card.hidden = false
  if (gone) card.focus()
  card.scrollIntoView({ block: 'nearest' })
}

/** The term and what is said of it; both are hidden where there is nothing to say. */
function sayIf(id, text) {
  say(id, text ?? '')
  $(id).hidden = $(id).previousElementSibling.hidden = !text
}

export const hideProblem = () => {
  $('problem').hidden = true
}

/** JSON as nodes. Members that `known` lacks stand in <mark>; without `known`, none do. */
export function json(value, known, indent = '') {
  if (!isObject(value)) return [JSON.stringify(value)]
  const names = Object.keys(value)
  const [open, close] = Array.isArray(value) ? '[]' : '{}'
  if (names.length === 0) return [open + close]
  const lines = names.flatMap((name, at) => {
    const isNew = isObject(known) && !Array.isArray(known) && !(name in known)
    const label = Array.isArray(value) ? '' : JSON.stringify(name) + ': '
    const member = json(value[name], isNew ? undefined : known?.[name], indent + '  ')
    const line = [indent + '  ' + label, ...member, at < names.length - 1 ? ',\n' : '\n']
    return isNew ? [make('mark', {}, ...line)] : line
  })
  return [open + '\n', ...lines, indent + close]
}

const isObject = value => typeof value === 'object' && value !== null

/** `5 h 59 min 03 s` until a time in milliseconds. */
export function timeLeft(until) {
  const seconds = Math.max(0, Math.round((until - Date.now()) / 1000))
  const two = n => String(n).padStart(2, '0')
  return `${Math.floor(seconds / 3600)} h ${two(Math.floor(seconds / 60) % 60)} min ${two(seconds % 60)} s`
}
