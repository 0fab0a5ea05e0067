// `cargo xtask bench`: this library against others, in one run. docs/benchmarks.md says what is measured and how.
// Arguments: the package, the directory in which npm installed it, --quick, --write, and names of PARTS where not all are wanted.
import { build } from 'esbuild'
import { execFileSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { cpus, loadavg } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { memoryOf, openChromium, within } from './chromium.mjs'
import { appPage, compressed, host, provider, vaultFiles } from './servers.mjs'

const HERE = dirname(fileURLToPath(import.meta.url))
const DOCS = join(HERE, '../../docs')
const [PKG, INSTALLED, ...given] = process.argv.slice(2)
const QUICK = given.includes('--quick')
const WRITE = given.includes('--write')
const PARTS = ['calls', 'streams', 'journeys']
const named = PARTS.filter(part => given.includes(part))
const WANTED = named.length ? named : PARTS

/** In the order of the tables: the applications of apps/. */
const OURS = ['oauth-wasm', 'oauth-wasm-kept', 'oauth-wasm-inline']
const PEERS = ['oauth4webapi', 'oauth2-client', 'oidc-client-ts', 'auth0-spa-js']
/** Bundled, but not run: they talk to servers of their own makers. */
const SIZED = ['keycloak-js', 'msal-browser']
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
  [VAULT]: 'a vault',
  [BARE]: 'no library',
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
const median = numbers => {
  const sorted = [...numbers].sort((a, b) => a - b)
  const half = sorted.length >> 1
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2
}

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

/** Says whose failure it was. */
const as = async (name, work) => {
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
const journey = async (world, { rounds, conditions }, detail) => {
  const names = [...OURS, ...PEERS]
  const all = {}
  for (let round = 0; round < rounds; round++) {
    // In turn, and each round another one first.
    for (const name of names.map((_, n) => names[(n + round) % names.length])) {
      detail(`round ${round + 1} of ${rounds}, ${name}`)
      const note = (what, time, bytes) => {
        const noted = ((all[what] ??= {})[name] ??= { times: [], bytes: [] })
        noted.times.push(time)
        noted.bytes.push(bytes)
      }
      await as(name, async () => {
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
  as(name, async () => {
    if (name !== BARE) await page.before('globalThis.clickAtOnce = true')
    await page.go(`${world.app}/${name}/`)
    if (name === BARE) return page.hears('loggedOut')
    await page.go(await consent(page, world))
    await page.hears('called')
  })

/** Microseconds of one call by application, fetch being answered at once. */
const callsOf = async (world, detail) => {
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
const streamsOf = async (world, detail) => {
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

/** What was measured, as Markdown. */
const report = async (world, { journeys, calls, streams }) => {
  const lock = JSON.parse(await readFile(join(HERE, 'package-lock.json'), 'utf8'))
  const version = name => `${name} ${lock.packages[`node_modules/${name}`].version}`
  const packages = Object.keys(lock.packages[''].devDependencies).map(version)
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: HERE, encoding: 'utf8' }).trim()
  const [cpu] = cpus()
  const rounds = Object.entries(NETWORKS).map(([name, { rounds }]) => `${rounds} (${name})`)
  const parts = [
    `${new Date().toISOString().slice(0, 10)}, commit ${commit}, ${await world.chromium.version()}, Node ${process.version}, ` +
      `${cpus().length} × ${cpu.model} under a load of ${world.load.toFixed(1)} by other work; ${packages.join(', ')}; rounds: ${rounds.join(', ')}.`,
    `**Kilobytes of an application**, compressed by brotli; what one of oauth-wasm downloads depends on what it does, and stands below.`,
    table(['', 'KB'], [BARE, VAULT, ...PEERS, ...SIZED].map(name => [TITLES[name] ?? name, kilobytes(world.sizes[name])])),
  ]
  if (journeys) {
    parts.push(
      `**Kilobytes downloaded by then**; in brackets the ratio to the smallest of the others.`,
      compared(BYTES, journeys['this machine'].bytes, kilobytes),
    )
    for (const [network, { times }] of Object.entries(journeys)) {
      parts.push(`**Milliseconds, ${network}**; in brackets the ratio to the fastest of the others.`, compared(TIMES, times, milliseconds))
    }
  }
  if (calls) {
    const bare = calls[BARE]
    const theirs = calls.oauth4webapi - bare
    const rows = Object.entries(calls).map(([name, time]) => {
      const own = time - bare
      return [TITLES[name] ?? name, time.toFixed(1), ...(name === BARE ? ['', ''] : [own.toFixed(1), theirs > 0 ? (own / theirs).toFixed(2) : '–'])]
    })
    parts.push(
      `**Microseconds of a call that is answered at once**; its own cost is what it takes longer than \`fetch\` alone.`,
      table(['', 'a call', 'its own cost', 'ratio to oauth4webapi'], rows),
    )
  }
  if (streams) {
    const rows = streams.map(([title, most, seconds]) => [title, (most / 1e6).toFixed(0), seconds.toFixed(1)])
    parts.push(
      `**${STREAM.bytes / 1e6} MB read as a stream**: the memory of all of Chromium's processes at its highest, over what it was before.`,
      table(['', 'MB more', 'seconds'], rows),
    )
  }
  return parts.join('\n\n')
}

/** Into docs/benchmarks.md, and the row of bytes of docs/compare.md. */
const write = async (world, { journeys }, figures) => {
  const benchmarks = await readFile(join(DOCS, 'benchmarks.md'), 'utf8')
  const [before, rest] = benchmarks.split('<!-- figures -->\n')
  const [, after] = rest.split('<!-- /figures -->\n')
  await writeFile(join(DOCS, 'benchmarks.md'), `${before}<!-- figures -->\n\n${figures}\n\n<!-- /figures -->\n${after}`)

  const compare = await readFile(join(DOCS, 'compare.md'), 'utf8')
  const [head] = /^\| KB of an application[^|]*\|/m.exec(compare)
  const { bytes } = journeys['this machine']
  const ours = ['visit', 'leaves', 'callback'].map(what => kilobytes(bytes[what]['oauth-wasm'])).join(', ')
  const others = ['oidc-client-ts', 'auth0-spa-js', 'msal-browser', 'keycloak-js', 'oauth4webapi'].map(name => kilobytes(world.sizes[name]))
  const row = [head, ours, ' | ', others.join(' | '), ' |'].join(' ').replace(/ +/g, ' ')
  await writeFile(join(DOCS, 'compare.md'), compare.replace(/^\| KB of an application.*$/m, row))
}

const main = async () => {
  const world = { load: loadavg()[0], provider: await provider(PKG) }
  const open = [world.provider]
  try {
    // Each has the addresses of the others in its files.
    const served = new Map()
    const servedByVault = new Map()
    const [application, vault] = [await host(served), await host(servedByVault)]
    open.push(application, vault)
    world.app = application.origin
    const put = (files, into) => compressed(files).forEach(([path, file]) => into.set(path, file))
    const names = [BARE, ...OURS, VAULT, ...PEERS, ...SIZED]
    const defined = { PROVIDER: world.provider.origin, VAULT: `${vault.origin}/` }
    await timed('bundle', async () => {
      put(await bundle(names, defined), served)
      put(await vaultFiles(PKG, world.app, world.provider.origin), servedByVault)
    })
    const size = name =>
      [...served]
        .filter(([path]) => path.startsWith(`/${name}/`) && path.endsWith('.js'))
        .reduce((sum, [, file]) => sum + file.length, 0)
    world.sizes = Object.fromEntries(names.map(name => [name, size(name)]))
    world.chromium = await openChromium()
    open.push(world.chromium)

    const found = {}
    if (WANTED.includes('calls')) found.calls = await timed('calls', detail => callsOf(world, detail))
    if (WANTED.includes('streams')) found.streams = await timed('streams', detail => streamsOf(world, detail))
    if (WANTED.includes('journeys')) {
      found.journeys = {}
      for (const [network, how] of Object.entries(NETWORKS)) {
        found.journeys[network] = await timed(network, detail => journey(world, how, detail))
      }
    }
    const figures = await report(world, found)
    console.log(`\n${figures}`)
    if (WRITE) await write(world, found, figures)
  } finally {
    for (const one of open.reverse()) await one.close()
  }
}

await main()
