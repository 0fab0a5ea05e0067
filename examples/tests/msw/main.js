// The library itself, and MSW's service worker as its users start it.
import { http, HttpResponse } from 'msw'
import { setupWorker } from 'msw/browser'
import { adoptToken, fetchPrivate } from 'oauth-wasm'

const me = http.get('https://api.example/users/:id', ({ params }) => HttpResponse.json({ nickname: `FAKE ${params.id}` }))
await setupWorker(me).start({ quiet: true })
await adoptToken('token', { resourceServers: ['https://api.example'] })
const response = await fetchPrivate('https://api.example/users/7')
document.body.textContent = (await response.json()).nickname
