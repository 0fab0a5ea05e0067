// What every application says of its provider; the bench puts the address in.
export const provider = PROVIDER
export const clientId = '1620218256833906'
export const redirectUri = location.origin + location.pathname
export const scope = 'offline_access read'
