import { createResource, createSignal, Show } from 'solid-js'
import { render } from 'solid-js/web'
import { fetchPrivate } from 'oauth-wasm'
import { OAuthProvider, Protected, useLogin, useSession } from 'oauth-wasm/solid'
import { api, login } from '../../config.js'

const [path, setPath] = createSignal(location.pathname)
addEventListener('popstate', () => setPath(location.pathname))

const Header = () => {
  const auth = useSession()
  const { login, logout } = useLogin()
  const logIn = () => <button onClick={login} disabled={auth.busy}>Log in</button>
  return <Show when={!auth.loading}>
    <Show when={auth.session} fallback={logIn()}><button onClick={logout}>Log out</button></Show> <a href="/me">My data</a>
    <Show when={auth.error}>{error => <p role="alert">{error().message}</p>}</Show>
  </Show>
}
const Me = () => {
  const [user] = createResource(() => fetchPrivate(`${api}/users/me`).then(response => response.json()))
  return <p id="user">{user()?.nickname}</p>
}
render(() => (
  <OAuthProvider login={login}>
    <Header /><Show when={path() === '/me'} fallback={<h1>Shop</h1>}><Protected><Me /></Protected></Show>
  </OAuthProvider>
), document.querySelector('#app'))
