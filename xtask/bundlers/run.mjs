// `cargo xtask bundlers`: builds a small project with every tool as somebody would who read no manual, opens it in
// Chromium, and logs in. Arguments: the installed package, where the projects go, and the rows that are wanted.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createServer as createSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, extname, isAbsolute, join, normalize } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { started } from '../starts.mjs'

const HERE = dirname(fileURLToPath(import.meta.url))
const [INSTALLED, PROJECTS, ...wanted] = process.argv.slice(2)
const NICKNAME = 'TETE9928972'
const PATIENCE = 60_000
/** A framework builds for minutes where others work beside it, and so does npm. */
const LONG = 600_000
/** For those that demand a newer Node than ours. */
const NODE = '22.23.3'

const tool = (file) => join(HERE, 'node_modules', file)
const page = (script) => `<!doctype html><meta charset="utf-8"><title>app</title>\n${script}\n`
const MODULE = '<script type="module" src="./src/index.js"></script>'
const CLASSIC = '<script defer src="/main.js"></script>'

const vite = (version) => ({
  html: { 'index.html': page(MODULE) },
  build: [tool(`vite${version}/bin/vite.js`), 'build'],
  dev: (port) => [tool(`vite${version}/bin/vite.js`), '--host', 'localhost', '--port', port, '--strictPort'],
})
const esbuild = (format, script) => ({
  html: { 'dist/index.html': page(script) },
  build: [tool('esbuild/bin/esbuild'), 'src/index.js', '--bundle', `--format=${format}`, '--outfile=dist/main.js'],
})

/** A project of its own in the directory of that name, with what npm installs in it; its server, or the directory it writes. */
const framework = (name, { bin, build, dev, start, dist = 'dist' }) => ({
  name,
  build: [`node_modules/${bin}`, ...build],
  dev: (port) => [`node_modules/${bin}`, ...dev(port)],
  start,
  dist,
})
const next = (bundler) =>
  framework('next', {
    bin: 'next/dist/bin/next',
    build: ['build', bundler],
    dev: (port) => ['dev', bundler, '--port', port],
    start: (port) => ['node_modules/next/dist/bin/next', 'start', '--port', port],
  })

/** Without a tool: the user puts the package beside the page. */
const plain = (script, sources) => ({
  html: { 'dist/index.html': page(script) },
  files: sources,
  copies: [[INSTALLED, 'dist/oauth-wasm']],
})
const source = (file) => readFileSync(join(HERE, file), 'utf8')
const integrity = (file) => `sha384-${createHash('sha384').update(readFileSync(join(INSTALLED, file))).digest('base64')}`

