'use client'

import { useLogin, useSession } from 'oauth-wasm/react'

export default function Account() {
  const { session, loading } = useSession()
  const { login, logout, busy, error } = useLogin()
  if (loading) return <p>…</p>
  return (
    <>
      {session ? <button onClick={logout}>Log out</button> : <button onClick={login} disabled={busy}>Log in</button>}
      {error && <p role="alert">{error.message}</p>}
    </>
  )
}
