// One timeline for all windows of a page. Each window has a letter. What one has to tell it tells all, over a channel
// of the page's own, and keeps for those that come later. Nothing here is about logins, and no token comes by.
import { $, make, say } from './show.js'

const CHANNEL = 'demo-timeline'
const KEPT = 50
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'

/** The first letter that no other window has, until this one is gone; `?` where the browser cannot tell. */
export async function takeLetter() {
  if (navigator.locks) for (const letter of LETTERS) if (await isFree(letter)) return letter
  return '?'
}

const isFree = letter =>
  new Promise(resolve => {
    const held = navigator.locks.request('demo-window-' + letter, { ifAvailable: true }, lock => {
      resolve(lock !== null)
      return lock && new Promise(() => {})
    })
    held.catch(() => resolve(false))
  })

/**
 * Opens the timeline as window `own`. `added` is called after each new line, of whichever window; `asked` when another
 * window wants all to do something, with what.
 */
export function openTimeline(own, { added, asked }) {
  const channel = new BroadcastChannel(CHANNEL)
  const lines = [] // newest first, as they are shown
  const add = line => {
    if (lines.some(({ id }) => id === line.id)) return
    const older = lines.findIndex(({ at }) => at <= line.at)
    const place = older < 0 ? lines.length : older
    lines.splice(place, 0, line)
    $('timeline').insertBefore(item(line, own), $('timeline').children[place] ?? null)
    if (lines.length > KEPT) {
      lines.pop()
      $('timeline').lastChild.remove()
    }
    if (place === 0) say('newest', `Window ${line.who}: ${line.what} ${line.words}`)
    added()
  }
  channel.addEventListener('message', ({ data }) => {
    for (const line of [data?.lines ?? []].flat()) add(read(line))
    if (data?.isNew) channel.postMessage({ lines })
    if (data?.all) asked(data.all)
  })
  channel.postMessage({ isNew: true })
  return {
    tell(what, words, at = Date.now()) {
      const line = { id: `${own} ${at} ${Math.random()}`, at, who: own, what, words }
      add(line)
      channel.postMessage({ lines: [line] })
    },
    askOthers: all => channel.postMessage({ all }),
  }
}

/** A line as another window says it, who may be any script of this origin. */
const read = line => ({
  id: String(line?.id),
  at: Number(line?.at) || 0,
  who: String(line?.who).slice(0, 1),
  what: String(line?.what).slice(0, 40),
  words: String(line?.words).slice(0, 200),
})

function item({ at, who, what, words }, own) {
  const letter = make('b', { className: 'window' }, make('span', { className: 'unseen' }, 'Window '), who)
  letter.classList.toggle('own', who === own)
  const time = make('time', {}, new Date(at).toLocaleTimeString('en-GB'))
  // A long name may break where it has underscores.
  const breakable = words.split(/(?<=_)/).flatMap((part, place) => [place ? make('wbr', {}) : '', part])
  const said = make('p', {}, make('code', {}, what), ' ', make('span', {}, ...breakable))
  const shown = make('li', {}, time, ' ', letter, ' ', said)
  // Each window has a lane of its own, as far as there is room.
  shown.style.setProperty('--lane', Math.min(Math.max(LETTERS.indexOf(who), 0), 3))
  return shown
}