/** `html` is what the tool expects of its user, or what the user has written beside the bundle. */
const TOOLS = {
  'vite-5': vite(5),
  'vite-6': vite(6),
  'vite-7': vite(7),
  'vite-8': vite(8),
  'esbuild-esm': {
    ...esbuild('esm', '<script type="module" src="/main.js"></script>'),
    dev: (port) => [tool('esbuild/bin/esbuild'), 'src/index.js', '--bundle', '--format=esm', '--outdir=dist', '--entry-names=main',
      '--servedir=dist', `--serve=localhost:${port}`],
  },
  'esbuild-splitting': {
    html: { 'dist/index.html': page('<script type="module" src="/main.js"></script>') },
    build: [tool('esbuild/bin/esbuild'), 'src/index.js', '--bundle', '--format=esm', '--splitting', '--minify', '--outdir=dist',
      '--entry-names=main'],
  },
  'esbuild-iife': esbuild('iife', CLASSIC),
  rollup: {
    html: { 'dist/index.html': page('<script type="module" src="/index.js"></script>') },
    files: {
      'rollup.config.js': `import resolve from ${JSON.stringify(pathToFileURL(tool('@rollup/plugin-node-resolve/dist/es/index.js')))}
export default { input: 'src/index.js', output: { dir: 'dist' }, plugins: [resolve()] }\n`,
    },
    build: [tool('rollup/dist/bin/rollup'), '--config', 'rollup.config.js'],
  },
  parcel: {
    html: { 'index.html': page(MODULE) },
    build: [tool('parcel/lib/bin.js'), 'build', 'index.html'],
    dev: (port) => [tool('parcel/lib/bin.js'), 'serve', 'index.html', '--port', port],
  },
  webpack: {
    html: { 'public/index.html': page(CLASSIC) },
    copies: [['public', 'dist']],
    build: [tool('webpack-cli/bin/cli.js'), '--mode', 'production'],
    dev: (port) => [tool('webpack-cli/bin/cli.js'), 'serve', '--mode', 'development', '--port', port],
  },
  rspack: {
    html: { 'public/index.html': page(CLASSIC) },
    copies: [['public', 'dist']],
    build: [tool('@rspack/cli/bin/rspack.js'), 'build', '--mode', 'production'],
    dev: (port) => [tool('@rspack/cli/bin/rspack.js'), 'dev', '--mode', 'development', '--port', port],
  },
  rsbuild: {
    html: {},
    build: [tool('@rsbuild/core/bin/rsbuild.js'), 'build'],
    dev: (port) => [tool('@rsbuild/core/bin/rsbuild.js'), 'dev', '--port', port],
  },
  angular: framework('angular', {
    bin: '@angular/cli/bin/ng.js',
    build: ['build'],
    dev: (port) => ['serve', '--port', port],
  }),
  'next-turbopack': next('--turbopack'),
  'next-webpack': next('--webpack'),
  nuxt: framework('nuxt', {
    bin: 'nuxt/bin/nuxt.mjs',
    build: ['build'],
    dev: (port) => ['dev', '--port', port],
    start: () => ['.output/server/index.mjs'],
  }),
  sveltekit: framework('sveltekit', {
    bin: 'vite/bin/vite.js',
    build: ['build'],
    dev: (port) => ['dev', '--host', 'localhost', '--port', port, '--strictPort'],
    start: () => ['build/index.js'],
  }),
  astro: framework('astro', {
    bin: 'astro/bin/astro.mjs',
    build: ['build'],
    dev: (port) => ['dev', '--port', port],
  }),
  'import-map': plain(
    `<script type="importmap">{ "imports": { "oauth-wasm": "/oauth-wasm/oauth-wasm.js" } }</script>\n` +
      '<script type="module" src="/index.js"></script>',
    { 'dist/index.js': source('index.js'), 'dist/login.js': source('login.js') },
  ),
  module: plain('<script type="module" src="/index.js"></script>', {
    'dist/index.js': source('index.js'),
    'dist/login.js': source('login.js').replace("'oauth-wasm'", "'/oauth-wasm/oauth-wasm.js'"),
  }),
  'script-sri': plain(
    `<script src="/oauth-wasm/classic.js" integrity="${integrity('classic.js')}" crossorigin></script>\n` +
      '<script type="module" src="/index.js"></script>',
    {
      'dist/index.js': source('index.js'),
      'dist/login.js': source('login.js').replace(/^import (.*) from 'oauth-wasm'/m, 'const $1 = OAuthWasm'),
    },
  ),
}

const pins = (dir) => {
  const { dependencies, devDependencies } = JSON.parse(source(join(dir, 'package.json')))
  return { ...dependencies, ...devDependencies }
}

/** What the table of docs/bundlers.md calls them. */
const titles = () => {
  const of = (dir, name) => pins(dir)[name].split('@').pop()
  const esbuild = `esbuild ${of('', 'esbuild')}`
  const next = `Next ${of('next', 'next')}`
  return {
    'vite-5': `Vite ${of('', 'vite5')}`,
    'vite-6': `Vite ${of('', 'vite6')}`,
    'vite-7': `Vite ${of('', 'vite7')}`,
    'vite-8': `Vite ${of('', 'vite8')}`,
    'esbuild-esm': `${esbuild}, \`esm\``,
    'esbuild-splitting': `${esbuild}, \`esm\` with \`--splitting --minify\``,
    'esbuild-iife': `${esbuild}, \`iife\``,
    rollup: `Rollup ${of('', 'rollup')} with \`@rollup/plugin-node-resolve\``,
    parcel: `Parcel ${of('', 'parcel')}`,
    webpack: `webpack ${of('', 'webpack')}`,
    rspack: `Rspack ${of('', '@rspack/core')}`,
    rsbuild: `Rsbuild ${of('', '@rsbuild/core')}`,
    angular: `Angular CLI ${of('angular', '@angular/cli')} with zone.js`,
    'next-turbopack': `${next}, Turbopack`,
    'next-webpack': `${next}, webpack`,
    nuxt: `Nuxt ${of('nuxt', 'nuxt')}`,
    sveltekit: `SvelteKit ${of('sveltekit', '@sveltejs/kit')} with \`adapter-node\``,
    astro: `Astro ${of('astro', 'astro')}`,
    'import-map': 'no bundler: import map',
    module: "no bundler: import of the package's file",
    'script-sri': 'no bundler: `<script>` with `integrity`',
  }
}

