import { computed, h, inject, onBeforeUnmount, onMounted, shallowRef } from 'vue'
import * as library from 'oauth-wasm'
import { createStore } from './store.js'

const KEY = Symbol('oauth-wasm')
const MEMBERS = ['session', 'loading', 'busy', 'error', 'ended']

export const createOAuth = ({ client = library, ...options }) => {
  const store = createStore(client, options)
  const state = shallowRef(store.get())
  const { login, logout, requireLogin } = store
  const oauth = { login, logout, requireLogin }
  for (const name of MEMBERS) oauth[name] = computed(() => state.value[name])
  // Now, not at `install`: before a router reads the response in the address.
  store.subscribe(now => {
    state.value = now
  })
  return { ...oauth, install: app => void app.provide(KEY, oauth) }
}

const useOAuth = () => {
  const oauth = inject(KEY, undefined)
  if (!oauth) throw new Error('oauth-wasm/vue: say app.use(createOAuth({ login })) before mount')
  return oauth
}

export const useSession = () => {
  const { session, loading, busy, error, ended } = useOAuth()
  return { session, loading, busy, error, ended }
}

export const useLogin = () => {
  const { login, logout, busy, error } = useOAuth()
  return { login, logout, busy, error }
}

export const Protected = {
  name: 'Protected',
  props: { login: { type: Object, default: undefined } },
  setup(props, { slots }) {
    const oauth = useOAuth()
    let stop
    onMounted(() => {
      stop = oauth.requireLogin(props.login)
    })
    onBeforeUnmount(() => stop && stop())
    return () => {
      if (oauth.session.value) return slots.default?.()
      const { loading, busy, error, ended, login } = oauth
      if (slots.fallback) {
        return slots.fallback({ loading: loading.value, busy: busy.value, error: error.value, ended: ended.value, login })
      }
      return loading.value || busy.value ? undefined : h('button', { type: 'button', onClick: login }, 'Log in')
    }
  },
}
