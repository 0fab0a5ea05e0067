// The application's part of the vault (docs/vault.md): the library's functions over a hidden frame of another origin,
// which has the tokens and gives answers. Nothing here is a secret, so nothing here is sealed: what guards the tokens
// is the origin, and what limits this page is the vault's own policy (vault-page.js).

const { DOMException, Error, MessageChannel, Promise, ReadableStream, Request, Response, TypeError, URL, document } = globalThis

/** Of the messages between the two; a vault of another version is refused by name. */
const VERSION = 1
/** Milliseconds between two tries to be heard by a frame that may still be loading. */
const KNOCKS = [0, 100, 250, 500, 1000, 2000, 4000]
/** Milliseconds between two questions whether the frame is still there, while something is waited for. */
const PULSE = 3000
/** How many of these questions may go without an answer. */
const MISSED = 3
const LOOK = 100
/** How long a window that was closed may still have something on its way, in looks. */
const LATE = 20
/** In sessionStorage, with the vault's address behind it: the name of the login that this tab has left for. */
const LEFT = 'oauth-wasm.vault.'
const OPTIONS = ['idempotent', 'scope', 'maxWait']

/** What every failure is an instance of: the vault's describe theirs, and are made again here. */
export class OAuthError extends Error {
  constructor({ name, message, ...members }) {
    super(message)
    Object.assign(this, members)
    // Its stack would name this page's address.
    Object.defineProperty(this, 'stack', { value: `${name}: ${message}`, writable: true, configurable: true })
  }
}
Object.defineProperty(OAuthError.prototype, 'name', { value: 'OAuthError', writable: true, configurable: true })

export const isOAuthError = value => value instanceof Error && value.name === 'OAuthError' && typeof value.code === 'string'

const failed = (code, message, remedy, retryable = false) =>
  new OAuthError({ name: 'OAuthError', code, message: `${code}: ${message}`, remedy, retryable })

/** An error as the vault has described it, of the type that it has there. */
const revive = ({ name, message, ...members }) => {
  if (name === 'TypeError') return new TypeError(message)
  if (name !== 'OAuthError') return new DOMException(message, name)
  return new OAuthError({ name, message, ...members })
}

const wrong = message => failed('invalid_config', message, 'Correct what the message names')

const checked = address => {
  let url
  try {
    url = new URL(address, globalThis.location?.href)
  } catch {
    throw wrong('vault: must be the address of the vault\'s page')
  }
  const local = /^(127\.0\.0\.1|localhost|\[::1\]|.*\.localhost)$/.test(url.hostname)
  if (url.protocol !== 'https:' && !(local && url.protocol === 'http:')) throw wrong('vault: must be https')
  if (url.origin === globalThis.location?.origin) {
    throw wrong('vault: must be of another origin than this page, or it would guard nothing')
  }
  if (url.search || url.hash || url.username) throw wrong('vault: must have no query, fragment or user')
  return url
}

/**
 * The functions of a vault at this address. The frame is opened by the first that is called; `timeout` is how many
 * seconds it may take.
 */
