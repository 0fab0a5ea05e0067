// Chromium by its DevTools protocol, over a pipe: nothing stands between the bench and what it measures.
import { spawn } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { started } from '../starts.mjs'

const PATIENCE = 60_000
const NAMES = ['chromium', 'google-chrome', 'chromium-browser', 'chrome', '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome']
const FLAGS = [
  '--headless=new',
  '--remote-debugging-pipe',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--no-first-run',
  '--no-default-browser-check',
]

/** The answer, or an error that says what was waited for. */
export const within = (promise, what) => {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited too long for ${what()}`)), PATIENCE)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

const run = (name, args) =>
  new Promise(resolve => {
    const child = spawn(name, args, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] })
    child.on('error', () => resolve(null))
    child.on('spawn', () => resolve(child))
  })

export const openChromium = async () => {
  const chromium = await started('bench: chromium', () => {
    const begun = begin()
    return { up: begun.then(shows), end: async () => (await begun)?.close() }
  })
  if (!chromium) throw new Error('install Chromium (or Chrome)')
  return chromium
}

const shows = async chromium => {
  const page = await chromium?.newPage()
  await page?.run('document.title')
  await page?.close()
  return chromium
}

/** Null where there is no such program. */
const begin = async () => {
  const profile = await mkdtemp(join(tmpdir(), 'oauth-wasm-bench-'))
  const sandbox = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  let child
  for (const name of NAMES) child ??= await run(name, [...FLAGS, ...sandbox, `--user-data-dir=${profile}`, 'about:blank'])
  if (!child) {
    await rm(profile, { recursive: true })
    return null
  }
  const over = new Promise(resolve => child.on('close', resolve))
  const [, , , commands, answers] = child.stdio
  commands.on('error', () => {})

  const asked = new Map()
  const listeners = new Map()
  let last = 0
  let rest = ''
  answers.setEncoding('utf8').on('data', text => {
    const messages = (rest + text).split('\0')
    rest = messages.pop()
    for (const message of messages) hear(JSON.parse(message))
  })
  const hear = ({ id, result, error, method, params, sessionId }) => {
    if (!id) return listeners.get(sessionId)?.(method, params)
    const { resolve, reject, what } = asked.get(id)
    asked.delete(id)
    error ? reject(new Error(`${what}: ${error.message}`)) : resolve(result)
  }
  const send = (method, params = {}, sessionId) => {
    const id = ++last
    const answer = new Promise((resolve, reject) => asked.set(id, { resolve, reject, what: method }))
    commands.write(JSON.stringify({ id, method, params, sessionId }) + '\0')
    return within(answer, () => method)
  }

  return {
    version: async () => (await send('Browser.getVersion')).product,
    processes: async () => (await send('SystemInfo.getProcessInfo')).processInfo.map(({ id }) => id),
    /** A page in a context of its own: nothing of an earlier one is stored or cached in it. */
    newPage: async () => {
      const { browserContextId } = await send('Target.createBrowserContext')
      const { targetId } = await send('Target.createTarget', { url: 'about:blank', browserContextId })
      const { sessionId } = await send('Target.attachToTarget', { targetId, flatten: true })
      const page = new Page((method, params) => send(method, params, sessionId))
      listeners.set(sessionId, (method, params) => page.hear(method, params))
      page.close = async () => {
        await send('Target.disposeBrowserContext', { browserContextId })
        listeners.delete(sessionId)
      }
      await page.start()
      return page
    },
    close: async () => {
      child.kill('SIGKILL')
      await over
      await rm(profile, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

class Page {
  constructor(send) {
    this.send = send
    this.told = []
    this.waits = []
    this.underWay = new Set()
  }

  async start() {
    for (const domain of ['Page', 'Runtime', 'Network']) await this.send(`${domain}.enable`)
    await this.send('Runtime.addBinding', { name: 'bench' })
  }

  hear(method, params) {
    if (method === 'Runtime.bindingCalled') this.tell(JSON.parse(params.payload))
    if (method === 'Network.requestWillBeSent') this.underWay.add(params.requestId)
    if (method === 'Network.loadingFinished' || method === 'Network.loadingFailed') this.underWay.delete(params.requestId)
  }

  tell(event) {
    const at = this.waits.findIndex(({ what }) => what === event.what)
    if (event.what === 'failed') return this.waits.splice(0).forEach(({ reject }) => reject(new Error(event.error)))
    at < 0 ? this.told.push(event) : this.waits.splice(at, 1)[0].resolve(event)
  }

  /** What the page says of this, once. */
  hears(what) {
    const failed = this.told.find(event => event.what === 'failed')
    if (failed) return Promise.reject(new Error(failed.error))
    const at = this.told.findIndex(event => event.what === what)
    if (at >= 0) return Promise.resolve(this.told.splice(at, 1)[0])
    const heard = new Promise((resolve, reject) => this.waits.push({ what, resolve, reject }))
    return within(heard, () => `the page to say ${what}`)
  }

  /** On every page from now on, before its own scripts. */
  before(script) {
    return this.send('Page.addScriptToEvaluateOnNewDocument', { source: script })
  }

  async go(url) {
    this.underWay.clear()
    const { errorText } = await this.send('Page.navigate', { url })
    if (errorText) throw new Error(`${url}: ${errorText}`)
  }

  async run(expression) {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    return result.value
  }

  network({ latency = 0, down = -1, up = -1 }) {
    const conditions = { offline: false, latency, downloadThroughput: down, uploadThroughput: up }
    return this.send('Network.emulateNetworkConditions', conditions)
  }

  emptyCache() {
    return this.send('Network.clearBrowserCache')
  }

  /** Loaded, with nothing to do and nothing under way. */
  async rests() {
    const idle = 'new Promise(done => requestIdleCallback(done))'
    const loaded = "document.readyState === 'complete' || new Promise(done => addEventListener('load', done, { once: true }))"
    await this.run(loaded)
    for (let quiet = 0; quiet < 3; ) {
      await this.run(idle)
      await this.run('new Promise(done => setTimeout(done, 50))')
      quiet = this.underWay.size ? 0 : quiet + 1
    }
  }
}

/** Bytes of memory that these processes have for themselves, what they share divided among them. Linux only, else null. */
export const memoryOf = processes => {
  let sum = 0
  for (const id of processes) {
    try {
      const [, pss] = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${id}/smaps_rollup`, 'utf8'))
      sum += pss * 1024
    } catch {
      if (process.platform !== 'linux') return null
    }
  }
  return sum
}
