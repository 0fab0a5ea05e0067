// What a provider's file says, for people. It is the very file that the library works with; what the library decides
// by it is asked of the library, and only what is shown beside that is worked out here.

/** The whole file. */
export const load = async name => (await import(`/pkg/providers/${name}.js`)).default

export const say = (texts, language) => (typeof texts === 'string' ? texts : (texts?.[language] ?? texts?.en ?? ''))

/** A scope, and all that it implies. */
export function including(scopes, name, seen = new Set()) {
  if (seen.has(name)) return seen
  seen.add(name)
  for (const next of scopes[name]?.implies ?? []) including(scopes, next, seen)
  return seen
}

/** Whether scopes that are held allow all of `needed`. */
export const allow = (scopes, held, needed) =>
  needed.every(name => held.some(scope => including(scopes, scope).has(name)))

const isSafe = method => ['GET', 'HEAD', 'OPTIONS'].includes(method)

/** The first route that fits: `{ path, need }`; `need` is undefined where the file does not say. */
export function routeOf({ routes = [] }, method, path) {
  const route = routes.find(({ path: pattern }) => fits(pattern, path))
  return route && { path: route.path, need: isSafe(method) ? route.read : route.write }
}

function fits(pattern, path) {
  const open = pattern.endsWith('/*')
  const want = parts(open ? pattern.slice(0, -2) : pattern)
  const have = parts(path)
  const long = open ? have.length >= want.length : have.length === want.length
  return long && want.every((part, at) => part.startsWith('{') || part === have[at])
}

const parts = path => path.split('/').filter(Boolean)

/** The first row of the error table that fits what a server says. */
export const rowOf = ({ errors = [] }, { error, status, description = '' }) =>
  errors.find(
    row =>
      (!row.error || row.error === error || row.also?.includes(error)) &&
      (!row.status || row.status === status) &&
      (!row.says || description.includes(row.says)),
  )

/**
 * The file's addresses at `sandbox`; the user goes to the host of the country, under a name of this machine, and token
 * requests to the relay where there is one.
 */
export function at(sandbox, file, site, relay) {
  const here = url => url?.replace(/^https:\/\/[^/]+/, sandbox)
  const { revocationRequest } = file
  return {
    authorizationEndpoint: beside(sandbox, authorizationEndpoint(file, site)),
    tokenEndpoint: relay ?? here(file.tokenEndpoint),
    revocationEndpoint: here(file.revocationEndpoint),
    revocationRequest: revocationRequest && { ...revocationRequest, url: here(revocationRequest.url) },
    resourceServers: file.resourceServers.map(here),
  }
}

export const authorizationEndpoint = (file, site) =>
  file.sites?.[site]?.authorizationEndpoint ?? file.authorizationEndpoint

/** `auth.mercadolibre.com.ar` is `auth.mercadolibre.com.ar.localhost` here: browsers know that as this machine. */
function beside(sandbox, endpoint) {
  const { host, pathname } = new URL(endpoint)
  return `http://${host}.localhost:${new URL(sandbox).port}${pathname}`
}
