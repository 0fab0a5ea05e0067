// Every error that the provider's file lists, and what to do about it.
import { attempts, unheard } from './mistakes.js'
import { rowOf, say as words } from './provider.js'
import { $, make, remember, say } from './show.js'

/** `button(attempt, label)` makes what tries it. */
export function showErrors({ file, language, documented }, button) {
  const tries = attempts(file.name, documented)
  file.errors.flatMap(({ message, remedy }) => [message, remedy]).forEach(remember)
  const silent = unheard(file.name, documented)
  const of = (list, row) => list.filter(one => rowOf(file, one) === row)
  const rows = file.errors.map(row => errorRow(row, language, of(tries, row), of(silent, row), button))
  // The card may stand in one of them: it is to outlive them.
  $('problem-home').append($('problem'))
  $('errors-rows').replaceChildren(...rows)
  filterErrors()
}

function errorRow(row, language, tries, silent, button) {
  const cell = (term, ...children) => {
    const shown = make('td', {}, ...children)
    shown.dataset.term = term
    return shown
  }
  const status = row.status && `HTTP ${row.status}`
  const names = [row.error ?? status, ...(row.also ?? [])].filter(Boolean)
  const conditions = [row.error && status, row.says && `says “${row.says}”`].filter(Boolean)
  const sentence = (term, texts) => Object.assign(cell(term, upper(words(texts, language)) + '.'), { lang: language })
  const buttons = tries.map((attempt, at) => button(attempt, tries.length > 1 ? `Try ${at + 1}` : 'Try'))
  // A long name may break where it has underscores.
  const breakable = name => name.split(/(?<=_)/).flatMap((part, at) => [at ? make('wbr', {}) : '', part])
  const spellings = names.flatMap((name, at) => [at ? make('small', {}, 'or ') : '', make('code', {}, ...breakable(name)), ' '])
  return make(
    'tr', {},
    make('th', { scope: 'row' }, ...spellings, make('small', { className: 'when' }, conditions.join(', '))),
    sentence('What happened', row.message),
    sentence('What to do', row.remedy),
    cell('Try', ...buttons, ...needsLogin(tries), ...(tries.length ? [] : silent.slice(0, 1).map(hidden))),
  )
}

const hidden = () => make('small', {}, 'on its own page')

const needsLogin = tries =>
  tries.some(({ api }) => api) ? [make('small', { className: 'when-logged-out' }, 'after a login')] : []

// A name such as redirect_uri stays as it is.
const upper = text => (/^\w+_/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1))

/** Leaves the rows that have every word of the filter. */
export function filterErrors() {
  const wanted = $('errors-filter').value.toLowerCase().split(/\s+/).filter(Boolean)
  const rows = [...$('errors-rows').rows].filter(row => row.id !== 'answer-row')
  for (const row of rows) {
    const text = row.textContent.toLowerCase()
    row.hidden = !wanted.every(word => text.includes(word))
  }
  const shown = rows.filter(row => !row.hidden).length
  say('errors-count', shown === rows.length ? `${shown} errors` : `${shown} of ${rows.length} errors`)
}
