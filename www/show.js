// How things are shown: text only, never HTML. What comes from a server is not to be trusted with markup.

export const $ = id => document.getElementById(id)

export const say = (id, text) => {
  $(id).textContent = text
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

/** The error card, moved to where it happened; above the form if that was not on this page. */
export function showProblem(error, place) {
  const card = $('problem')
  say('problem-code', error.code ?? error.name)
  say('problem-message', error.message)
  say('problem-retryable', error.retryable === undefined ? '' : error.retryable ? 'retryable' : 'not retryable')
  say('problem-remedy', error.remedy ?? 'This is no error of the library’s: it comes from the browser’s own fetch')
  const status = error.status && `HTTP ${error.status}`
  say('problem-server', [status, error.error, error.errorDescription].filter(Boolean).join(' · ') || 'none')
  // Where it happened may be gone: a session that ends takes its sections with it.
  const gone = !place || place.closest('.when-logged-in')?.getClientRects().length === 0
  if (gone) $('log-in-form').prepend(card)
  else place.append(card)
  card.hidden = false
  if (gone) card.focus()
  card.scrollIntoView({ block: 'nearest' })
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
