// Hands every row of urls.json to a client's call, and tells what became of it.

const fill = (text, names) => text.replace(/\{(\w+)\}/g, (_, name) => names[name])

/** A text that is one address when it is read first, and another ever after. */
const changing = (first, then) => {
  let reads = 0
  return () => (reads++ ? then : first)
}

const values = {
  text: url => url,
  URL: url => new URL(url),
  Request: url => new Request(url),
  blob: text => URL.createObjectURL(new Blob([text])),
  array: url => [url],
  list: (url, good) => [url, good],
  null: () => null,
  undefined: () => undefined,
  proxy: url => new Proxy(new Request(url), {}),
  object: (url, good) => ({ url: good, href: good, toString: () => url }),
  'changing text': (url, good, bad) => ({ toString: changing(url, url === good ? bad : good) }),
  'changing proxy': (url, good) => {
    const read = changing(url, good)
    return new Proxy({}, { get: (_, name) => (name === Symbol.toPrimitive || name === 'toString' ? read : undefined) })
  },
  'lying Request': (url, good) => {
    class Liar extends Request {
      get url() {
        return good
      }
    }
    return new Liar(url)
  },
  'lying URL': (url, good) => {
    class Liar extends URL {
      get href() {
        return good
      }
      toString() {
        return url
      }
    }
    return new Liar(good)
  },
  // What the library took when it was evaluated is not what stands there now.
  'replaced getter': (url, good) => Object.defineProperty(new URL(url), 'href', { get: () => good }),
}

const late = () => new Promise(resolve => setTimeout(resolve, 5000, 'never answered'))

/** By the row's number: how the call ended, and the addresses that a token was sent to. */
export const tryAll = async (rows, names, call) => {
  const good = names.api + '/users/me'
  const bad = names.foreign + '/x'
  const outcomes = []
  for (const { url, as = 'text' } of rows) {
    recorded.splice(0)
    let end
    try {
      const answer = call(values[as](fill(url, names), good, bad), as)
      end = await Promise.race([answer.then(({ status }) => 'answered ' + status), late()])
    } catch (e) {
      end = e?.code && typeof e.code === 'string' ? e.code : e?.name ?? String(e)
    }
    outcomes.push({ end, sent: recorded.splice(0) })
  }
  return outcomes
}

window.tryAll = tryAll
