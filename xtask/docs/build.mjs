// Builds the documentation's site from the Markdown of this repository: `node build.mjs {stage}`. The pages stay where
// they are and are read there; what is made of them goes to {stage}, the site to {stage}/site.
//
//     pages     docs/, README, SECURITY, CHANGELOG, the sandbox's README; a page for each provider
//     api       the reference, by typedoc from the package's types
//     snippets  every JavaScript or TypeScript block, as a file that must pass the compiler
//     site      by VitePress; then every link of it is followed, and no file may name a foreign host to load from
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vitepress'
import { checkSite } from './check.mjs'
import { config } from './config.mjs'
import { snippetsOf } from './snippets.mjs'

const HERE = dirname(fileURLToPath(import.meta.url))
const ROOT = join(HERE, '../..')
const REPOSITORY = 'https://github.com/oauth-wasm/oauth-wasm/blob/main/'
const stage = process.argv[2] ?? join(ROOT, 'target/docs')
const bin = name => join(HERE, 'node_modules/.bin', name)
const read = path => readFileSync(join(ROOT, path), 'utf8')
const write = (path, text) => {
  mkdirSync(dirname(join(stage, path)), { recursive: true })
  writeFileSync(join(stage, path), text)
}
const filesBelow = directory =>
  readdirSync(join(ROOT, directory), { recursive: true }).map(name => posix.join(directory, name.replaceAll('\\', '/')))

/** Where each Markdown file of the repository stands in the site. */
const pages = () => {
  const found = new Map([
    ['README.md', 'start.md'],
    ['SECURITY.md', 'security.md'],
    ['CHANGELOG.md', 'changelog.md'],
    ['sandbox/README.md', 'sandbox.md'],
    ['src/rust.md', 'rust.md'],
    ['CONTRIBUTING.md', 'contributing.md'],
  ])
  for (const path of filesBelow('docs')) if (path.endsWith('.md')) found.set(path, path.slice('docs/'.length))
  found.set('docs/providers.md', 'providers/index.md')
  return found
}

