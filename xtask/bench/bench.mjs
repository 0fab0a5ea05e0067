// `cargo xtask bench`: this library against others, in one run. docs/benchmarks.md says what is measured and how.
// Arguments: the package, the directory in which npm installed it, and --quick, --write.
import { build } from 'esbuild'
import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { memoryOf, openChromium, within } from './chromium.mjs'
import { appPage, compressed, host, provider, vaultFiles } from './servers.mjs'

const HERE = dirname(fileURLToPath(import.meta.url))
const DOCS = join(HERE, '../../docs/benchmarks.md')
const [PKG, INSTALLED, ...flags] = process.argv.slice(2)
const QUICK = flags.includes('--quick')

/** In the order of the tables: the applications of apps/. */
const OURS = ['oauth-wasm', 'oauth-wasm-kept', 'oauth-wasm-inline']
const PEERS = ['oauth4webapi', 'oauth2-client', 'oidc-client-ts', 'auth0-spa-js']
const VAULT = 'oauth-wasm-vault'
const BARE = 'fetch'
const TITLES = {
  'oauth-wasm': 'oauth-wasm',
  'oauth-wasm-kept': 'kept',
  'oauth-wasm-inline': 'inline',
  oauth4webapi: 'oauth4webapi',
  'oauth2-client': 'badgateway',
  'oidc-client-ts': 'oidc-client-ts',
  'auth0-spa-js': 'auth0-spa-js',
}

/** Slow 4G as Chromium's developer tools have it. */
const NETWORKS = {
  'this machine': { rounds: QUICK ? 3 : 15, conditions: {} },
  'slow 4G': { rounds: QUICK ? 1 : 5, conditions: { latency: 562.5, down: 180_000, up: 84_375 } },
}
const CALLS = { rounds: QUICK ? 15 : 60, calls: 200, warmUp: 5 }
const STREAM = { bytes: 100_000_000, rounds: QUICK ? 1 : 3 }

const TIMES = {
  visit: 'a visit, nothing cached',
  leaves: 'a visit and a click at once, until the page leaves, nothing cached',
  visitAgain: 'a visit, cached',
  click: 'a click once the page rests, until it leaves',
  callback: 'the callback until the session, nothing cached',
  callbackAgain: 'the callback until the session, cached',
  calledAgain: 'the callback until a private call is answered, cached',
}
const BYTES = {
  visit: 'a visit',
  leaves: 'a visit and a click at once',
  callback: 'the callback and a call, nothing cached',
  rest: 'a visit that comes to rest, with what is fetched ahead',
}

/** One line that says how far it is; where nobody watches, only its end. */
const say = (text, over) => {
  if (process.stdout.isTTY) process.stdout.write(`\r${text.padEnd(70)}${over ? '\n' : ''}`)
  else if (over) console.log(text)
}
const timed = async (title, work) => {
  const start = performance.now()
  say(`${title} ...`)
  const result = await work(detail => say(`${title} ... ${detail}`))
  say(`${title} ... ${((performance.now() - start) / 1000).toFixed(0)} s`, true)
  return result
}
const median = numbers => [...numbers].sort((a, b) => a - b)[numbers.length >> 1]

/** The applications, bundled alike: their files by path. */
const bundle = async (names, defined) => {
  const files = new Map()
  for (const name of names) {
    files.set(`/${name}/index.html`, appPage(name))
    const { outputFiles } = await build({
      entryPoints: { main: join(HERE, 'page.js') },
      alias: { '#application': join(HERE, `apps/${name}.js`) },
      nodePaths: [join(INSTALLED, 'node_modules')],
      define: Object.fromEntries(Object.entries(defined).map(([key, value]) => [key, JSON.stringify(value)])),
      outdir: '/',
      bundle: true,
      splitting: true,
      minify: true,
      format: 'esm',
      target: 'es2022',
      legalComments: 'none',
      logLevel: 'warning',
      write: false,
    })
    for (const { path, text } of outputFiles) files.set(`/${name}${path}`, text)
  }
  return files
}

