// What docs/testing.md and docs/recipes.md say of a real browser, in Chromium.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createServer } from 'vite'
import { started } from '../../xtask/starts.mjs'

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

/** A profile of its own, and a page that has shown something. */
const start = () => {
  const launched = chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'], timeout: 20_000 })
  const shows = async () => {
    const page = await (await launched).newPage()
    await page.evaluate('document.title')
    await page.close()
    return launched
  }
  // Not waited for: it may never answer, and ends with this process.
  return { up: shows(), end: async () => void launched.then(browser => browser.close()).catch(() => {}) }
}

beforeAll(async () => {
  browser = await started('playwright: chromium', start, { patience: 20_000 })
}, 2 * LONG)

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
