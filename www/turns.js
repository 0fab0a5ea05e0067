// One thing at a time: what is pressed meanwhile waits.
import { $, hideProblem, log, showProblem } from './show.js'

let queue = Promise.resolve()
let afterwards = async () => {}

/** The first turn, and what every later one ends with. */
export function begin(first, last) {
  queue = first
  afterwards = last
}

export const inTurn = task => {
  queue = queue.then(task).catch(error => problem('page', error))
}

/** Runs `task` when its turn comes. What it throws is shown beside what was pressed. */
export function on(element, event, task) {
  const turn = async () => {
    element.setAttribute('aria-busy', 'true')
    hideProblem()
    const error = await task().then(() => null, reason => reason)
    await afterwards()
    if (error) problem(element.dataset.error ?? element.id, error, element.closest('li, form, .actions'))
    element.removeAttribute('aria-busy')
  }
  element.addEventListener(event, happened => {
    happened.preventDefault()
    inTurn(turn)
  })
}

/** The same for what is chosen: it is done at once, and says nothing. */
export const onChange = (element, task) => element.addEventListener('change', () => inTurn(task))

/** The same for what changes while the user types: after a pause. A box that is ticked is no typing. */
export function onInput(element, task) {
  let timer
  element.addEventListener('input', ({ target }) => {
    if (target.type === 'checkbox') return
    clearTimeout(timer)
    timer = setTimeout(() => inTurn(task), 250)
  })
}

export function problem(call, error, place) {
  log(call, error.code ? error.message : `${error.name}: ${error.message}`)
  showProblem(error, place)
}