/** A link of a page, as the site needs it: to another page, to the reference, or to the file in the repository. */
const linkOf = (map, from, target) => {
  if (/^(\w+:|#|\/)/.test(target)) return target
  const [path, anchor] = target.split('#')
  const file = posix.join(posix.dirname(from), path)
  const tail = anchor ? '#' + anchor : ''
  if (file === 'src/types.d.ts') return '/api/'
  const page = map.get(file) ?? map.get(posix.join(file, 'README.md'))
  if (page) return '/' + page.replace(/(index)?\.md$/, '') + tail
  if (/\.(png|svg)$/.test(file)) return '/' + posix.basename(file)
  return REPOSITORY + file + tail
}

const rewritten = (map, from) =>
  // Code is left alone.
  read(from)
    .split(/(^[ \t]*```[\s\S]*?^[ \t]*```|`[^`\n]*`)/m)
    .map((part, at) => {
      // VitePress reads markup and {{ }} in text; these files are Markdown without either.
      if (at % 2) return part.startsWith('`') && !part.startsWith('```') && part.includes('{{') ? `<span v-pre>${part}</span>` : part
      return part.replace(/(\]\()([^)\s]+)(\))/g, (_, open, target, close) => open + linkOf(map, from, target) + close)
    })
    .join('')
    // What rustdoc is told of a block is nothing for a reader.
    .replace(/^```rust,.*$/gm, '```rust')

/** docs/providers.md has all: an overview, and a page for each. */
const providerPages = text => {
  const [overview, ...sections] = text.split(/^## /m)
  const names = new Map()
  for (const section of sections) {
    const title = section.slice(0, section.indexOf('\n'))
    const name = /`provider: '([\w-]+)'`/.exec(section)[1]
    names.set(title.toLowerCase().replaceAll(' ', '-'), name)
    const site = /^\| site /m.test(section) ? "\n  site: 'MLB'," : ''
    const use = `\`\`\`js\nawait startLogin({\n  provider: '${name}',${site}\n  clientId,\n  redirectUri,\n})\n\`\`\``
    const rest = section.slice(title.length).replace(/^`provider: .*`$/m, use)
    write(`providers/${name}.md`, `# ${title}\n${rest.replace(/^(Notes|Not verified|Documentation):$/gm, '## $1')}`)
  }
  write('providers/index.md', overview.replace(/\(#([\w-]+)\)/g, (_, anchor) => `(/providers/${names.get(anchor)})`))
  return [...names.values()]
}

const stageTypes = () => {
  mkdirSync(join(stage, 'types'), { recursive: true })
  const CLASS = 'pkg-template/oauth-error.d.ts'
  write('types/oauth-wasm.d.ts', read('src/types.d.ts') + read(CLASS))
  const more = filesBelow('pkg-template').filter(path => path.endsWith('.d.ts') && path !== CLASS)
  for (const path of more) cpSync(join(ROOT, path), join(stage, 'types', basename(path)))
  return ['oauth-wasm.d.ts', ...more.map(path => basename(path))]
}

const reference = entries => {
  const options = {
    entryPoints: entries.map(name => join(stage, 'types', name)),
    tsconfig: join(stage, 'types/tsconfig.json'),
    plugin: ['typedoc-plugin-markdown'],
    out: join(stage, 'api'),
    readme: 'none',
    name: 'API',
    entryFileName: 'index.md',
    hideBreadcrumbs: true,
    hidePageHeader: true,
    disableSources: true,
    skipErrorChecking: true,
    excludeExternals: true,
    logLevel: 'Warn',
    treatWarningsAsErrors: true,
    treatValidationWarningsAsErrors: true,
    outputFileStrategy: 'modules',
    groupOrder: ['Functions', 'Interfaces', '*'],
    parametersFormat: 'table',
    propertyMembersFormat: 'list',
  }
  const compiler = { target: 'es2022', lib: ['es2022', 'dom'], module: 'nodenext', strict: true, noEmit: true, skipLibCheck: true }
  write('types/tsconfig.json', JSON.stringify({ compilerOptions: compiler, include: ['*.d.ts'] }))
  write('types/typedoc.json', JSON.stringify(options))
  execFileSync(bin('typedoc'), ['--options', join(stage, 'types/typedoc.json')], { stdio: 'inherit' })
}

/** The programs of examples/, which other suites run. */
const programs = () => {
  const files = ['react', 'vue', 'svelte', 'solid', 'angular'].flatMap(name => filesBelow(`examples/${name}/src`))
  const frameworks = ['astro', 'next', 'nuxt', 'sveltekit'].flatMap(name => filesBelow(`xtask/bundlers/${name}`))
  const all = [...files, ...frameworks, ...filesBelow('examples/recipes'), ...filesBelow('examples/plain')]
  return new Set(all.filter(path => /\.([cm]?js|jsx|ts)$/.test(path)).map(path => read(path).trim()))
}

const checkSnippets = map => {
  let count = 0
  const run = programs()
  for (const from of map.keys()) {
    for (const { code, line, extension } of snippetsOf(read(from))) {
      if (run.has(code.replace(/\nexport {}\n$/, '').trim())) continue
      const name = `${from.replace(/\.md$/, '').replaceAll('/', '-')}-${line}.${extension}`
      write(`snippets/${name}`, code)
      count++
    }
  }
  for (const name of ['names.d.ts', 'modules.d.ts']) cpSync(join(HERE, name), join(stage, 'snippets', name))
  const compiler = {
    allowJs: true, checkJs: true, strict: true, noImplicitAny: false, noEmit: true, skipLibCheck: true, target: 'es2022',
    lib: ['es2022', 'dom', 'dom.iterable'], module: 'esnext', moduleResolution: 'bundler', jsx: 'preserve', types: [],
    paths: {
      'oauth-wasm': ['../types/oauth-wasm.d.ts'],
      'oauth-wasm/*': ['../types/*'],
      '/oauth-wasm/*.js': ['../types/*'],
    },
  }
  write('snippets/tsconfig.json', JSON.stringify({ compilerOptions: compiler, include: ['.'] }))
  execFileSync(bin('tsc'), ['-p', join(stage, 'snippets')], { stdio: 'inherit' })
  return count
}

rmSync(stage, { recursive: true, force: true })
mkdirSync(stage, { recursive: true })
symlinkSync(join(HERE, 'node_modules'), join(stage, 'node_modules'))
const map = pages()
for (const [from, to] of map) if (from !== 'docs/providers.md') write(to, rewritten(map, from))
const providers = providerPages(rewritten(map, 'docs/providers.md'))
write('index.md', readFileSync(join(HERE, 'home.md'), 'utf8'))
mkdirSync(join(stage, 'public'), { recursive: true })
cpSync(join(ROOT, 'www/icon.svg'), join(stage, 'public/icon.svg'))
for (const path of filesBelow('docs')) if (/\.(png|svg)$/.test(path)) cpSync(join(ROOT, path), join(stage, 'public', basename(path)))
const entries = stageTypes()
console.log(`${checkSnippets(map)} snippets pass the compiler`)
reference(entries)
// It counts two headings of one spelling where VitePress sees one.
for (const path of readdirSync(join(stage, 'api'))) {
  write('api/' + path, readFileSync(join(stage, 'api', path), 'utf8').replace(/(#[a-z]+)-1\)/g, '$1)'))
}
const api = readdirSync(join(stage, 'api')).filter(name => name.endsWith('.md') && name !== 'index.md')
cpSync(join(HERE, 'theme'), join(stage, '.vitepress/theme'), { recursive: true })
writeFileSync(
  join(stage, '.vitepress/config.mjs'),
  `export default ${JSON.stringify(config({ pages: [...map.values()].sort(), providers, api: api.map(name => name.slice(0, -3)) }, path => readFileSync(join(stage, path), 'utf8')))}`,
)
await build(stage, { outDir: join(stage, 'site') })
console.log(checkSite(join(stage, 'site')))
