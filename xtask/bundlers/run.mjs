// `cargo xtask bundlers`: builds a small project with every tool as somebody would who read no manual, opens it in
// Chromium, and logs in. Arguments: the installed package, where the projects go, and the rows that are wanted.
import { spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createServer as createSocket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, extname, join, normalize } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'

const HERE = dirname(fileURLToPath(import.meta.url))
const [INSTALLED, PROJECTS, ...wanted] = process.argv.slice(2)
const NICKNAME = 'TETE9928972'
const PATIENCE = 60_000

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
    public: true,
    build: [tool('webpack-cli/bin/cli.js'), '--mode', 'production'],
    dev: (port) => [tool('webpack-cli/bin/cli.js'), 'serve', '--mode', 'development', '--port', port],
  },
  rspack: {
    html: { 'public/index.html': page(CLASSIC) },
    public: true,
    build: [tool('@rspack/cli/bin/rspack.js'), 'build', '--mode', 'production'],
    dev: (port) => [tool('@rspack/cli/bin/rspack.js'), 'dev', '--mode', 'development', '--port', port],
  },
  rsbuild: {
    html: {},
    build: [tool('@rsbuild/core/bin/rsbuild.js'), 'build'],
    dev: (port) => [tool('@rsbuild/core/bin/rsbuild.js'), 'dev', '--port', port],
  },
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
  if (children.delete(child) && child.exitCode === null) {
    process.kill(-child.pid, 'SIGKILL')
    await child.over
  }
}

const last = (text) => text.trim().split('\n').slice(-6).join(' | ')

async function within(promise, what) {
  let timer
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(what())), PATIENCE)))
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

async function chromium(profile) {
  const args = ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--remote-debugging-port=0']
  const names = ['chromium', 'google-chrome', 'chromium-browser', 'chrome']
  for (const name of names) {
    const child = start(name, [...args, `--user-data-dir=${profile}`, 'about:blank'])
    const missing = new Promise((resolve) => child.on('error', () => resolve(true)))
    const up = new Promise((resolve) => child.stderr.on('data', () => {
      const [, port] = /DevTools listening on ws:\/\/127\.0\.0\.1:(\d+)/.exec(child.said) ?? []
      if (port) resolve(port)
    }))
    const port = await within(Promise.race([up, missing]), () => `Chromium did not start: ${last(child.said)}`)
    if (port !== true) return (url) => fetch(`http://127.0.0.1:${port}/json/new?${encodeURIComponent(url)}`, { method: 'PUT' }).then((answer) => answer.json())
    children.delete(child)
  }
  throw new Error('install Chromium')
}

/** Who the page asks to be the user, and tells what it has seen. */
function harness() {
  const told = {}
  const server = createServer(async (request, response) => {
    response.setHeader('access-control-allow-origin', '*')
    let body = ''
    for await (const part of request.setEncoding('utf8')) body += part
    if (request.url === '/shown') told.shown?.(JSON.parse(body))
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

async function project(name, { html, files }) {
  const dir = join(PROJECTS, name)
  await rm(dir, { recursive: true, force: true })
  const manifest = { name: 'app', private: true, type: 'module', dependencies: { 'oauth-wasm': '*' } }
  const all = { 'package.json': JSON.stringify(manifest), ...html, ...files }
  for (const [file, text] of Object.entries(all)) {
    await mkdir(dirname(join(dir, file)), { recursive: true })
    await writeFile(join(dir, file), text)
  }
  await cp(join(HERE, 'main.js'), join(dir, 'src/index.js'))
  await cp(INSTALLED, join(dir, 'node_modules/oauth-wasm'), { recursive: true })
  return dir
}

const quiet = { CI: 'true', NODE_ENV: undefined, PARCEL_WORKERS: '0', NO_COLOR: '1', FORCE_COLOR: undefined }

async function built(dir, { build, ...rest }) {
  const child = run(dir, build)
  const code = await within(child.over, () => `the build takes too long: ${last(child.said)}`)
  await end(child)
  if (code !== 0) throw new Error(`the build failed: ${last(child.said)}`)
  if (rest.public) await cp(join(dir, 'public'), join(dir, 'dist'), { recursive: true })
  const server = host(join(dir, 'dist'))
  return { origin: `http://localhost:${await listen(server)}`, close: () => server.close() }
}

async function served(dir, { dev }) {
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const child = run(dir, dev(port))
  const up = async () => {
    // A server says when it listens by answering.
    for (;;) {
      const answer = await fetch(`${origin}/`).catch(() => null)
      if (answer?.ok) return
      if (child.exitCode !== null) throw new Error(`the server ended: ${last(child.said)}`)
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  await within(up(), () => `the server does not come up: ${last(child.said)}`)
  return { origin, close: () => end(child) }
}

function run(dir, [program, ...args]) {
  const env = { ...process.env, ...quiet }
  return /\.js$|rollup$/.test(program) ? start('node', [program, ...args], { cwd: dir, env }) : start(program, args, { cwd: dir, env })
}

async function row(name, open, talk) {
  const [tool, how] = name.split(' ')
  const what = TOOLS[tool]
  const dir = await project(name.replace(' ', '-'), what)
  const site = await (how === 'build' ? built : served)(dir, what)
  try {
    const shown = new Promise((resolve) => (talk.told.shown = resolve))
    await open(`${site.origin}/?${new URLSearchParams({ harness: talk.origin, sandbox: talk.sandbox })}`)
    const { endpoints, provider } = await within(shown, () => 'the page did not log in')
    if (endpoints !== NICKNAME) throw new Error(`by endpoints: ${endpoints}`)
    if (provider !== NICKNAME) throw new Error(`by a provider's name: ${provider}`)
  } finally {
    await site.close()
  }
}

const matches = (name) => wanted.length === 0 || wanted.includes(name) || wanted.includes(name.split(' ')[0])
const rows = ROWS.filter(matches)
if (rows.length === 0) throw new Error(`there are: ${ROWS.join(', ')}`)
const profile = await mkdtemp(join(tmpdir(), 'oauth-wasm-bundlers-'))
const { server, told } = harness()
let failed = 0
try {
  const talk = { told, origin: `http://localhost:${await listen(server)}`, sandbox: await sandbox() }
  const open = await chromium(profile)
  for (const name of rows) {
    const before = performance.now()
    const error = await row(name, open, talk).then(() => null, (reason) => reason)
    if (error) failed += 1
    const took = `${((performance.now() - before) / 1000).toFixed(1)} s`
    console.log(error ? `test ${name} ... FAILED\n    ${error.message} (${took})` : `test ${name} ... ok`)
  }
} finally {
  for (const child of [...children]) await end(child)
  server.closeAllConnections()
  server.close()
  await rm(profile, { recursive: true, force: true, maxRetries: 5 })
}
console.log(`test result: ${failed ? 'FAILED' : 'ok'}. ${rows.length - failed} passed; ${failed} failed`)
process.exit(failed ? 1 : 0)
