// Follows every link of the built site, and looks for anything that a page would load from another host.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join, posix } from 'node:path'

const LINK = /<a\b[^>]*?\shref="([^"]+)"/g
const LOADED = /<(?:script|img|iframe|source|video|link)\b[^>]*?\s(?:src|href)="((?:https?:)?\/\/[^"]+)"/g
const LOADED_BY_STYLE = /(?:@import\s+|url\()\s*["']?((?:https?:)?\/\/[^"')\s]+)/g
const decoded = text => decodeURIComponent(text.replaceAll('&amp;', '&').replaceAll('&#x26;', '&'))

/** A sentence of what was checked; throws with every link that leads nowhere. */
export const checkSite = site => {
  const files = readdirSync(site, { recursive: true }).map(name => name.replaceAll('\\', '/'))
  const html = files.filter(name => name.endsWith('.html'))
  const texts = new Map(html.map(name => [name, readFileSync(join(site, name), 'utf8')]))
  const ids = new Map([...texts].map(([name, text]) => [name, new Set([...text.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => decoded(id)))]))
  const wrong = []
  let links = 0
  const fileOf = path => {
    const plain = path.replace(/^\//, '')
    return [plain, plain + '.html', posix.join(plain, 'index.html')].find(name => existsSync(join(site, name)) && statSync(join(site, name)).isFile())
  }
  for (const [name, text] of texts) {
    for (const [, href] of text.matchAll(LINK)) {
      if (/^(https?:|mailto:)/.test(href)) continue
      links++
      const [path, anchor] = decoded(href).split('#')
      const target = path === '' ? name : fileOf(path.startsWith('/') ? path : posix.join(posix.dirname(name), path))
      if (!target) wrong.push(`${name}: ${href} leads nowhere`)
      else if (anchor && ids.has(target) && !ids.get(target).has(anchor)) wrong.push(`${name}: ${href}: no such heading`)
    }
    for (const [, url] of text.matchAll(LOADED)) wrong.push(`${name} loads ${url}`)
  }
  for (const name of files.filter(name => name.endsWith('.css'))) {
    for (const [, url] of readFileSync(join(site, name), 'utf8').matchAll(LOADED_BY_STYLE)) wrong.push(`${name} loads ${url}`)
  }
  if (links < 100) wrong.push(`only ${links} links: the pattern has gone wrong`)
  if (wrong.length) throw new Error(wrong.join('\n'))
  return `${html.length} pages, ${links} links, nothing from another host`
}
