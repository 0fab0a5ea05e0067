import axios from 'axios'
import { fetchPrivate } from 'oauth-wasm'

export const api = axios.create({
  baseURL: 'https://api.example',
  adapter: 'fetch',
  env: { fetch: (input, init) => fetchPrivate(input, init) },
})