/** From a page on which somebody has just begun to log in, to the address of the callback. */
const consent = async (page, world) => {
  await page.network({})
  const url = await within(world.provider.arrival(), () => 'the user to be sent to the provider')
  await page.hears('provider')
  return world.provider.allow(url)
}

/** Whose failure it was. */
const named = async (name, work) => {
  try {
    return await work()
  } catch (error) {
    throw new Error(`${name}: ${error.message}`)
  }
}

/** A new page that this function uses. */
const withPage = async (world, use) => {
  const page = await world.chromium.newPage()
  try {
    return await use(page)
  } finally {
    await page.close()
  }
}

/** A visitor with an empty cache, who clicks at once; and a callback with an empty cache. */
const first = (world, name, conditions, note) =>
  withPage(world, async page => {
    await page.before('globalThis.clickAtOnce = true')
    await page.network(conditions)
    await page.go(`${world.app}/${name}/`)
    const out = await page.hears('loggedOut')
    const left = await page.hears('left')
    const callback = await consent(page, world)
    await page.emptyCache()
    await page.network(conditions)
    await page.go(callback)
    const session = await page.hears('loggedIn')
    const called = await page.hears('called')
    note('visit', out.at, out.bytes)
    note('leaves', left.at, left.bytes)
    note('callback', session.at, called.bytes)
  })

/** One whose browser has what the page leaves in its cache. */
const again = (world, name, conditions, note) =>
  withPage(world, async page => {
    await page.network(conditions)
    await page.go(`${world.app}/${name}/`)
    await page.hears('loggedOut')
    await page.rests()
    note('rest', 0, await page.run('downloaded()'))
    await page.go(`${world.app}/${name}/`)
    const out = await page.hears('loggedOut')
    await page.rests()
    await page.run("document.querySelector('button').click()")
    const left = await page.hears('left')
    const callback = await consent(page, world)
    await page.network(conditions)
    await page.go(callback)
    const session = await page.hears('loggedIn')
    const called = await page.hears('called')
    note('visitAgain', out.at, out.bytes)
    note('click', left.sinceClick, 0)
    note('callbackAgain', session.at, 0)
    note('calledAgain', called.at, 0)
    if (!called.nickname) throw new Error(`${name}: the private call gave nobody's name`)
  })

/** Medians by what was measured and by application: `{ times, bytes }`. */
const journeys = async (world, { rounds, conditions }, detail) => {
  const names = [...OURS, ...PEERS]
  const all = {}
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      detail(`round ${round + 1} of ${rounds}, ${name}`)
      const note = (what, time, bytes) => {
        const noted = ((all[what] ??= {})[name] ??= { times: [], bytes: [] })
        noted.times.push(time)
        noted.bytes.push(bytes)
      }
      await named(name, async () => {
        await first(world, name, conditions, note)
        await again(world, name, conditions, note)
      })
    }
  }
  const each = (table, use) => Object.fromEntries(Object.entries(table).map(([key, value]) => [key, use(value)]))
  const medians = kind => each(all, by => each(by, noted => median(noted[kind])))
  return { times: medians('times'), bytes: medians('bytes') }
}

/** fetch is answered at once, in every frame, where it is asked for this. */
const AT_ONCE = `{
  const real = globalThis.fetch
  globalThis.fetch = (input, init) =>
    (input.url ?? String(input)).endsWith('/at-once') ? Promise.resolve(new Response('{}')) : real(input, init)
}`

/** A page of this application, logged in. */
const loggedIn = (world, name, page) =>
  named(name, async () => {
    if (name !== BARE) await page.before('globalThis.clickAtOnce = true')
    await page.go(`${world.app}/${name}/`)
    if (name === BARE) return page.hears('loggedOut')
    await page.go(await consent(page, world))
    await page.hears('called')
  })

