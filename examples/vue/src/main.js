import { createApp, h } from 'vue'
import { createRouter, createWebHistory } from 'vue-router'
import { createOAuth, Protected } from 'oauth-wasm/vue'
import { login } from '../../config.js'
import App from './App.vue'
import User from './User.vue'

const oauth = createOAuth({ login, navigate: to => router.replace(to) })
const me = { path: '/me', component: { render: () => h(Protected, null, () => h(User)) } }
const router = createRouter({ history: createWebHistory(), routes: [{ path: '/', component: { render: () => 'Shop' } }, me] })
createApp(App).use(oauth).use(router).mount('#app')
