import { derived, readable } from 'svelte/store'
import * as library from 'oauth-wasm'
import { createStore } from './store.js'

export const createOAuth = ({ client = library, ...options }) => {
  const store = createStore(client, options)
  const state = readable(store.get(), set => {
    // It may have changed while nobody read it.
    set(store.get())
    return store.subscribe(set)
  })
  const of = name => derived(state, now => now[name])
  const { login, logout, requireLogin } = store
  return {
    session: of('session'),
    loading: of('loading'),
    busy: of('busy'),
    error: of('error'),
    ended: of('ended'),
    login,
    logout,
    requireLogin,
  }
}