/** Microseconds of one call by application, fetch being answered at once. */
const calls = async (world, detail) => {
  const names = [BARE, 'oauth-wasm', 'oauth-wasm-kept', VAULT, ...PEERS]
  const pages = []
  try {
    for (const name of names) {
      const page = await world.chromium.newPage()
      pages.push({ name, page, times: [] })
      await page.before(AT_ONCE)
      await loggedIn(world, name, page)
    }
    for (let round = -CALLS.warmUp; round < CALLS.rounds; round++) {
      detail(round < 0 ? 'warming up' : `round ${round + 1} of ${CALLS.rounds}`)
      for (const { page, times } of pages) {
        await page.send('Page.bringToFront')
        const time = await page.run(`timeCalls('${world.provider.origin}/at-once', ${CALLS.calls})`)
        if (round >= 0) times.push(time)
      }
    }
    return Object.fromEntries(pages.map(({ name, times }) => [name, median(times)]))
  } finally {
    for (const { page } of pages) await page.close()
  }
}

/** What a long answer needs of memory and time, by who reads it. */
const streams = async (world, detail) => {
  const readers = {
    'fetch': [BARE, 'readAll'],
    'fetch, held whole (a control)': [BARE, 'holdAll'],
    'oauth-wasm': ['oauth-wasm', 'readAll'],
    'a vault': [VAULT, 'readAll'],
  }
  const url = `${world.provider.origin}/big?bytes=${STREAM.bytes}`
  const found = {}
  for (let round = 0; round < STREAM.rounds; round++) {
    for (const [title, [name, reader]] of Object.entries(readers)) {
      detail(`round ${round + 1} of ${STREAM.rounds}, ${title}`)
      await withPage(world, async page => {
        await loggedIn(world, name, page)
        await page.rests()
        await page.send('HeapProfiler.collectGarbage')
        const processes = await world.chromium.processes()
        const before = memoryOf(processes)
        let most = before
        const watch = setInterval(() => (most = Math.max(most, memoryOf(processes))), 50)
        const start = performance.now()
        const bytes = await page.run(`${reader}('${url}')`).finally(() => clearInterval(watch))
        const seconds = (performance.now() - start) / 1000
        if (bytes !== STREAM.bytes) throw new Error(`${title}: ${bytes} bytes came`)
        const noted = (found[title] ??= { most: [], seconds: [] })
        noted.most.push(most - before)
        noted.seconds.push(seconds)
      })
    }
  }
  return Object.entries(found).map(([title, { most, seconds }]) => [title, median(most), median(seconds)])
}

const table = (head, rows) => {
  const line = cells => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, n) => (n ? '---:' : '---'))), ...rows.map(line)].join('\n')
}

/** A table of what was measured, each with its ratio to the best of the others. */
const compared = (titles, found, unit) => {
  const names = [...OURS, ...PEERS]
  const rows = Object.entries(titles).map(([what, title]) => {
    const best = Math.min(...PEERS.map(name => found[what][name]))
    return [title, ...names.map(name => `${unit(found[what][name])} (${(found[what][name] / best).toFixed(2)})`)]
  })
  return table(['', ...names.map(name => TITLES[name])], rows)
}

const milliseconds = time => (time < 10 ? time.toFixed(1) : time.toFixed(0))
const kilobytes = bytes => (bytes / 1000).toFixed(1)

