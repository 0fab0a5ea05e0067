import { app, BrowserWindow, ipcMain, shell } from 'electron'

const SCHEME = 'com.example.app'
const urlOf = argv => argv.find(word => word.startsWith(`${SCHEME}:`))
const tell = url => BrowserWindow.getAllWindows().forEach(({ webContents }) => webContents.send('url', url))
let startedBy = urlOf(process.argv)

app.setAsDefaultProtocolClient(SCHEME)
if (!app.requestSingleInstanceLock()) app.quit() // this start was only to bring the URL
app.on('second-instance', (_, argv) => tell(urlOf(argv))) // Windows, Linux
app.on('open-url', (event, url) => { // macOS
  event.preventDefault()
  if (!app.isReady()) startedBy = url
  tell(url)
})
ipcMain.handle('started-by', () => startedBy)
ipcMain.handle('open', (_, url) => (url.startsWith('https:') ? shell.openExternal(url) : Promise.reject(new Error('https only'))))
