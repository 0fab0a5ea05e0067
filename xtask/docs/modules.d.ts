// What the pages' snippets import and this site does not install. The programs in examples/ use the real ones.
declare module '*.json'
declare module './*'
declare module 'react'
declare module 'svelte/store'
declare module 'vitest'
declare module 'playwright'
