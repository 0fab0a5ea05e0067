// The other pages of this origin: locks, and a channel that all of them hear. The natives are taken while the module is
// evaluated (see natives.js). Whatever is heard may come from anybody who runs script here.

import {
  BroadcastChannel,
  Promise,
  Uint8Array,
  byteLength,
  clearTimeout,
  copyInto,
  dataOf,
  indexOf,
  listed,
  listen,
  of,
  own,
  ownValue,
  post,
  record,
  setTimeout,
  soon,
  startsWith,
  then,
  timeout,
  wake,
} from './natives.js'

const { LockManager, navigator } = globalThis
/** How a message begins that answers another one. */
const ANSWER = '{"to":'
const locks = navigator && navigator.locks
const requestLock = of(LockManager, 'request')
const queryLocks = of(LockManager, 'query')

export const canLock = () => !!locks

/** Wakes the task when the lock is its own, with the function that gives it back. */
export const lock = (id, name, milliseconds) =>
  soon(() => {
    const options = milliseconds ? record({ signal: timeout(milliseconds) }) : record({})
    const held = () => new Promise(release => wake(id, true, () => release()))
    then(requestLock(locks, name, options, held), undefined, reason => wake(id, false, reason))
  })

export const unlock = release => {
  soon(release)
}

/** Wakes the task with the names of the locks that are held, as JSON text. */
export const heldLocks = id =>
  soon(() =>
    then(
      queryLocks(locks),
      ({ held }) => {
        const names = []
        for (let i = 0; i < held.length; i++) own(names, i, held[i].name, true)
        wake(id, true, listed(names))
      },
      reason => wake(id, false, reason),
    ),
  )

// The channel: messages of a text and bytes, kept until somebody asks for the next.

let channel
let first
let last
let waiting

/** Bytes, whatever was sent as such. */
const bytesOf = value => {
  try {
    const bytes = new Uint8Array(byteLength(value))
    copyInto(bytes, value)
    return bytes
  } catch {
    return new Uint8Array(0)
  }
}

/** Those who wait for an answer, one after the other. */
let awaited
let once

/** Calls a function at the first message that has these words in it. */
export const hearOnce = (words, told) => {
  join()
  once = record({ words, told })
}

const heard = event => {
  const data = dataOf(event)
  const said = ownValue(data, 'text')
  const text = typeof said === 'string' ? said : ''
  const message = record({ text, bytes: bytesOf(ownValue(data, 'bytes')) })
  if (startsWith(text, ANSWER)) {
    for (let one = awaited; one; one = one.next) if (startsWith(text, one.mark)) return one.end(true, message)
    return
  }
  last = last ? (last.next = message) : (first = message)
  if (once && indexOf(text, once.words) >= 0) {
    const { told } = once
    once = undefined
    told()
  }
  serve()
}

const serve = () => {
  if (!first || waiting === undefined) return
  const id = waiting
  const message = first
  first = message.next
  if (!first) last = undefined
  waiting = undefined
  wake(id, true, message)
}

export const join = () => {
  if (channel || !BroadcastChannel) return
  channel = new BroadcastChannel('oauth-wasm')
  listen(channel, 'message', heard)
}

/** Wakes the task with the next message. */
export const hear = id => {
  waiting = id
  soon(serve)
}

/** Wakes the task with the first message that begins so. */
export const hearAnswer = (id, mark, milliseconds) => {
  const one = record({ mark, next: awaited })
  one.end = (ok, message) => {
    if (awaited === one) awaited = one.next
    for (let other = awaited; other; other = other.next) if (other.next === one) other.next = one.next
    clearTimeout(timer)
    wake(id, ok, message)
  }
  const timer = setTimeout(() => one.end(false), milliseconds)
  awaited = one
}

export const tell = (text, bytes) => channel && post(channel, record({ text, bytes: bytesOf(bytes) }))

export const wordsOf = message => message.text
export const bytesIn = message => message.bytes