const HEAD = '| tool | production | development server |\n| --- | --- | --- |\n'

/** Puts the table into the page, `results` being each row's. */
async function document(results) {
  const page = join(HERE, '../../docs/bundlers.md')
  const named = titles()
  const cell = (name) => ({ true: 'yes', false: '**no**' })[results.get(name)] ?? '–'
  const lines = Object.keys(TOOLS).map((name) => `| ${named[name]} | ${cell(`${name} build`)} | ${cell(`${name} dev`)} |\n`)
  const [before, table] = (await readFile(page, 'utf8')).split(HEAD)
  await writeFile(page, before + HEAD + lines.join('') + table.slice(table.indexOf('\n\n') + 1))
}

const ROWS = Object.entries(TOOLS).flatMap(([name, { dev }]) => [`${name} build`, ...(dev ? [`${name} dev`] : [])])

const children = new Set()

/** In a group of its own, so that what it starts can be ended with it. esbuild serves for as long as its input is open. */
function start(program, args, options = {}) {
  const child = spawn(program, args, { detached: true, stdio: ['pipe', 'pipe', 'pipe'], ...options })
  children.add(child)
  child.said = ''
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (child.said += text))
  child.over = new Promise((resolve) => child.on('close', resolve))
  return child
}

async function end(child) {
  if (children.delete(child) && child.exitCode === null && child.signalCode === null) {
    process.kill(-child.pid, 'SIGKILL')
    await child.over
  }
}

const last = (text) => text.trim().split('\n').slice(-6).join(' | ')

async function within(promise, what, patience = PATIENCE) {
  let timer
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(what())), patience)))
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

const listen = (server) => new Promise((resolve) => server.listen(0, 'localhost', () => resolve(server.address().port)))

async function freePort() {
  const socket = createSocket()
  const port = await listen(socket)
  await new Promise((resolve) => socket.close(resolve))
  return String(port)
}

