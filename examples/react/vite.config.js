import react from '@vitejs/plugin-react'

// `vite --mode test`: the application with the fake library, for tests in a browser (docs/testing.md).
const fake = [{ find: /^oauth-wasm$/, replacement: 'oauth-wasm/testing' }]

export default ({ mode }) => ({ plugins: [react()], resolve: { alias: mode === 'test' ? fake : [] } })
