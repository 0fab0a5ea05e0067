#!/usr/bin/env node
// npx oauth-wasm sandbox: a provider on this machine, and a page that shows what the library does with it.
import { execFile } from 'node:child_process'
import { originOf, serveConsole, serveSandbox, serveVault } from './sandbox/server.mjs'

const USAGE = `npx oauth-wasm sandbox [--port N] [--origin URL]...

A provider on this machine that behaves as Mercado Libre and Appfigures document, with the console page beside it.
--port N      the page's port (8787); the sandbox takes the next one, and a vault the one after. Where a port is busy,
              another one is taken.
--origin URL  an application elsewhere that the relay serves too, like https://app.example; pages of this machine are
              served at once.`

const CLIENT = '1620218256833906'

/** What to write into a page of one's own. */
const lines = (page, sandbox) => `
In a page of yours (any port of localhost):

    await startLogin({
      provider: 'mercadolibre', site: 'MLA', clientId: '${CLIENT}', redirectUri: location.origin + '/',
      authorizationEndpoint: '${sandbox}/authorization',
      tokenEndpoint: '${page}/relay/${CLIENT}',
      resourceServers: ['${sandbox}'],
    })
    const session = await handleRedirect()
    const user = await (await fetchPrivate('${sandbox}/users/me')).json()
`

/** The flags with their values; null where one is not known or not good. */
const flagsOf = words => {
  const flags = { port: 8787, origins: [] }
  for (let at = 0; at < words.length; at += 2) {
    const [flag, value] = words.slice(at, at + 2)
    if (flag === '--port' && /^\d+$/.test(value) && Number(value) < 65535) flags.port = Number(value)
    else if (flag === '--origin' && URL.canParse(value) && new URL(value).origin === value) flags.origins.push(value)
    else return null
  }
  return flags
}

/** The process above, with its parent: `['9066', 'sh -c …']`; nothing where there is no `ps`. */
const above = pid =>
  new Promise(resolve =>
    execFile('ps', ['-o', 'ppid=,args=', '-p', `${pid}`], (_, shown) => resolve(/^\s*(\d+)\s+(.*)/.exec(shown)?.slice(1) ?? [])),
  )

const lives = pid => {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** npx does not pass on every signal, and what it leaves behind would hold the ports of the next start. */
const endWithNpx = async () => {
  if (!process.env.npm_command) return
  const parent = process.ppid
  const [grandparent, args] = await above(parent)
  // npx runs a shell that runs this.
  const npx = /^(\S*\/)?(ba|da|z)?sh /.test(args) ? Number(grandparent) : parent
  setInterval(() => (process.ppid === parent && lives(npx)) || process.exit(), 200).unref()
}

const main = async ([command, ...words]) => {
  if (command === '--help' || command === '-h' || command === 'help') return console.log(USAGE)
  const flags = flagsOf(words)
  if (command !== 'sandbox' || !flags) {
    console.error(USAGE)
    process.exitCode = 2
    return
  }
  await endWithNpx()
  const { port, origins } = flags
  // As both providers document it; the page's requests get the secret from the relay.
  const sandbox = await serveSandbox(port && port + 1, { requireClientSecret: true })
  let vault
  const page = await serveConsole(port, originOf(sandbox), () => originOf(vault), origins)
  vault = await serveVault(port && port + 2, originOf(sandbox), () => originOf(page))
  console.log(`console page  ${originOf(page)}/`)
  console.log(`sandbox       ${originOf(sandbox)}/`)
  console.log(`relay         ${originOf(page)}/relay/{client_id}, which adds the client secret`)
  console.log(`vault         ${originOf(vault)}/, for the application at ${originOf(page)}/vault.html`)
  console.log(`client id     ${CLIENT}`)
  console.log('user          TETE9928972, password sandbox')
  console.log(lines(originOf(page), originOf(sandbox)))
  console.log('Ctrl-C ends them.')
}

await main(process.argv.slice(2)).catch(error => {
  console.error(`oauth-wasm: ${error.message ?? error}`)
  process.exitCode = 1
})