async function sandbox() {
  const child = start('node', [join(INSTALLED, 'bin.mjs'), 'sandbox', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
  for await (const line of createInterface({ input: child.stdout })) {
    const [, origin] = /^sandbox\s+(\S+)\/$/.exec(line) ?? []
    if (!origin) continue
    await fetch(`${origin}/_sandbox/settings`, { method: 'POST', body: '{"autoConsent": true, "requireClientSecret": false}' })
    return origin
  }
  throw new Error('the sandbox did not start')
}

/** Opens pages. It has come up when a page of it has asked for something. */
async function chromium(talk) {
  const args = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--remote-debugging-port=0']
  for (const name of ['chromium', 'google-chrome', 'chromium-browser', 'chrome']) {
    const begin = () => {
      const profile = mkdtempSync(join(profiles, 'profile-'))
      const child = start(name, [...args, `--user-data-dir=${profile}`, 'about:blank'])
      return { up: up(child, talk), end: () => end(child) }
    }
    const open = await started('bundlers: chromium', begin)
    if (open) return open
  }
  throw new Error('install Chromium')
}

/** Null where there is no such program. */
async function up(child, talk) {
  const port = await new Promise((resolve, reject) => {
    child.on('error', () => resolve(null))
    child.on('close', () => reject(new Error(`it ended: ${last(child.said)}`)))
    child.stderr.on('data', () => {
      const [, port] = /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)/.exec(child.said) ?? []
      if (port) resolve(port)
    })
  })
  if (!port) {
    children.delete(child)
    return null
  }
  const open = (url) => fetch(`http://127.0.0.1:${port}/json/new?${encodeURIComponent(url)}`, { method: 'PUT' }).then((answer) => answer.json())
  const shown = new Promise((resolve) => (talk.told.up = resolve))
  await open(`${talk.origin}/first`)
  await shown
  return open
}

/** Who the page asks to be the user, and tells what it has seen. */
function harness() {
  const told = {}
  const server = createServer(async (request, response) => {
    response.setHeader('access-control-allow-origin', '*')
    let body = ''
    for await (const part of request.setEncoding('utf8')) body += part
    if (request.url === '/shown') told.shown?.(JSON.parse(body))
    if (request.url === '/up') told.up?.()
    if (request.url === '/first') response.setHeader('content-type', 'text/html').write("<script>fetch('/up')</script>")
    response.end(request.url === '/user' ? await user(body) : '')
  })
  return { server, told }
}

/** Follows the provider's redirects as far as the application's own address. */
async function user(url) {
  const { origin } = new URL(new URL(url).searchParams.get('redirect_uri'))
  let at = url
  for (let hops = 0; hops < 9 && new URL(at).origin !== origin; hops += 1) {
    const response = await fetch(at, { redirect: 'manual' })
    at = new URL(response.headers.get('location'), at).href
  }
  return at
}

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' }

/** What any static host does. */
function host(dir) {
  return createServer(async (request, response) => {
    const path = normalize(new URL(request.url, 'http://host').pathname)
    const file = join(dir, path.endsWith('/') ? `${path}index.html` : path)
    const body = await readFile(file).catch(() => null)
    response.writeHead(body ? 200 : 404, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream' })
    response.end(body)
  })
}

/**
 * The strictest policy that a host can send with what the tool has written: nothing of another origin, no eval, and of
 * inline script only what stands in this very page, by its hash.
 */
function policy(html, { origin, sandbox }) {
  const inline = [...html.matchAll(/<script(?![^>]*\ssrc=)[^>]*>([^]*?)<\/script>/g)]
  const hashes = inline.map(([, text]) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`)
  return [
    "default-src 'none'; base-uri 'self'; img-src 'self'; style-src 'self'; manifest-src 'self'",
    `connect-src 'self' ${origin} ${sandbox}`,
    ['script-src', "'self'", "'wasm-unsafe-eval'", ...new Set(hashes)].join(' '),
  ].join('; ')
}

/** Passes requests on, and adds the policy to what a page is. */
function guard(site, talk) {
  return createServer(async (request, response) => {
    const answer = await fetch(site + request.url, { redirect: 'manual', headers: { accept: request.headers.accept ?? '*/*' } })
    const body = Buffer.from(await answer.arrayBuffer())
    const type = answer.headers.get('content-type') ?? 'application/octet-stream'
    const headers = { 'content-type': type }
    if (type.startsWith('text/html')) {
      const own = answer.headers.get('content-security-policy')
      headers['content-security-policy'] = [policy(`${body}`, talk), ...(own ? [own] : [])]
    }
    response.writeHead(answer.status, headers).end(body)
  })
}

const npm = (dir, ...args) => start('npm', [...args, '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: dir })

async function installed(dir, ...args) {
  const child = npm(dir, ...args)
  const code = await within(child.over, () => `npm takes too long: ${last(child.said)}`, LONG)
  await end(child)
  if (code !== 0) throw new Error(`npm: ${last(child.said)}`)
}

/** The directory of a Node that is new enough for each framework. */
async function node() {
  if (Number(process.versions.node.split('.')[0]) >= Number(NODE.split('.')[0])) return dirname(process.execPath)
  const dir = join(PROJECTS, 'node')
  const name = `node-${process.platform}-${process.arch}`
  await mkdir(dir, { recursive: true })
  await writeFile(join(dir, 'package.json'), '{ "private": true }')
  await installed(dir, 'install', '--no-save', `${name}@${NODE}`)
  return join(dir, 'node_modules', name, 'bin')
}
let newer

/** A framework's project stays until all its rows are done: npm installs much into it. */
async function project(row, { name, html, files, copies = [] }) {
  const dir = join(PROJECTS, name ?? row.replace(' ', '-'))
  if (name && (await stat(dir).catch(() => null))) return dir
  await rm(dir, { recursive: true, force: true })
  const manifest = { name: 'app', private: true, type: 'module', dependencies: { 'oauth-wasm': '*' } }
  const all = { ...(!name && { 'package.json': JSON.stringify(manifest) }), ...html, ...files }
  if (name) {
    await cp(join(HERE, name), dir, { recursive: true })
    await installed(dir, 'ci')
    newer ??= await node()
  }
  for (const [file, text] of Object.entries(all)) {
    await mkdir(dirname(join(dir, file)), { recursive: true })
    await writeFile(join(dir, file), text)
  }
  for (const file of name ? ['login.js'] : ['index.js', 'login.js']) await cp(join(HERE, file), join(dir, 'src', file))
  await cp(INSTALLED, join(dir, 'node_modules/oauth-wasm'), { recursive: true })
  for (const [from, to] of copies) await cp(join(isAbsolute(from) ? '' : dir, from), join(dir, to), { recursive: true })
  return dir
}

const quiet = {
  CI: 'true',
  NODE_ENV: undefined,
  PARCEL_WORKERS: '0',
  NO_COLOR: '1',
  FORCE_COLOR: undefined,
  NG_CLI_ANALYTICS: 'false',
  ASTRO_TELEMETRY_DISABLED: '1',
  NEXT_TELEMETRY_DISABLED: '1',
  NUXT_TELEMETRY_DISABLED: '1',
}

async function built(dir, { name, build, copies = [], dist = 'dist', start }) {
  if (build) {
    const child = run(dir, build)
    const code = await within(child.over, () => `the build takes too long: ${last(child.said)}`, name ? LONG : PATIENCE)
    await end(child)
    if (code !== 0) throw new Error(`the build failed: ${last(child.said)}`)
  }
  if (start) return served(dir, { name, dev: start })
  const server = host(join(dir, dist))
  return { origin: `http://localhost:${await listen(server)}`, close: () => server.close() }
}

async function served(dir, { name, dev }) {
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const child = run(dir, dev(port), { PORT: port, HOST: 'localhost' })
  const up = async () => {
    // A server says when it listens by answering.
    for (;;) {
      const answer = await fetch(`${origin}/`).catch(() => null)
      if (answer?.ok) return
      if (child.exitCode !== null) throw new Error(`the server ended: ${last(child.said)}`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  await within(up(), () => `the server does not come up: ${last(child.said)}`, name ? LONG : PATIENCE)
  return { origin, close: () => end(child) }
}

function run(dir, [program, ...args], more) {
  const env = { ...process.env, ...quiet, ...more, PATH: newer ? `${newer}:${process.env.PATH}` : process.env.PATH }
  const isScript = /\.m?js$|rollup$|next$/.test(program)
  return isScript ? start('node', [program, ...args], { cwd: dir, env }) : start(program, args, { cwd: dir, env })
}

async function row(name, open, talk) {
  const [tool, how] = name.split(' ')
  const what = TOOLS[tool]
  const dir = await project(name, what)
  const site = await (how === 'build' ? built : served)(dir, what)
  // Servers for development evaluate texts and put script into the page as they like.
  const front = how === 'build' && guard(site.origin, talk)
  const origin = front ? `http://localhost:${await listen(front)}` : site.origin
  try {
    const shown = new Promise((resolve) => (talk.told.shown = resolve))
    await open(`${origin}/?${new URLSearchParams({ harness: talk.origin, sandbox: talk.sandbox })}`)
    const { endpoints, provider } = await within(shown, () => 'the page did not log in', what.name ? 2 * PATIENCE : PATIENCE)
    if (endpoints !== NICKNAME) throw new Error(`by endpoints: ${endpoints}`)
    if (provider !== NICKNAME) throw new Error(`by a provider's name: ${provider}`)
  } finally {
    if (front) {
      front.closeAllConnections()
      front.close()
    }
    await site.close()
    const later = rows.slice(rows.indexOf(name) + 1).map((row) => TOOLS[row.split(' ')[0]].name)
    if (!later.includes(what.name)) await rm(dir, { recursive: true, force: true, maxRetries: 5 })
  }
}

const matches = (name) => wanted.length === 0 || wanted.includes(name) || wanted.includes(name.split(' ')[0])
const rows = ROWS.filter(matches)
if (rows.length === 0) throw new Error(`there are: ${ROWS.join(', ')}`)
const profiles = await mkdtemp(join(tmpdir(), 'oauth-wasm-bundlers-'))
const { server, told } = harness()
let failed = 0
const results = new Map()
try {
  const talk = { told, origin: `http://localhost:${await listen(server)}`, sandbox: await sandbox() }
  const open = await chromium(talk)
  for (const name of rows) {
    const before = performance.now()
    const error = await row(name, open, talk).then(() => null, (reason) => reason)
    if (error) failed += 1
    results.set(name, !error)
    const took = `${((performance.now() - before) / 1000).toFixed(1)} s`
    console.log(error ? `test ${name} ... FAILED\n    ${error.message} (${took})` : `test ${name} ... ok`)
  }
} finally {
  for (const child of [...children]) await end(child)
  server.closeAllConnections()
  server.close()
  await rm(profiles, { recursive: true, force: true, maxRetries: 5 })
}
if (wanted.length === 0) await document(results)
console.log(`test result: ${failed ? 'FAILED' : 'ok'}. ${rows.length - failed} passed; ${failed} failed`)
process.exit(failed ? 1 : 0)