const report = async (world, results, timings, streaming) => {
  const lock = JSON.parse(await readFile(join(HERE, 'package-lock.json'), 'utf8'))
  const version = name => `${name} ${lock.packages[`node_modules/${name}`].version}`
  const packages = ['oauth4webapi', '@badgateway/oauth2-client', 'oidc-client-ts', '@auth0/auth0-spa-js', 'esbuild'].map(version)
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: HERE, encoding: 'utf8' }).trim()
  const [cpu] = cpus()
  const rounds = Object.entries(NETWORKS).map(([name, { rounds }]) => `${rounds} (${name})`)
  const parts = [
    `${new Date().toISOString().slice(0, 10)}, commit ${commit}, ${await world.chromium.version()}, Node ${process.version}, ` +
      `${cpus().length} × ${cpu.model}; ${packages.join(', ')}; rounds: ${rounds.join(', ')}.`,
    `**Kilobytes downloaded**, compressed by brotli; in brackets the ratio to the smallest of the others.`,
    compared(BYTES, results['this machine'].bytes, kilobytes),
    `${kilobytes(world.sizes.page)} KB of each are the page's own. One that logs in and calls through a vault downloads ` +
      `${kilobytes(world.sizes.vault)} KB in all; what the vault's frame downloads is the vault's.`,
  ]
  for (const [network, { times }] of Object.entries(results)) {
    parts.push(`**Milliseconds, ${network}**; in brackets the ratio to the fastest of the others.`, compared(TIMES, times, milliseconds))
  }
  const bare = timings[BARE]
  const theirs = timings.oauth4webapi - bare
  const ratio = own => (theirs > 0 ? (own / theirs).toFixed(2) : '–')
  const callRows = Object.entries(timings).map(([name, time]) => [
    name === BARE ? 'fetch alone' : name === VAULT ? 'a vault' : (TITLES[name] ?? name),
    time.toFixed(1),
    name === BARE ? '' : (time - bare).toFixed(1),
    name === BARE ? '' : ratio(time - bare),
  ])
  parts.push(
    `**Microseconds of a call that is answered at once**; its own cost is what it takes longer than \`fetch\` alone.`,
    table(['', 'a call', 'its own cost', 'ratio to oauth4webapi'], callRows),
    `**${STREAM.bytes / 1e6} MB read as a stream**: the memory of all of Chromium's processes at its highest, over what it was before.`,
    table(['', 'MB more', 'seconds'], streaming.map(([title, most, seconds]) => [title, (most / 1e6).toFixed(0), seconds.toFixed(1)])),
  )
  return parts.join('\n\n')
}

const write = async figures => {
  const [before, rest] = (await readFile(DOCS, 'utf8')).split('<!-- figures -->\n')
  const [, after] = rest.split('<!-- /figures -->\n')
  await writeFile(DOCS, `${before}<!-- figures -->\n\n${figures}\n\n<!-- /figures -->\n${after}`)
}

const main = async () => {
  const world = { provider: await provider(PKG) }
  const open = [world.provider]
  try {
    // Each has the addresses of the others in its files.
    const served = new Map()
    const servedByVault = new Map()
    const [application, vault] = [await host(served), await host(servedByVault)]
    open.push(application, vault)
    world.app = application.origin
    const put = (files, into) => compressed(files).forEach(([path, file]) => into.set(path, file))
    const defined = { PROVIDER: world.provider.origin, VAULT: `${vault.origin}/` }
    await timed('bundle', async () => {
      put(await bundle([BARE, ...OURS, VAULT, ...PEERS], defined), served)
      put(await vaultFiles(PKG, world.app, world.provider.origin), servedByVault)
    })
    const size = name =>
      [...served]
        .filter(([path]) => path.startsWith(`/${name}/`) && path.endsWith('.js'))
        .reduce((sum, [, file]) => sum + file.length, 0)
    world.sizes = { page: size(BARE), vault: size(VAULT) }
    world.chromium = await openChromium()
    open.push(world.chromium)

    const timings = await timed('calls', detail => calls(world, detail))
    const streaming = await timed('streams', detail => streams(world, detail))
    const results = {}
    for (const [network, how] of Object.entries(NETWORKS)) {
      results[network] = await timed(network, detail => journeys(world, how, detail))
    }
    const figures = await report(world, results, timings, streaming)
    console.log(`\n${figures}`)
    if (flags.includes('--write')) await write(figures)
  } finally {
    for (const one of open.reverse()) await one.close()
  }
}

await main()
