// What a provider's file says, for people. It is the very file that the library works with; whatever is decided by it
// is asked of the library.

/** The whole file. */
export const load = async name => (await import(`/pkg/providers/${name}.js`)).default

export const say = (texts, language) => (typeof texts === 'string' ? texts : (texts?.[language] ?? texts?.en ?? ''))

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
