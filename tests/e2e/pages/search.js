// Looks for texts in everything a script of this page can reach: properties, getters, prototypes, symbols, collections,
// settled promises, bytes. Closures cannot be looked into, by nobody: that is what the library counts on.

const LIMIT = 1_000_000
const latin = bytes => {
  let text = ''
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return text
}

// A page that is not isolated has no name for these.
const isShared = value => Object.prototype.toString.call(value) === '[object SharedArrayBuffer]'
const settled = request =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })

/** All that every database and every cache holds, by where it stands. */
const stored = async () => {
  const all = {}
  for (const { name } of await indexedDB.databases().catch(() => [])) {
    const database = await settled(indexedDB.open(name))
    for (const store of database.objectStoreNames) {
      const items = database.transaction(store).objectStore(store)
      all[name + '/' + store] = [await settled(items.getAllKeys()), await settled(items.getAll())]
    }
    database.close()
  }
  for (const name of (await globalThis.caches?.keys().catch(() => [])) ?? []) {
    const cache = await caches.open(name)
    for (const request of await cache.keys()) {
      all[name + ' ' + request.url] = [request, await (await cache.match(request)).arrayBuffer()]
    }
  }
  return all
}

/** `needles` come as lists of parts, or the search would find its own question. */
export const search = async (needles, roots = {}) => {
  const words = needles.map(parts => parts.join(''))
  const found = []
  const wasm = []
  const seen = new Set()
  const queue = []
  const unsettled = {}

  const text = (value, path) => {
    for (let n = 0; n < words.length; n++) if (value.includes(words[n])) found.push(n + ' in ' + path)
  }
  const visit = (value, path) => {
    if (typeof value === 'string') text(value, path)
    else if (typeof value === 'symbol') text(String(value), path)
    else if (value && (typeof value === 'object' || typeof value === 'function') && !seen.has(value)) {
      seen.add(value)
      queue.push([value, path])
    }
  }
  const attempt = f => {
    try {
      return f()
    } catch {}
  }

  const kept = await stored()
  for (const name in kept) visit(kept[name], 'stored ' + name)
  for (const name in roots) visit(roots[name], name)
  visit(globalThis, 'window')
  while (queue.length && seen.size < LIMIT) {
    const [value, path] = queue.pop()
    if (['Memory', 'Instance', 'Table', 'Module'].some(kind => value instanceof WebAssembly[kind])) wasm.push(path)
    if (value instanceof ArrayBuffer || isShared(value)) text(latin(new Uint8Array(value)), path)
    if (ArrayBuffer.isView(value)) visit(value.buffer, path + '.buffer')
    if (value instanceof Map || value instanceof Set) {
      for (const [key, entry] of value.entries()) visit(key, path + '.key'), visit(entry, path + '.entry')
    }
    if ([Headers, URLSearchParams, FormData].some(type => value instanceof type)) {
      for (const pair of attempt(() => [...value]) ?? []) visit(pair, path + '.pair')
    }
    if (value instanceof WeakRef) visit(attempt(() => value.deref()), path + '.deref()')
    if (value instanceof Promise && value !== Promise.prototype) {
      const settled = await Promise.race([value, unsettled]).catch(reason => reason)
      if (settled !== unsettled) visit(settled, path + '.then()')
    }
    // Own properties, and the getters of the prototypes as they answer for this object.
    for (let from = value; from; from = Object.getPrototypeOf(from)) {
      // The numbers of an array of numbers have been read as bytes.
      if (from === value && ArrayBuffer.isView(value)) continue
      for (const key of attempt(() => Reflect.ownKeys(from)) ?? []) {
        const own = attempt(() => Object.getOwnPropertyDescriptor(from, key))
        if (!own) continue
        const at = path + '.' + String(key)
        visit(key, at)
        if (own.get) visit(attempt(() => own.get.call(value)), at)
        if (from !== value) continue
        visit(own.value, at)
        visit(own.get, at)
        visit(own.set, at)
      }
      if (from === value) visit(Object.getPrototypeOf(value), path + '.__proto__')
    }
  }

  const places = {
    localStorage: { ...localStorage },
    sessionStorage: { ...sessionStorage },
    cookie: document.cookie,
    stored: Object.keys(kept),
    'history.state': history.state,
    html: document.documentElement.outerHTML,
    performance: performance.getEntries(),
    console: globalThis.__console,
    'window.name': window.name,
    referrer: document.referrer,
    location: location.href,
    navigation: globalThis.navigation?.entries().map(entry => [entry.url, attempt(() => entry.getState())]),
  }
  for (const name in places) text(JSON.stringify(places[name]) ?? '', name)
  return { found, wasm, seen: seen.size, whole: seen.size < LIMIT, stored: Object.keys(kept) }
}

window.search = search
