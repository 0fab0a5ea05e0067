// What the packages for frameworks share: one session as a state that views read.

const UNKNOWN = Object.freeze({ session: undefined, loading: true, busy: false, error: undefined, ended: undefined })

const here = () => location.pathname + location.search + location.hash

const isAt = redirectUri => {
  const { origin, pathname } = new URL(redirectUri, location.href)
  return origin + pathname === location.origin + location.pathname
}

/** Where the application has no router to tell: routers listen to `popstate`. */
const goTo = path => {
  history.replaceState(history.state, '', path)
  dispatchEvent(new PopStateEvent('popstate', { state: history.state }))
}

/**
 * `config` is what `startLogin` is told, or what gives it. Nothing happens before the first view subscribes, and on a
 * server never: what is rendered there is not known yet.
 */
export const createStore = (library, { login: config, navigate = goTo, onError, debug } = {}) => {
  let state = UNKNOWN
  let started = false
  let told = false
  // Back from the provider's page is an answer too: who went back is not sent there again at once.
  let wentBack = false
  const views = new Set()

  const set = more => {
    state = Object.freeze({ ...state, ...more })
    for (const view of [...views]) view(state)
  }
  const fail = error => {
    set({ error, busy: false, loading: false })
    if (onError) onError(error)
  }
  const settings = () => (typeof config === 'function' ? config() : config)

  /** Nobody waits for it: a guard of the router may wait for the session. */
  const go = to => (async () => navigate(to))().catch(fail)

  const arrive = async () => {
    const was = location.href
    const answer = library.handleRedirect()
    // The response has left the address bar, but a router may have read it before.
    const cleaned = location.href !== was
    let to
    try {
      const back = await answer
      if (!back) return await library.restore()
      // The answer to a login stays the same for the life of the page; the session may have ended since.
      const now = await library.session()
      // Who comes back from a vault is there already.
      const there = settings()?.redirectUri
      if (now && back.returnTo !== null && (cleaned || (there && isAt(there)))) to = back.returnTo
      return now
    } finally {
      to ??= cleaned ? here() : undefined
      if (to !== undefined && (cleaned || to !== here())) go(to)
    }
  }

  const start = async () => {
    // A vault has its steps in its own page.
    if (debug) library.debug?.(debug)
    wentBack = performance.getEntriesByType?.('navigation')[0]?.type === 'back_forward'
    addEventListener('pageshow', event => {
      if (!event.persisted) return
      wentBack = true
      set({ busy: false })
    })
    library.onSessionChange(change => {
      told = true
      const ended = change.type === 'ended' ? change.reason : undefined
      set({ session: change.session, ended, ...(change.type === 'started' && { error: undefined }) })
    })
    let error
    let session = null
    try {
      session = await arrive()
    } catch (reason) {
      error = reason
      // A login that failed takes nothing from a session that there was.
      session = await library.restore().catch(() => null)
    }
    set({ loading: false, ...(!told && { session }) })
    if (error) fail(error)
  }

  /** Runs one step; what goes wrong is in the state, so that a click handler needs no `catch`. */
  const run = async step => {
    set({ busy: true, error: undefined })
    try {
      const result = await step()
      set({ busy: false })
      return result
    } catch (error) {
      // Not a failure: see `wentBack`.
      if (error?.code === 'login_abandoned') set({ busy: false })
      else fail(error)
    }
  }

  const subscribe = view => {
    views.add(view)
    if (!started && typeof document !== 'undefined') {
      started = true
      start()
    }
    return () => void views.delete(view)
  }

  const login = more => run(() => library.startLogin({ returnTo: here(), ...settings(), ...plain(more) }))

  return {
    get: () => state,
    subscribe,
    login,
    logout: options => run(() => library.logout(plain(options))),
    /** Sends whoever is not logged in to log in: not after a failure, a logout, or Back. Ends by what it returns. */
    requireLogin(more) {
      const check = () => {
        const { loading, session, busy, error, ended } = state
        if (!loading && !session && !busy && !error && !wentBack && ended !== 'logout') login(more)
      }
      const stop = subscribe(check)
      check()
      return stop
    },
  }
}

/** `onClick={login}` gives a handler the event, which is no configuration. */
const plain = more => (more && typeof more === 'object' && 'target' in more && 'type' in more ? undefined : more)

export { UNKNOWN }
