import assert from 'node:assert/strict'
import { test } from 'node:test'
import { started } from './starts.mjs'

/** A browser whose first starts fail like these; what came of it, and what was said and ended. */
async function browser(...failures) {
  const seen = { begun: 0, ended: 0, said: [] }
  const start = () => {
    const failure = failures[seen.begun]
    seen.begun += 1
    return { up: failure ? failure() : Promise.resolve(`start ${seen.begun}`), end: async () => void (seen.ended += 1) }
  }
  const up = started('bundlers: chromium', start, { patience: 20, say: line => seen.said.push(line) })
  seen.outcome = await up.catch(error => error)
  return seen
}
const hangs = () => new Promise(() => {})
const fails = () => Promise.reject(new Error('no display\nat its own place'))

test('a browser that hangs at its first start and fails at its second is started again and named', async () => {
  assert.deepEqual(await browser(hangs, fails), {
    begun: 3,
    ended: 2,
    said: [
      'lacks: bundlers: chromium was started again (it hung)',
      'lacks: bundlers: chromium was started again (no display)',
    ],
    outcome: 'start 3',
  })
})

test('a browser that never comes up is an error, and nothing of it is left', async () => {
  const { begun, ended, said, outcome } = await browser(hangs, hangs, hangs, hangs, hangs, hangs)
  assert.equal(outcome.message, 'it hung')
  assert.deepEqual([begun, ended, said.length], [5, 5, 4])
})

test('a browser that comes up is started once and not named', async () => {
  assert.deepEqual(await browser(), { begun: 1, ended: 0, said: [], outcome: 'start 1' })
})
