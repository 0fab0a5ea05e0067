// A hostile script that owns the application: it is there before everything else, replaces every native that could see
// something pass, and keeps all that it sees as text. `port(address)` is its own way to a vault.

{
  const { apply, defineProperty, getOwnPropertyDescriptor, ownKeys } = Reflect
  const { document, Error, MessageChannel, Promise, URL, Uint8Array } = window
  const { stringify } = JSON
  const { fromCharCode } = String
  const append = document.documentElement.append.bind(document.documentElement)
  const create = document.createElement.bind(document)
  const post = MessagePort.prototype.postMessage
  const message = getOwnPropertyDescriptor(MessagePort.prototype, 'onmessage').set
  const send = window.postMessage
  const { then } = Promise.prototype

  const seen = []
  let looking = false
  const look = value => {
    if (looking) return
    looking = true
    try {
      const known = new Set()
      const text = stringify([value], (_, part) => {
        if (typeof part === 'string') return part
        if (typeof part === 'function' || typeof part === 'symbol' || typeof part === 'bigint') return '' + String(part)
        if (typeof part !== 'object' || part === null) return part
        if (known.has(part) || known.size > 500) return '..'
        known.add(part)
        if (part instanceof ArrayBuffer) return fromCharCode(...new Uint8Array(part.slice(0, 5000)))
        if (ArrayBuffer.isView(part)) return fromCharCode(...new Uint8Array(part.buffer, part.byteOffset, Math.min(5000, part.byteLength)))
        if (part instanceof Error) return [part.message, part.stack, { ...part }]
        if (part instanceof Headers) return [...part]
        if (part instanceof MessageEvent) return [part.data, part.origin]
        if (part instanceof Node || part === window) return part.nodeName ?? 'window'
        return part
      })
      seen.push(text)
    } catch {
      // What cannot be looked at.
    }
    looking = false
  }
  window.sightings = () => seen.join('\n')

  const wrapped = (f, name) =>
    new Proxy(f, {
      apply(target, self, args) {
        look([name, args])
        const result = apply(target, self, args)
        look([name, result])
        return result
      },
      construct(target, args, type) {
        look([name, args])
        return Reflect.construct(target, args, type)
      },
    })
  const patch = (object, name) => {
    const found = getOwnPropertyDescriptor(object, name)
    if (!found?.configurable) return
    for (const kind of ['value', 'get', 'set']) {
      if (typeof found[kind] === 'function') found[kind] = wrapped(found[kind], name)
    }
    defineProperty(object, name, found)
  }
  const types = ['MessagePort', 'MessageEvent', 'Response', 'Request', 'Headers', 'Body', 'ReadableStream', 'Storage',
    'ReadableStreamDefaultController', 'HTMLIFrameElement', 'Promise', 'Map', 'XMLHttpRequest', 'BroadcastChannel', 'History']
  const all = types.map(name => window[name]).filter(Boolean)
  for (const type of all) {
    for (const name of ownKeys(type.prototype)) if (name !== 'constructor' && typeof name === 'string') patch(type.prototype, name)
  }
  for (const name of ['fetch', 'postMessage', 'addEventListener', 'structuredClone', 'Request', 'Response', 'MessageChannel', 'open']) {
    patch(window, name)
  }
  for (const name of ['parse', 'stringify']) patch(JSON, name)
  addEventListener('message', event => look(event))

  /** A port to the vault, as the application gets one: `ask(message)` resolves with what the vault says, or `null`. */
  window.port = (address, hello = { 'oauth-wasm': 'vault', version: 1 }) =>
    new Promise(resolve => {
      const frame = create('iframe')
      const waiting = {}
      let last = 0
      frame.onload = () => {
        const channel = new MessageChannel()
        apply(message, channel.port1, [({ data }) => {
          if (!opened) return resolve((opened = { greeting: data, ask, flood, frame }))
          waiting[data.id]?.(data)
        }])
        let opened
        const say = data => apply(post, channel.port1, [data])
        const ask = data =>
          new Promise(done => {
            const id = data.id ?? ++last
            waiting[id] = done
            // A port that was closed says nothing more.
            setTimeout(done, 8000, null)
            say({ id, ...data })
          })
        const flood = list => Promise.all(list.map(ask))
        apply(send, frame.contentWindow, [hello, new URL(address).origin, [channel.port2]])
        setTimeout(() => resolve((opened ??= { greeting: null })), 1500)
      }
      frame.src = address
      append(frame)
    })
}