export const vault = (address, { timeout = 10 } = {}) => {
  const home = checked(address)
  const listeners = new Set()
  let watcher
  const waiting = new Map()
  /** What the vault knows its refusals by. */
  const refusals = new WeakMap()
  /** What ends the answers that are still being read, where the frame goes away. */
  const reading = new Set()
  let line
  let last = 0
  let unheard = 0
  let pulse

  const unreachable = why =>
    failed(
      'vault_unreachable',
      `the vault at ${home.href} ${why}`,
      'Check the address, frame-src of this page\'s policy, frame-ancestors of the vault\'s, and Cross-Origin-Embedder-Policy of both',
      true,
    )

  /** Gives the frame up, and with it all that waits. */
  const drop = error => {
    const { frame, port, fail } = line
    line = undefined
    clearInterval(pulse)
    pulse = undefined
    frame.remove()
    // What waits for a frame that is still being opened waits for nothing.
    fail?.(error)
    port.then(
      opened => opened.close(),
      () => {},
    )
    for (const { reject } of waiting.values()) reject(error)
    for (const end of reading) end(error)
    waiting.clear()
    reading.clear()
  }

  const heard = ({ data }) => {
    unheard = 0
    if (data.change) return tell(data.change)
    const asked = waiting.get(data.id)
    if (!asked) return
    waiting.delete(data.id)
    rest()
    data.error ? asked.reject(revive(data.error)) : asked.resolve(data.value)
  }

  /** Nobody asks after a frame for which nothing waits. */
  const rest = () => {
    if (waiting.size || reading.size) return
    clearInterval(pulse)
    pulse = undefined
  }

  const tell = change => {
    for (const listener of listeners) {
      try {
        listener(structuredClone(change))
      } catch (e) {
        setTimeout(() => {
          throw e
        })
      }
    }
  }

  /** Tells `debug` of a step that has begun, when its promise is settled: by these members alone, which are no secrets. */
  const step = (kind, name, promise) => {
    if (!watcher) return promise
    const at = performance.now()
    const over = (status, code) => {
      const entry = { step: kind, at, ms: performance.now() - at }
      for (const [member, value] of Object.entries({ name, status, code })) if (value !== undefined) entry[member] = value
      try {
        watcher?.(entry)
      } catch (e) {
        setTimeout(() => {
          throw e
        })
      }
    }
    promise.then(
      value => over(value instanceof Response ? value.status : undefined),
      error => over(undefined, isOAuthError(error) ? error.code : 'failed'),
    )
    return promise
  }

  /** The functions, each call of which is a step; at once, for a click may be handled. */
  const traced = functions => {
    for (const [name, called] of Object.entries(functions)) functions[name] = (...given) => step('call', name, called(...given))
    return functions
  }

  /** Opens the frame: a promise of the port to it. */
  const open = (frame, opening) =>
    new Promise((resolve, reject) => {
      if (!document) {
        return reject(failed('unsupported_environment', 'a vault needs a page', 'Call it in the browser'))
      }
      const timers = []
      const end = (settle, value) => {
        timers.forEach(clearTimeout)
        settle(value)
      }
      opening.fail = error => end(reject, error)
      const knock = () => {
        const { port1, port2 } = new MessageChannel()
        port1.onmessage = ({ data }) => {
          if (data.error) return end(reject, revive(data.error))
          opening.wire = port1
          end(resolve, port1)
          port1.onmessage = heard
        }
        frame.contentWindow?.postMessage({ 'oauth-wasm': 'vault', version: VERSION }, home.origin, [port2])
      }
      let loads = 0
      frame.addEventListener('load', () => {
        // Somebody has sent the frame elsewhere: what it was is gone.
        if (loads++) return line?.frame === frame && drop(unreachable('was navigated away'))
        for (const delay of KNOCKS) timers.push(setTimeout(knock, delay))
      })
      timers.push(setTimeout(() => end(reject, unreachable('does not answer')), timeout * 1000))
      frame.hidden = true
      frame.title = 'vault'
      frame.src = home.href
      document.documentElement.append(frame)
    })

  const connect = () => {
    if (!line) {
      const frame = document?.createElement('iframe')
      const opening = (line = { frame })
      line.port = step('load', 'vault', open(frame, opening))
      line.port.catch(() => {
        frame?.remove()
        if (line === opening) line = undefined
      })
    } else if (line.frame && !line.frame.isConnected) {
      drop(unreachable('was taken out of the page'))
      return connect()
    }
    return line.port
  }

  const watch = () => {
    unheard = 0
    pulse ??= setInterval(beat, PULSE)
  }

  const beat = () => {
    if (!line.frame.isConnected) return drop(unreachable('was taken out of the page'))
    if (unheard++ >= MISSED) return drop(unreachable('does not answer any more'))
    line.wire.postMessage({ do: 'ping' })
  }

  const send = async (message, transfer = []) => {
    const port = await connect()
    return new Promise((resolve, reject) => {
      const id = ++last
      waiting.set(id, { resolve, reject })
      watch()
      const { sent, ...rest } = message
      port.postMessage({ id, ...rest }, transfer)
      sent?.(() => port.postMessage({ do: 'abort', call: id }))
    })
  }

  /** The body of an answer: the vault sends ahead what a window holds, and more when this much has been read. */
  const bodyOf = (port, signal) => {
    let got = 0
    let end
    const finish = () => {
      reading.delete(end)
      rest()
      signal.removeEventListener('abort', onAbort)
      port.close()
    }
    const cancel = () => {
      port.postMessage('cancel')
      finish()
    }
    const onAbort = () => {
      port.postMessage('cancel')
      end(signal.reason)
    }
    return new ReadableStream(
      {
        start(controller) {
          end = error => {
            finish()
            controller.error(error)
          }
          reading.add(end)
          watch()
          signal.addEventListener('abort', onAbort)
          port.onmessage = ({ data }) => {
            if (data === null) {
              finish()
              return controller.close()
            }
            if (!(data instanceof Uint8Array)) return end(revive(data))
            got += data.byteLength
            controller.enqueue(data)
          }
        },
        pull() {
          if (got) port.postMessage(got)
          got = 0
        },
        cancel,
      },
      { highWaterMark: 0 },
    )
  }

  const fetchPrivate = async (input, init) => {
    const request = new Request(input, init)
    const { signal, method, url, cache } = request
    signal.throwIfAborted()
    const options = {}
    for (const name of OPTIONS) if (init?.[name] !== undefined) options[name] = init[name]
    let stop
    let onAbort
    const aborted = new Promise((_, reject) => {
      onAbort = () => {
        stop?.()
        reject(signal.reason)
      }
      signal.addEventListener('abort', onAbort)
    })
    const asked = async () => {
      const bytes = method === 'GET' || method === 'HEAD' ? null : await request.arrayBuffer()
      signal.throwIfAborted()
      const body = bytes?.byteLength ? bytes : null
      const headers = [...request.headers]
      const sent = abort => {
        stop = abort
        if (signal.aborted) abort()
      }
      return send({ do: 'fetch', url, method, headers, body, cache, options, sent }, body ? [body] : [])
    }
    const answer = asked()
    try {
      const { status, statusText, headers, url: from, body: port, refusal } = await Promise.race([answer, aborted])
      const response = new Response(port && bodyOf(port, signal), { status, statusText, headers })
      if (refusal !== undefined) refusals.set(response, refusal)
      return Object.defineProperty(response, 'url', { value: from, configurable: true })
    } finally {
      signal.removeEventListener('abort', onAbort)
      answer.catch(() => {})
    }
  }

  const explain = async response => {
    if (!refusals.has(response)) return null
    const error = await send({ do: 'explain', refusal: refusals.get(response) })
    return error && revive(error)
  }

  const scopesFor = async calls =>
    send({
      do: 'scopesFor',
      calls: Array.from(calls, call => {
        const { method = 'GET', url = call } = Object(call) === call ? call : {}
        return [String(method), new URL(url, location.href).href]
      }),
    })

  /** What a login may be told here; all the rest is the vault's to say. */
  const wishes = ({ returnTo, appState, prompt, scope, authorizationParameters }) => {
    const back = new URL(returnTo ?? location.href, location.href)
    if (back.origin !== location.origin) throw wrong('returnTo: must be of this origin')
    const ask = { ...(scope && { scope }), ...(authorizationParameters && { authorizationParameters }) }
    return { do: 'login', returnTo: back.href, appState: appState ?? null, prompt: prompt ?? null, ask: scope || authorizationParameters ? ask : null }
  }

  const startLogin = async (config = {}) => {
    const { display = 'page', displayTimeout = 600, signal, navigate, ...rest } = config
    const { returnTo, appState, prompt, scope, authorizationParameters, ...others } = rest
    const [unknown] = Object.keys(others)
    if (unknown) throw wrong(`${unknown}: is the vault's to say, in its own page`)
    if (!['page', 'popup'].includes(display)) throw wrong('display: must be page or popup')
    signal?.throwIfAborted()
    const message = wishes(rest)
    if (display === 'popup') return inPopup(message, displayTimeout, signal)
    const { url, login } = await send({ ...message, popup: false })
    signal?.throwIfAborted()
    try {
      sessionStorage.setItem(LEFT + home.href, login)
    } catch {
      throw failed('storage_blocked', 'this page can keep nothing in sessionStorage', 'Ask the user to allow site data, or make room there')
    }
    await goTo(url, navigate)
  }

  /** The login that has brought this tab back, if one has: the vault knows. */
  const left = () => {
    try {
      return sessionStorage.getItem(LEFT + home.href)
    } catch {
      return null
    }
  }

  /** Settles never where it succeeds: the page is left. */
  const leaveFor = url =>
    new Promise(() => {
      location.assign(url)
    })

  const goTo = (url, navigate) => {
    step('leave', undefined, Promise.resolve())
    return navigate ? navigate(url) : leaveFor(url)
  }

  const inPopup = (message, seconds, signal) => {
    // Now: while the user's click is handled.
    let opened
    try {
      opened = globalThis.open('about:blank', '_blank', 'popup,width=500,height=700')
    } catch {
      // Firefox throws where others give nothing.
    }
    if (!opened) {
      throw failed('popup_blocked', 'the browser has blocked the popup', 'Call startLogin while a click is handled')
    }
    // Nothing that is shown there later may reach this page.
    opened.opener = null
    return new Promise((resolve, reject) => {
      const end = (settle, value) => {
        clearTimeout(timer)
        clearInterval(looking)
        signal?.removeEventListener('abort', onAbort)
        // The vault closes its own window; one that has not got there, or is given up, is closed here.
        if (settle === reject) opened.close()
        settle(value)
      }
      const onAbort = () => end(reject, signal.reason)
      signal?.addEventListener('abort', onAbort)
      const timer = setTimeout(
        () => end(reject, failed('timeout', 'the login took too long', 'Try again', true)),
        seconds * 1000,
      )
      let left = false
      let late = 0
      const looking = setInterval(() => {
        // A window that was never seen to leave is cut off (Cross-Origin-Opener-Policy), and `closed` says nothing.
        if (!opened.closed) left ||= hasLeft(opened)
        // The vault closes it when it is done, and what it has told may still be on its way.
        else if (left && ++late > LATE) end(reject, failed('popup_closed', 'the popup was closed', 'Ask the user, and try again', true))
      }, LOOK)
      send({ ...message, popup: true })
        .then(({ url, login }) => {
          opened.location.replace(url)
          return send({ do: 'outcome', login })
        })
        .then(
          session => end(resolve, session),
          error => end(reject, error),
        )
    })
  }

  const logout = async ({ revoke = false, endSession = false, navigate, ...others } = {}) => {
    const [unknown] = Object.keys(others)
    if (unknown) throw wrong(`${unknown}: there is no such option of a logout`)
    const url = await send({ do: 'logout', revoke, endSession: !!endSession, returnTo: location.href })
    if (url) await goTo(url, navigate)
  }

  return {
    OAuthError,
    isOAuthError,
    ...traced({
      startLogin,
      handleRedirect: async () => send({ do: 'handleRedirect', login: left() }),
      fetchPrivate,
      explain,
      scopesFor,
      session: async () => send({ do: 'session' }),
      restore: async () => send({ do: 'restore' }),
      userinfo: async () => send({ do: 'userinfo' }),
      logout,
    }),
    debug: listener => {
      watcher = listener
    },
    onSessionChange: (listener, options) => {
      const entry = change => listener(change)
      listeners.add(entry)
      const remove = () => listeners.delete(entry)
      options?.signal?.addEventListener('abort', remove)
      if (options?.signal?.aborted) remove()
      return () => void remove()
    },
  }
}

/** Whether the window shows another site by now; where that cuts it off from this page, it seems closed instead. */
const hasLeft = opened => {
  try {
    return opened.location.href === undefined
  } catch {
    return true
  }
}
