import { QueryClient } from '@tanstack/query-core' // the same in @tanstack/react-query and its siblings
import { explain, fetchPrivate, isOAuthError, onSessionChange } from 'oauth-wasm'

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      queryFn: async ({ queryKey: [path], signal }) => {
        const response = await fetchPrivate(`https://api.example${path}`, { signal })
        if (!response.ok) throw await explain(response)
        return response.json()
      },
      retry: (count, error) => count < 2 && (!isOAuthError(error) || error.retryable),
    },
  },
})

onSessionChange(({ type }) => type === 'ended' && queries.clear()) // nobody sees another user's data
