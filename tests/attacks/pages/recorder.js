// Stands before every client: the `fetch` that they find notes what is asked of it with a header of authorization, and
// asks it.
window.recorded = []
{
  const { fetch, Request } = window
  window.fetch = async (input, init) => {
    const request = new Request(input, init)
    if (request.headers.has('authorization')) recorded.push(request.url)
    return fetch(input, init)
  }
}
