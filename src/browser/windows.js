// Windows and frames that this page opens, and what a page in one of them has to tell. The natives are taken while the
// module is evaluated (see natives.js).

import { BroadcastChannel, clearTimeout, dataOf, document, listen, of, original, post, record, setTimeout, soon, step, wake } from './natives.js'

const { Document, Element, Node, parent } = globalThis
const clearInterval = original('clearInterval')
const setInterval = original('setInterval')
const openWindow = globalThis.open && globalThis.open.bind(globalThis)
const closeWindow = globalThis.close && globalThis.close.bind(globalThis)
const createElement = of(Document, 'createElement')
const rootOf = of(Document, 'documentElement')
const setAttribute = of(Element, 'setAttribute')
const removeElement = of(Element, 'remove')
const append = of(Node, 'appendChild')
const shut = of(BroadcastChannel, 'close')

const GOT = 'got it'
/** How long a window that was closed may still have something on its way, in looks. */
const LATE = 10
const LOOK = 100
const PATIENCE = 5000

/** A popup, empty for now; undefined where the browser blocks it. To be called while the user's click is handled. */
export const popup = () => {
  let opened
  try {
    opened = openWindow('about:blank', '_blank', 'popup,width=500,height=700')
  } catch {
    // Firefox throws where others give nothing.
  }
  if (!opened) return
  // Nothing that is shown there later may reach this page.
  opened.opener = null
  return record({ opened })
}

/** A frame that nobody sees. */
export const frame = () => {
  const element = createElement(document, 'iframe')
  setAttribute(element, 'hidden', '')
  return record({ element })
}

/** Shows an address there. */
export const guide = (place, url) => {
  step('leave', undefined, undefined, url)
  soon(() => {
    if (place.opened) return place.opened.location.replace(url)
    setAttribute(place.element, 'src', url)
    append(rootOf(document), place.element)
  })
}

/** Closes it, whatever it shows. */
export const putAway = place =>
  soon(() => (place.opened ? place.opened.close() : removeElement(place.element)))

/** Whether the place shows another site by now; where that cuts it off from this page, it seems closed instead. */
const hasLeft = ({ opened }) => {
  try {
    return opened.location.href === undefined
  } catch {
    return true
  }
}

/**
 * Wakes the task with what a page says on the channel of this name, which is a secret of the two. `Closed`: the window
 * has been closed. A window that was never seen to leave is cut off (Cross-Origin-Opener-Policy), and `closed` says
 * nothing about it.
 */
export const answerOf = (id, place, name, milliseconds) => {
  const channel = new BroadcastChannel(name)
  let left = false
  let late = 0
  const end = (ok, value) => {
    shut(channel)
    clearTimeout(timer)
    clearInterval(looking)
    wake(id, ok, value)
  }
  listen(channel, 'message', event => {
    const data = dataOf(event)
    if (typeof data !== 'string' || data === GOT) return
    post(channel, GOT)
    end(true, data)
  })
  const timer = setTimeout(() => end(false, 'TimeoutError'), milliseconds)
  const looking = setInterval(() => {
    if (!place.opened) return
    if (!place.opened.closed) left ||= hasLeft(place)
    else if (left && ++late > LATE) end(false, 'Closed')
  }, LOOK)
}

/** Says something on the channel of this name; wakes the task when it was heard, or with nobody. */
export const deliver = (id, name, text) => {
  const channel = new BroadcastChannel(name)
  const end = ok => {
    shut(channel)
    clearTimeout(timer)
    wake(id, ok)
  }
  listen(channel, 'message', event => dataOf(event) === GOT && end(true))
  const timer = setTimeout(() => end(false), PATIENCE)
  post(channel, text)
}

/** Closes this window, if a page has opened it. A frame stays for its page to put away. */
export const leave = () => {
  if (parent === globalThis) soon(closeWindow)
}
