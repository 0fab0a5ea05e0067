// What every application of these tests does with the library: it answers the redirect as soon as it is there, keeps
// the answer for the test, and leaves the rest to the test.

const told = e =>
  e instanceof Error
    ? { error: { ...e, name: e.name, message: e.message, stack: e.stack } }
    : { reason: e === undefined ? 'undefined' : e }

/** `{value}`, `{error}`, or `{reason}` where what was thrown is no Error. */
window.outcome = promise => promise.then(value => ({ value }), told)

/** The same of a promise of a Response, which is read. */
window.answered = promise =>
  outcome(
    promise.then(async response => ({
      native: response instanceof Response,
      status: response.status,
      body: await response.text(),
    })),
  )

/** Runs a function body here, among the page's own scripts, where WebDriver's scripts are strangers. */
window.run = async (body, args) => {
  const Body = (async () => {}).constructor
  const result = await new Body('args', body)(JSON.parse(args))
  return JSON.stringify(result) ?? 'null'
}

export const use = oauth => {
  window.redirected = outcome(oauth.handleRedirect()).then(({ value, ...failure }) =>
    value === undefined ? failure : { session: value },
  )
  // What the address bar shows before anything was awaited.
  window.addressAfterCall = location.href
  window.oauth = oauth
}
