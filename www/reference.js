// Every error that the provider's file lists, and what to do about it.
import { say as words } from './provider.js'
import { $, make, remember, say } from './show.js'

export function showErrors({ file, language }) {
  file.errors.flatMap(({ message, remedy }) => [message, remedy]).forEach(remember)
  $('errors-rows').replaceChildren(...file.errors.map(row => errorRow(row, language)))
  filterErrors()
}

function errorRow(row, language) {
  const sentence = (term, texts) => {
    const shown = make('td', { lang: language }, upper(words(texts, language)) + '.')
    shown.dataset.term = term
    return shown
  }
  const status = row.status && `HTTP ${row.status}`
  const names = [row.error ?? status, ...(row.also ?? [])].filter(Boolean)
  const conditions = [row.error && status, row.says && `says “${row.says}”`].filter(Boolean)
  // A long name may break where it has underscores.
  const breakable = name => name.split(/(?<=_)/).flatMap((part, at) => [at ? make('wbr', {}) : '', part])
  const spellings = names.flatMap((name, at) => [at ? make('small', {}, 'or ') : '', make('code', {}, ...breakable(name)), ' '])
  return make(
    'tr', {},
    make('th', { scope: 'row' }, ...spellings, make('small', { className: 'when' }, conditions.join(', '))),
    sentence('What happened', row.message),
    sentence('What to do', row.remedy),
  )
}

// A name such as redirect_uri stays as it is.
const upper = text => (/^\w+_/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1))

/** Leaves the rows that have every word of the filter. */
export function filterErrors() {
  const wanted = $('errors-filter').value.toLowerCase().split(/\s+/).filter(Boolean)
  const rows = [...$('errors-rows').rows]
  for (const row of rows) {
    const text = row.textContent.toLowerCase()
    row.hidden = !wanted.every(word => text.includes(word))
  }
  const shown = rows.filter(row => !row.hidden).length
  say('errors-count', shown === rows.length ? `${shown} errors` : `${shown} of ${rows.length} errors`)
}
