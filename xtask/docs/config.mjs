// The site's settings: what stands where. A page that no group names goes under "More", so that none is lost.

const GROUPS = [
  ['Start', ['start.md', 'testing.md', 'sandbox.md']],
  ['Frameworks', ['frameworks.md', 'react.md', 'vue.md', 'svelte.md', 'solid.md', 'angular.md', 'next.md', 'nuxt.md', 'sveltekit.md', 'astro.md', 'rust.md']],
  ['Bundlers, recipes, servers', [/^bundlers/, /^recipes/, /^servers/]],
  ['Sessions', ['sessions.md', 'errors.md', 'openid.md']],
  ['Without a backend, and with one', ['vault.md', 'relay.md']],
  ['Coming from another library', [/^migrat/, /^compar/, /^benchmark/]],
]
/** Where a page's own heading does not say what it is in the list. */
const TITLES = { 'start.md': 'Get started', 'sandbox.md': 'The sandbox', 'providers/index.md': 'All providers' }
const LAST = ['security.md', 'changelog.md', 'contributing.md']

const linkTo = path => '/' + path.replace(/(index)?\.md$/, '')

/** `pages`, `providers` and `api` are names; `read` gives a page's text. */
export const config = ({ pages, providers, api }, read) => {
  const item = path => {
    const [, heading] = /^# (.+)$/m.exec(read(path)) ?? [, path]
    return { text: (TITLES[path] ?? heading).replaceAll('`', ''), link: linkTo(path) }
  }
  const rest = new Set(pages.filter(path => !LAST.includes(path) && !path.startsWith('providers/') && path !== 'add-a-provider.md'))
  const take = wanted => {
    const found = [...rest].filter(path => (wanted instanceof RegExp ? wanted.test(path) : wanted === path))
    found.forEach(path => rest.delete(path))
    return found
  }
  const groups = GROUPS.map(([text, wanted]) => ({ text, items: wanted.flatMap(take).map(item) }))
  const more = { text: 'More', items: [...rest].map(item) }
  const sidebar = [
    ...groups,
    { text: 'Providers', items: [item('providers/index.md'), ...providers.map(name => item(`providers/${name}.md`)), item('add-a-provider.md')] },
    more,
    { text: 'Reference', items: [{ text: 'API', link: '/api/' }, ...LAST.map(item)] },
  ].filter(({ items }) => items.length)
  return {
    title: 'oauth-wasm',
    description: 'OAuth in the browser, whose tokens the page never holds',
    lang: 'en',
    cleanUrls: true,
    lastUpdated: false,
    srcExclude: ['types/**', 'snippets/**', 'node_modules/**'],
    head: [['link', { rel: 'icon', href: '/icon.svg' }]],
    markdown: { html: false, languageAlias: { mjs: 'js' } },
    themeConfig: {
      search: { provider: 'local' },
      nav: [
        { text: 'Guide', link: '/start' },
        { text: 'Providers', link: '/providers/' },
        { text: 'API', link: '/api/' },
        { text: 'Security', link: '/security' },
      ],
      sidebar: { '/api/': [{ text: 'API', items: [{ text: 'Modules', link: '/api/' }, ...api.map(name => ({ text: name, link: `/api/${name}` }))] }], '/': sidebar },
      outline: [2, 3],
      socialLinks: [{ icon: 'github', link: 'https://github.com/oauth-wasm/oauth-wasm' }],
      docFooter: { prev: false, next: false },
    },
  }
}
