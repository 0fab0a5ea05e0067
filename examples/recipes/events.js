import { fetchPrivate } from 'oauth-wasm'

/** Server-sent events: `for await (const data of events(url)) …`. EventSource cannot send a header. */
export async function* events(url, init) {
  const response = await fetchPrivate(url, { ...init, headers: { accept: 'text/event-stream' } })
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const lines = (text + part.value).split(/\r?\n/)
    const blocks = lines.join('\n').split('\n\n')
    text = blocks.pop()
    for (const block of blocks) {
      const data = block.split('\n').filter(line => line.startsWith('data:')).map(line => line.slice(5).replace(/^ /, ''))
      if (data.length) yield data.join('\n')
    }
  }
}
