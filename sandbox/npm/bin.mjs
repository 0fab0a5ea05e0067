#!/usr/bin/env node
// npx oauth-wasm sandbox: a provider on this machine, and a page that shows what the library does with it.
import { originOf, serveConsole, serveSandbox, serveVault } from './sandbox/server.mjs'

const USAGE = `npx oauth-wasm sandbox [--port N]

A provider on this machine that behaves as Mercado Libre and Appfigures document, with the console page beside it.
N is the page's port (8787); the sandbox takes the next one, and a vault the one after. Where a port is busy, another one is taken.`

const main = async ([command, flag, number, ...more]) => {
  const port = flag === '--port' ? Number(number) : 8787
  if (command === '--help' || command === '-h' || command === 'help') return console.log(USAGE)
  const good = Number.isInteger(port) && port >= 0 && port < 65535
  if (command !== 'sandbox' || (flag && flag !== '--port') || more.length || !good) {
    console.error(USAGE)
    process.exitCode = 2
    return
  }
  // As both providers document it; the page's requests get the secret from the relay.
  const sandbox = await serveSandbox(port && port + 1, { requireClientSecret: true })
  let vault
  const page = await serveConsole(port, originOf(sandbox), () => originOf(vault))
  vault = await serveVault(port && port + 2, originOf(sandbox), () => originOf(page))
  console.log(`console page  ${originOf(page)}/`)
  console.log(`sandbox       ${originOf(sandbox)}/`)
  console.log(`relay         ${originOf(page)}/relay/{client_id}, which adds the client secret`)
  console.log(`vault         ${originOf(vault)}/, for the application at ${originOf(page)}/vault.html`)
  console.log('user          TETE9928972, password sandbox')
  console.log('Ctrl-C ends them.')
}

await main(process.argv.slice(2)).catch(error => {
  console.error(`oauth-wasm: ${error.message ?? error}`)
  process.exitCode = 1
})
