// An application in React, in StrictMode: every effect runs twice.

import { StrictMode, useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'
import * as oauth from 'oauth-wasm'
import { use } from '/e2e/use.js'
import { useSession } from './session.js'

use(oauth)
window.effects = 0
window.answers = []

const api = new URLSearchParams(location.hash.slice(1)).get('api') ?? sessionStorage.api
sessionStorage.api = api

const User = () => {
  const [email, setEmail] = useState('')
  const [problem, setProblem] = useState('')
  useEffect(() => {
    const controller = new AbortController()
    const { signal } = controller
    oauth
      .fetchPrivate(`${api}/users/me`, { signal })
      .then(response => response.json())
      .then(user => setEmail(user.email))
      .catch(e => signal.aborted || setProblem(e.code))
    return () => controller.abort()
  }, [])
  return <p id="user">{email || problem || '…'}</p>
}

const App = () => {
  const session = useSession()
  useEffect(() => {
    window.effects++
    // What many applications do: once more in each effect.
    oauth.handleRedirect().then(
      again => window.answers.push(again ? again.extra.user_id : null),
      e => window.answers.push(e.code),
    )
  }, [])
  if (session === undefined) return <p id="state">…</p>
  return (
    <>
      <p id="state">{session ? 'logged in' : 'logged out'}</p>
      {session && <User />}
      {session && <button id="leave" onClick={() => oauth.logout()}>Log out</button>}
    </>
  )
}

createRoot(document.querySelector('#app')).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
