import { Client, fetchExchange } from '@urql/core'
import { fetchPrivate } from 'oauth-wasm'

export const graphql = new Client({
  url: 'https://api.example/graphql',
  exchanges: [fetchExchange],
  preferGetMethod: false,
  fetch: (input, init) => fetchPrivate(input, init),
})
