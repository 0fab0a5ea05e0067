// Each client's own call that adds a token to a request, set up as its documentation shows it. `only` names the kinds of
// value that the call takes, where it does not take all that fetch does.

import { Auth0Client } from '@auth0/auth0-spa-js'
import { OAuth2Client, OAuth2Fetch } from '@badgateway/oauth2-client'
import { allowInsecureRequests, protectedResourceRequest } from 'oauth4webapi'

const isLoopback = ({ hostname }) => /^(localhost|127\..*)$/.test(hostname)

export const peers = ({ token, api }) => ({
  '@auth0/auth0-spa-js': {
    call: (() => {
      const client = new Auth0Client({ domain: 'tenant.example', clientId: 'client' })
      const fetcher = client.createFetcher({ baseUrl: api, getAccessToken: async () => token })
      return input => fetcher.fetchWithAuth(input)
    })(),
  },
  oauth4webapi: {
    only: ['text', 'URL', 'changing text', 'lying URL', 'replaced getter'],
    call: async input => {
      const url = input instanceof URL ? input : new URL(input, document.baseURI)
      const options = isLoopback(url) ? { [allowInsecureRequests]: true } : undefined
      return protectedResourceRequest(token, 'GET', url, undefined, undefined, options)
    },
  },
  '@badgateway/oauth2-client': {
    call: (() => {
      const client = new OAuth2Client({ server: api, clientId: 'client' })
      const getNewToken = async () => ({ accessToken: token, refreshToken: null, expiresAt: null })
      const wrapper = new OAuth2Fetch({ client, getNewToken })
      return input => wrapper.fetch(input)
    })(),
  },
})

window.peers = peers
