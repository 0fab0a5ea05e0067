const { contextBridge, ipcRenderer } = require('electron')

contextBridge.exposeInMainWorld('system', {
  open: url => ipcRenderer.invoke('open', url),
  startedBy: () => ipcRenderer.invoke('started-by'),
  onUrl: listener => {
    const hear = (_, url) => listener(url)
    ipcRenderer.on('url', hear)
    return () => ipcRenderer.off('url', hear)
  },
})
