// The page of every application: who is logged in, a button for who is not, one private call for who is. What has
// happened when is told to the bench, in milliseconds since the page's HTML had come.
import { answer, call, logIn } from '#application'

const html = performance.getEntriesByType('navigation')[0]
const tell = (what, more) =>
  globalThis.bench?.(JSON.stringify({ what, at: performance.now() - html.responseEnd, bytes: downloaded(), ...more }))

/** What was downloaded by now, as compressed; what came out of the cache is not. */
globalThis.downloaded = () =>
  performance
    .getEntriesByType('resource')
    .filter(({ name, transferSize }) => transferSize > 0 && new URL(name).origin === location.origin)
    .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0)

let clicked
globalThis.navigation?.addEventListener('navigate', ({ destination }) => {
  const { origin, href } = new URL(destination.url)
  if (origin !== location.origin) tell('left', { url: href, sinceClick: performance.now() - clicked })
})

const button = document.querySelector('button')
button.onclick = () => {
  clicked = performance.now()
  logIn().catch(failed)
}
const failed = error => tell('failed', { error: String(error) })

const page = async () => {
  const session = await answer()
  if (!session) {
    tell('loggedOut')
    if (globalThis.clickAtOnce) button.click()
    return
  }
  tell('loggedIn')
  const { nickname } = await (await call(`${PROVIDER}/users/me`)).json()
  tell('called', { nickname })
}

page().catch(failed)

/** How long one of so many calls takes, one after the other, in microseconds. */
globalThis.timeCalls = async (url, calls) => {
  const start = performance.now()
  for (let n = 0; n < calls; n++) await call(url)
  return ((performance.now() - start) * 1000) / calls
}

/** Reads an answer at once; how many bytes there were. */
globalThis.holdAll = async url => (await (await call(url)).arrayBuffer()).byteLength

/** Reads an answer to its end; how many bytes there were. */
globalThis.readAll = async url => {
  const reader = (await call(url)).body.getReader()
  for (let bytes = 0; ; ) {
    const { done, value } = await reader.read()
    if (done) return bytes
    bytes += value.byteLength
  }
}
