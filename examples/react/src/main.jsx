import { StrictMode, useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { createBrowserRouter, Link, Outlet, RouterProvider } from 'react-router'
import { fetchPrivate } from 'oauth-wasm'
import { OAuthProvider, Protected, useLogin, useSession } from 'oauth-wasm/react'
import { api, login } from '../../config.js'

const Header = () => {
  const { session, loading } = useSession()
  const { login, logout, busy, error } = useLogin()
  if (loading) return <p>…</p>
  const button = session ? <button onClick={logout}>Log out</button> : <button onClick={login} disabled={busy}>Log in</button>
  return <header>{button} <Link to="/me">My data</Link> {error && <p role="alert">{error.message}</p>}<Outlet /></header>
}
const Me = () => {
  const [user, setUser] = useState()
  useEffect(() => void fetchPrivate(`${api}/users/me`).then(response => response.json()).then(setUser), [])
  return <p id="user">{user?.nickname}</p>
}
const router = createBrowserRouter([{ element: <Header />, children: [
  { path: '/', element: <h1>Shop</h1> },
  { path: '/me', element: <Protected><Me /></Protected> },
] }])
createRoot(document.querySelector('#app')).render(
  <StrictMode>
    <OAuthProvider login={login} navigate={to => router.navigate(to, { replace: true })}><RouterProvider router={router} /></OAuthProvider>
  </StrictMode>,
)
