// What the packages for frameworks and for tests let an application write, judged by the TypeScript compiler.

import type { ReactNode } from 'react'
import { OAuthProvider, Protected, useLogin, useSession } from 'oauth-wasm/react'
import { createTestLibrary, isOAuthError, mock, OAuthError, reply, type TestCall } from 'oauth-wasm/testing'
import * as library from 'oauth-wasm'

const View = (): ReactNode => {
  const { session, loading, error } = useSession()
  const { login, logout, busy } = useLogin()
  if (loading || session === undefined) return null
  const again = async () => {
    const here = await login({ display: 'popup', ...error?.ask })
    return here?.clientId
  }
  return (
    <div>
      <button onClick={login} disabled={busy} />
      <button onClick={logout} onBlur={again} />
      {session?.clientId} {error?.code}
    </div>
  )
}

export const App = (): ReactNode => (
  <OAuthProvider login={{ issuer: 'https://login.example', clientId: 'app', redirectUri: '/' }} navigate={to => to.length} client={createTestLibrary()}>
    <OAuthProvider login={() => ({ issuer: 'https://login.example', clientId: 'app', redirectUri: location.href })} client={library}>
      <Protected fallback={({ loading, login }) => (loading ? '…' : <button onClick={login} />)}>
        <View />
      </Protected>
    </OAuthProvider>
  </OAuthProvider>
)

mock.reset({ session: { scope: ['read'] }, answers: { 'https://api.example/*': (call: TestCall) => reply(201, call.method) } })
mock.fail('fetchPrivate', 'insufficient_scope', { scope: ['read'], ask: { scope: 'read' } })
mock.on('scopesFor', async () => ['read'])
mock.emit('expiring')
mock.emit({ type: 'ended', reason: 'session_ended' })
export const caught = (reason: unknown): string => (isOAuthError(reason) ? reason.code : '')
export const made: string = new OAuthError('timeout').remedy

// @ts-expect-error a login needs a clientId
export const incomplete = <OAuthProvider login={{ redirectUri: '/' }} />
// @ts-expect-error there is no such code
mock.fail('fetchPrivate', 'no_such_code')
// @ts-expect-error there is no such function
mock.fail('fetchPublic', 'timeout')
// @ts-expect-error an answer of its own has the types of the function
mock.on('session', () => 7)
