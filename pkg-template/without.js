// In the place of what only oauth-wasm/full has.

export const popup = undefined
export const putAway = undefined
