// The application of examples/react by react-oidc-context: docs/compare.md counts the lines of both.
import { StrictMode, useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { createBrowserRouter, Link, Outlet, RouterProvider } from 'react-router'
import { AuthProvider, useAuth, withAuthenticationRequired } from 'react-oidc-context'
import { api, settings } from '../config.js'

const here = () => ({ state: { returnTo: location.pathname } })
const Header = () => {
  const auth = useAuth()
  if (auth.isLoading) return <p>…</p>
  const login = <button onClick={() => auth.signinRedirect(here())} disabled={!!auth.activeNavigator}>Log in</button>
  const button = auth.isAuthenticated ? <button onClick={() => auth.removeUser()}>Log out</button> : login
  return <header>{button} <Link to="/me">My data</Link> {auth.error && <p role="alert">{auth.error.message}</p>}<Outlet /></header>
}
const Me = () => {
  const headers = { authorization: `Bearer ${useAuth().user.access_token}` }
  const [user, setUser] = useState()
  useEffect(() => void fetch(`${api}/users/me`, { headers }).then(response => response.json()).then(setUser), [headers.authorization])
  return <p id="user">{user?.nickname}</p>
}
const Protected = withAuthenticationRequired(Me, { signinRedirectArgs: { state: { returnTo: '/me' } } })
const router = createBrowserRouter([{ element: <Header />, children: [
  { path: '/', element: <h1>Shop</h1> },
  { path: '/me', element: <Protected /> },
] }])
const back = user => router.navigate(user?.state?.returnTo ?? '/', { replace: true })
createRoot(document.querySelector('#app')).render(
  <StrictMode>
    <AuthProvider {...settings} onSigninCallback={back}><RouterProvider router={router} /></AuthProvider>
  </StrictMode>,
)
