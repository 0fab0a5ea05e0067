import { fetchPrivate } from 'oauth-wasm'

/** An address for `<img src>` that needs no token. Revoke it when the image is gone: `URL.revokeObjectURL(url)`. */
export const imageUrl = async url => URL.createObjectURL(await (await fetchPrivate(url)).blob())

/** Saves a private file as the user's browser does. */
export const download = async (url, name) => {
  const link = document.createElement('a')
  link.href = await imageUrl(url)
  link.download = name
  link.click()
  setTimeout(URL.revokeObjectURL, 60000, link.href)
}
