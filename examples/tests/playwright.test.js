// What docs/testing.md and docs/recipes.md say of a real browser, in Chromium.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createServer } from 'vite'

const LONG = 60_000
const workerFile = createRequire(import.meta.url).resolve('msw/mockServiceWorker.js')
/** As `npx msw init public` puts it beside the application. */
const worker = {
  name: 'worker',
  configureServer: ({ middlewares }) =>
    void middlewares.use('/mockServiceWorker.js', (_, response) =>
      response.setHeader('content-type', 'text/javascript').end(readFileSync(workerFile)),
    ),
}
let browser
const servers = []

const serve = async (root, more) => {
  const server = await createServer({ root: new URL(root, import.meta.url).pathname, logLevel: 'error', ...more })
  servers.push(server)
  await server.listen()
  return server.resolvedUrls.local[0]
}

beforeAll(async () => {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] })
}, LONG)

afterAll(async () => {
  await browser?.close()
  for (const server of servers) await server.close()
})

test('Playwright: who is logged in, and what the API answers, is said before the page runs', async () => {
  const origin = await serve('../react', { mode: 'test' })
  const page = await browser.newPage()
  await page.addInitScript(() => {
    globalThis.oauthWasmTesting = {
      session: { scope: ['read'] },
      answers: { 'https://api.mercadolibre.com/users/me': { nickname: 'FAKE' } },
    }
  })
  await page.goto(`${origin}me`)
  await page.getByText('FAKE').waitFor()
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByRole('button', { name: 'Log in' }).first().waitFor()
  expect(await page.locator('#user').count()).toBe(0)
}, LONG)

test('MSW: its service worker sees the requests of fetchPrivate', async () => {
  const page = await browser.newPage()
  await page.goto(await serve('./msw', { plugins: [worker] }))
  await page.getByText('FAKE 7').waitFor()
  expect(await page.locator('body').textContent()).toContain('FAKE 7')
}, LONG)
