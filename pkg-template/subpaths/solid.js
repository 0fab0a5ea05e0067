import { Show, createComponent, createContext, createSignal, onCleanup, onMount, useContext } from 'solid-js'
import * as library from 'oauth-wasm'
import { createStore } from './store.js'

const Context = createContext()

export const OAuthProvider = props => {
  const { client = library, login, navigate, onError } = props
  const store = createStore(client, { login, navigate, onError })
  const [state, setState] = createSignal(store.get())
  onMount(() => onCleanup(store.subscribe(now => setState(() => now))))
  return createComponent(Context.Provider, {
    value: { store, state },
    get children() {
      return props.children
    },
  })
}

const useStore = () => {
  const found = useContext(Context)
  if (!found) throw new Error('oauth-wasm/solid: put <OAuthProvider> around this component')
  return found
}

/** Getters, so that each view follows the member it reads. */
const view = state => ({
  get session() {
    return state().session
  },
  get loading() {
    return state().loading
  },
  get busy() {
    return state().busy
  },
  get error() {
    return state().error
  },
  get ended() {
    return state().ended
  },
})

export const useSession = () => view(useStore().state)

export const useLogin = () => {
  const { store, state } = useStore()
  return {
    login: store.login,
    logout: store.logout,
    get busy() {
      return state().busy
    },
    get error() {
      return state().error
    },
  }
}

export const Protected = props => {
  const { store, state } = useStore()
  onMount(() => onCleanup(store.requireLogin(props.login)))
  const seen = Object.defineProperty(view(state), 'login', { value: store.login })
  return createComponent(Show, {
    get when() {
      return state().session
    },
    get fallback() {
      return typeof props.fallback === 'function' ? createComponent(props.fallback, seen) : props.fallback
    },
    get children() {
      return props.children
    },
  })
}
