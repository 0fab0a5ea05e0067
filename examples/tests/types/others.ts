// The packages for Vue, Svelte and Solid, judged by the TypeScript compiler.

import { createApp } from 'vue'
import * as solid from 'oauth-wasm/solid'
import * as svelte from 'oauth-wasm/svelte'
import * as vue from 'oauth-wasm/vue'
import type { LoginConfig, Session } from 'oauth-wasm'

const login: LoginConfig = { issuer: 'https://login.example', clientId: 'app', redirectUri: '/' }

const plugin = vue.createOAuth({ login, navigate: path => path.length })
createApp({}).use(plugin)
export const ref: Session | null | undefined = vue.useSession().session.value
export const busy: boolean = vue.useLogin().busy.value
export const stop: () => void = plugin.requireLogin({ scope: 'read' })

const oauth = svelte.createOAuth({ login: () => login })
oauth.session.subscribe(session => session?.clientId)
export const logged: Promise<Session | void> = oauth.login({ display: 'popup' })

export const accessor: boolean = solid.useSession().loading
solid.Protected({ fallback: ({ login }) => String(login) })

// @ts-expect-error a session has no token
export const token = vue.useSession().session.value?.accessToken
