import { createApp } from 'vue'
import { createRouter, createWebHistory } from 'vue-router'
import { createOAuth } from 'oauth-wasm/vue'
import { login } from '../../config.js'
import App from './App.vue'
import Me from './Me.vue'

const oauth = createOAuth({ login, navigate: to => router.replace(to) })
const routes = [{ path: '/', component: { render: () => 'Shop' } }, { path: '/me', component: Me }]
const router = createRouter({ history: createWebHistory(), routes })
createApp(App).use(oauth).use(router).mount('#app')
