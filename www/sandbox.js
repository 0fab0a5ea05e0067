// The provider beside this page: where it is, and its controls (sandbox/README.md).

/** Its origin, from the server of this page. Throws a sentence for people if it does not answer. */
export async function findSandbox() {
  let origin = 'the address that /sandbox.json should name'
  try {
    origin = (await (await fetch('/sandbox.json')).json()).origin
    await fetch(origin + '/_sandbox/settings')
    return origin
  } catch {
    throw new Error(`The sandbox does not answer at ${origin}. Start it with cargo xtask demo, then try again.`)
  }
}

export const control = (origin, path, body) =>
  fetch(`${origin}/_sandbox/${path}`, { method: 'POST', body: body && JSON.stringify(body) })

/** What the sandbox knows of: errors, requests. */
export const ask = async (origin, path) => (await fetch(`${origin}/_sandbox/${path}`)).json()

/** Runs `task` and gives its result with the requests that the sandbox saw meanwhile. */
export async function watch(origin, task) {
  const before = (await requests(origin)).length
  const result = await task()
  return { result, seen: (await requests(origin)).slice(before) }
}

// The sandbox records whole requests, tokens included. Only these lines of them may stay in this page.
const requests = async origin =>
  (await ask(origin, 'requests')).map(({ method, path, status, body }) => ({
    line: `${method} ${path} → ${status}`,
    isPreflight: method === 'OPTIONS',
    isRefresh: path === '/oauth/token' && body.includes('grant_type=refresh_token'),
  }))

/** Answers the next request to `path` with a fault while `task` runs. */
export async function withFault(origin, pathPrefix, kind, task) {
  await control(origin, 'settings', { faults: [{ pathPrefix, kind, times: 1 }] })
  try {
    return await task()
  } finally {
    await control(origin, 'settings', { faults: [] })
  }
}
