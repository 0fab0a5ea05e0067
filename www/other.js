// Another provider, by its issuer: its endpoints are asked of it (discovery), and there is no file that explains it.
import { explain, fetchPrivate } from '/pkg/oauth-wasm.js'
import { shown } from './routes.js'
import { $, log, say } from './show.js'

export const OTHER = 'other'

/** Shows the fields for it, as they were left before a login. Then `page.file` is null. */
export function showOther(page, choices) {
  page.file = null
  $('provider').value = OTHER
  $('client-id').value = choices?.clientId ?? ''
  $('client-id').inputMode = 'text'
  $('log-in').disabled = false
  say('client-id-error', '')
  $('other-answer').hidden = true
  if (!choices) return
  const { issuer, scope, servers } = choices
  $('issuer').value = issuer
  $('other-scope').value = scope
  $('servers').value = servers.join(' ')
  $('other-url').value = servers[0]
  say('other-servers', servers.join(' '))
}

/** The library checks all of it. Unless others are named, the token goes to the issuer's origin. */
function readOther() {
  const text = id => $(id).value.trim()
  const issuer = text('issuer')
  const named = text('servers').split(/\s+/).filter(Boolean)
  const servers = named.length || !URL.canParse(issuer) ? named : [new URL(issuer).origin]
  return { provider: OTHER, issuer, clientId: text('client-id'), scope: text('other-scope'), servers }
}

export function configurationOfOther() {
  const choices = readOther()
  const { issuer, clientId, scope, servers: resourceServers } = choices
  const provider = undefined
  return { provider, issuer, clientId, scope, resourceServers, returnTo: location.pathname, appState: { choices } }
}

/** Calls the address that was typed in; a refusal is thrown as what it means. */
export async function callOther() {
  $('other-answer').hidden = true
  const response = await fetchPrivate($('other-url').value.trim())
  const words = `GET ${new URL(response.url).pathname} → ${response.status}`
  log('fetchPrivate()', words)
  const error = await explain(response)
  if (error) throw error
  say('other-status', words)
  $('other-body').replaceChildren(...(await shown(response)))
  $('other-answer').hidden = false
}
