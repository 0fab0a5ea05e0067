// The provider beside this page: where it is, and its controls (sandbox/README.md).

/**
 * The providers that it speaks: its application, whom to ask about, a path to call, one that asks for little scope
 * or none, first calls of a seller, its other applications, and a token (sandbox/README.md, "Who lives here").
 */
export const SPEAKS = {
  mercadolibre: {
    clientId: '1620218256833906',
    isNumber: true,
    userOf: session => session?.extra.user_id ?? 'me',
    path: '/orders/search',
    open: '/users/me',
    quick: [
      ['Your orders', 'GET', '/orders/search'],
      ['Your questions', 'GET', '/my/received_questions/search'],
      ['Your account', 'GET', '/users/me'],
      ['Change a listing', 'PUT', '/items/MLA1136716168'],
    ],
    applications: [
      ['1620218256833906', 'without functional permissions'],
      ['7164926001833742', 'with one: sales and shipments, to read'],
    ],
  },
  appfigures: {
    clientId: 'appfigures-sandbox',
    isNumber: false,
    userOf: () => 'test_user_38730994@testuser.com',
    path: '/products/mine',
    open: '/data/categories',
    token: 'pat_sandbox',
  },
}

/**
 * `{ origin, relay }`, which the server of this page knows: where it is, and in front of what a client id stands for the
 * relay that adds the secret; without a relay, token requests go to the sandbox itself. Throws a sentence for people
 * if nobody answers there.
 */
export async function findSandbox() {
  let found = { origin: 'the address in /sandbox.json' }
  const signal = AbortSignal.timeout(5000)
  try {
    found = await (await fetch('/sandbox.json', { signal })).json()
    await fetch(found.origin + '/_sandbox/settings', { signal })
    return found
  } catch {
    throw new Error(`No sandbox answers at ${found.origin}. Start it with npx oauth-wasm sandbox, then try again.`)
  }
}

export const control = (origin, path, body) =>
  fetch(`${origin}/_sandbox/${path}`, { method: 'POST', body: body && JSON.stringify(body) })

export const documentedErrors = async origin => (await fetch(origin + '/_sandbox/errors')).json()

/** Runs `task`; its result, and the requests that the sandbox saw meanwhile. */
export async function watch(origin, task) {
  const before = (await requests(origin)).length
  const result = await task()
  return { result, seen: (await requests(origin)).slice(before) }
}

// The sandbox records whole requests, tokens included. Only these words about them may stay in this page.
const requests = async origin =>
  (await (await fetch(origin + '/_sandbox/requests')).json()).map(({ method, path, status, body }) => ({
    line: `${method} ${path} → ${status}`,
    isPreflight: method === 'OPTIONS',
    isRefresh: path === '/oauth/token' && body.includes('grant_type=refresh_token'),
  }))

/** How many refresh requests it has seen since it began, and how many refresh tokens again after they were spent. */
export async function tally(origin) {
  const [seen, twice] = await Promise.all([requests(origin), fetch(origin + '/_sandbox/spent-twice')])
  const { refreshTokens: spentTwice } = await twice.json()
  return { refreshes: seen.filter(request => request.isRefresh).length, spentTwice }
}

/** Has the next request to `pathPrefix` go wrong while `task` runs; or others, as `which` has it. */
export async function withFault(origin, pathPrefix, kind, task, which = { times: 1 }) {
  await control(origin, 'settings', { faults: [{ pathPrefix, kind, ...which }] })
  try {
    return await task()
  } finally {
    await control(origin, 'settings', { faults: [] })
  }
}
