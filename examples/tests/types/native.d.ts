// What electron-preload.cjs puts into the page.
interface Window {
  system: {
    open(url: string): Promise<void>
    onUrl(listener: (url: string) => void): () => void
    startedBy(): Promise<string | undefined>
  }
}
