import { useSyncExternalStore } from 'react'
import { handleRedirect, onSessionChange } from 'oauth-wasm'

let session // undefined until it is known; then the session, or null
const views = new Set()
const show = now => {
  session = now
  for (const view of views) view()
}
onSessionChange(change => show(change.session))
handleRedirect().then(back => session === undefined && show(back), () => show(null))

const subscribe = view => {
  views.add(view)
  return () => views.delete(view)
}
export const useSession = () => useSyncExternalStore(subscribe, () => session)
