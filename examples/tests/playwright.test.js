// docs/testing.md's way by Playwright: the application of examples/react with the fake, in Chromium.
import { chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createServer } from 'vite'

let browser, server

beforeAll(async () => {
  server = await createServer({ root: new URL('../react', import.meta.url).pathname, mode: 'test', logLevel: 'error' })
  await server.listen()
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox'] })
}, 60_000)

afterAll(async () => {
  await browser?.close()
  await server?.close()
})

test('who is logged in, and what the API answers, is said before the page runs', async () => {
  const page = await browser.newPage()
  await page.addInitScript(me => {
    globalThis.oauthWasmTesting = { session: { scope: ['read'] }, answers: { [me]: { nickname: 'FAKE' } } }
  }, 'https://api.mercadolibre.com/users/me')
  await page.goto(new URL('/me', server.resolvedUrls.local[0]).href)
  await page.getByText('FAKE').waitFor()
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByRole('button', { name: 'Log in' }).first().waitFor()
  expect(await page.locator('#user').count()).toBe(0)
}, 60_000)
