// A browser that does not come up is started again, and named.

/** As often as everywhere (xtask/src/live.rs, tests/e2e/src/driver.rs). */
const STARTS = 5
const PATIENCE = 30_000

/**
 * What `up` of the first start that comes up in time gives. `start` makes a start of its own: `up`, and `end`, which ends
 * all that it has begun. The report of the suites repeats what is said of the others.
 */
export async function started(who, start, { patience = PATIENCE, say = console.log } = {}) {
  for (let left = STARTS - 1; ; left -= 1) {
    const { up, end } = start()
    let timer
    const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error('it hung')), patience)))
    try {
      return await Promise.race([up, late])
    } catch (error) {
      await end()
      if (!left) throw error
      say(`lacks: ${who} was started again (${error.message.split('\n')[0]})`)
    } finally {
      clearTimeout(timer)
    }
  }
}
