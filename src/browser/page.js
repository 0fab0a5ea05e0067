// What only a page has: its address, its history, its sessionStorage. Taken while the module is evaluated (see
// natives.js); on a server there is none of it, and importing must not throw.

import { getPrototypeOf, listen, member, of, soon, startsWith, step, unlisten, wake } from './natives.js'

const { history, location, navigator, Storage } = globalThis
const { userActivation } = navigator || {}
const storage = (() => {
  try {
    return globalThis.sessionStorage
  } catch {
    // Blocked: merely touching it throws.
  }
})()
const getItem = of(Storage, 'getItem')
const setItem = of(Storage, 'setItem')
const removeItem = of(Storage, 'removeItem')
const itemCount = of(Storage, 'length')
const keyAt = of(Storage, 'key')
const state = history && member(getPrototypeOf(history), 'state')
const replaceState = history && history.replaceState.bind(history)
const isPersisted = of(globalThis.PageTransitionEvent, 'persisted')

export const href = () => (location ? location.href : '')
export const origin = () => (location ? location.origin : '')
const onLine = navigator && member(getPrototypeOf(navigator), 'onLine')
/** False where the device knows that it has no network. */
export const isOnline = () => !onLine || onLine(navigator) !== false
const framed = (() => {
  try {
    for (let frame = globalThis; frame !== frame.parent; frame = frame.parent) {
      if (frame.parent.location.origin !== origin()) return true
    }
    return false
  } catch {
    return true
  }
})()
/**
 * Whether a page around this one is of another origin: as it was when the module was evaluated, and stays. `parent` is a
 * property that a page can redefine, and the module asks.
 */
export const isFramed = () => framed
/**
 * In the next turn: leaving tells the page, and the module must be off the stack then. Where the user has not touched the
 * page it is nothing to come back to: Back would only send them on again.
 */
export const navigate = url => {
  step('leave', undefined, undefined, url)
  soon(() => {
    if (userActivation && !userActivation.hasBeenActive) location.replace(url)
    else location.assign(url)
  })
}
export const replaceAddress = url => {
  try {
    replaceState(state(history), '', url)
  } catch {
    // Some browsers limit how often a page may do this; what the page is about goes on.
  }
}

/** Calls a function when the page is shown again as it was left. */
export const whenShown = done => {
  if (!isPersisted) return
  const shown = event => {
    if (!isPersisted(event)) return
    unlisten(globalThis, 'pageshow', shown)
    done()
  }
  listen(globalThis, 'pageshow', shown)
}
/** Wakes the task then. */
export const whenShownAgain = id => whenShown(() => wake(id, true))

export const STORED = 0
export const BLOCKED = 1
export const FULL = 2

export const canStore = () => !!storage

export const load = key => {
  try {
    return getItem(storage, key)
  } catch {
    return null
  }
}

export const store = (key, value) => {
  try {
    setItem(storage, key, value)
    return STORED
  } catch {
    return storage ? FULL : BLOCKED
  }
}

export const remove = key => {
  try {
    removeItem(storage, key)
  } catch {
    // What cannot be reached need not be removed.
  }
}

/** The nth key that starts with `prefix`, or null. */
export const nthKey = (prefix, n) => {
  try {
    for (let i = 0; i < itemCount(storage); i++) {
      const key = keyAt(storage, i)
      if (startsWith(key, prefix) && n-- === 0) return key
    }
  } catch {
    // Blocked: there are none.
  }
  return null
}
