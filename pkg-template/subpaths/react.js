import { createContext, createElement, useContext, useEffect, useState, useSyncExternalStore } from 'react'
import * as library from 'oauth-wasm'
import { UNKNOWN, createStore } from './store.js'

const Context = createContext(undefined)

export const OAuthProvider = ({ children, client = library, ...options }) => {
  const [store] = useState(() => createStore(client, options))
  return createElement(Context.Provider, { value: store }, children)
}

const useStore = () => {
  const store = useContext(Context)
  if (!store) throw new Error('oauth-wasm/react: put <OAuthProvider> around this component')
  return store
}

export const useSession = () => {
  const store = useStore()
  return useSyncExternalStore(store.subscribe, store.get, () => UNKNOWN)
}

export const useLogin = () => {
  const { login, logout } = useStore()
  const { busy, error } = useSession()
  return { login, logout, busy, error }
}

const offer = ({ loading, busy, login }) =>
  loading || busy ? null : createElement('button', { type: 'button', onClick: login }, 'Log in')

export const Protected = ({ children, fallback = offer, login: more }) => {
  const store = useStore()
  const state = useSession()
  useEffect(() => store.requireLogin(more), [store])
  if (state.session) return children
  return typeof fallback === 'function' ? fallback({ ...state, login: store.login }) : fallback
}
