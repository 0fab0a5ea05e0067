'use client'

import { useRouter } from 'next/navigation'
import { OAuthProvider } from 'oauth-wasm/react'

/** A function: `location` is not there when the server renders this. */
const login = () => ({
  provider: 'mercadolibre',
  site: 'MLB',
  clientId: '1620218256833906',
  redirectUri: location.origin + '/',
  scope: ['offline_access', 'read'],
  keep: 'tab',
})

export default function OAuth({ children }) {
  const router = useRouter()
  return <OAuthProvider login={login} navigate={to => router.replace(to)}>{children}</OAuthProvider>
}
