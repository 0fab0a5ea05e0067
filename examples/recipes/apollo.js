import { ApolloClient, HttpLink, InMemoryCache } from '@apollo/client'
import { fetchPrivate } from 'oauth-wasm'

export const client = new ApolloClient({
  link: new HttpLink({ uri: 'https://api.example/graphql', fetch: (input, init) => fetchPrivate(input, init) }),
  cache: new InMemoryCache(),
})
