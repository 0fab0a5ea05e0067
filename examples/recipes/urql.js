import { Client, fetchExchange } from '@urql/core'
import { fetchPrivate } from 'oauth-wasm'

export const graphql = new Client({
  url: 'https://api.example/graphql',
  exchanges: [fetchExchange],
  preferGetMethod: false,
  fetch: (input, init) => fetchPrivate(input, init),
})
// Apollo: new ApolloClient({ link: new HttpLink({ uri, fetch: fetchPrivate }), cache: new InMemoryCache() })
