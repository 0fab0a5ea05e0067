import { defineConfig } from 'vitest/config'

const testing = { include: ['testing.test.js'] }
const environment = { include: ['environment.test.js'] }
const react = { include: ['react.test.js'], server: { deps: { inline: ['oauth-wasm'] } } }

// The package that is tested stands in node_modules: `inline` lets vi.mock reach what oauth-wasm/react imports.
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'node', environment: 'node', ...testing } },
      { test: { name: 'jsdom', environment: 'jsdom', ...testing } },
      { test: { name: 'happy-dom', environment: 'happy-dom', ...testing } },
      { test: { name: 'no browser', environment: 'node', ...environment } },
      { test: { name: 'no browser: jsdom', environment: 'jsdom', ...environment } },
      { test: { name: 'no browser: happy-dom', environment: 'happy-dom', ...environment } },
      { test: { name: 'recipes', environment: 'happy-dom', include: ['recipes.test.js'] } },
      { test: { name: 'react in jsdom', environment: 'jsdom', ...react } },
      { test: { name: 'react in happy-dom', environment: 'happy-dom', ...react } },
      // Where the suite says which browser there is.
      ...(process.env.CHROMIUM ? [{ test: { name: 'playwright', environment: 'node', include: ['playwright.test.js'] } }] : []),
    ],
  },
})
