import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import {onTestFinished} from 'vitest'

export interface Seen {
  path: string
  range?: string
  authorization?: string
}

export interface TestServer {
  url: string
  seen: Seen[]
}

type Handler = (request: IncomingMessage, response: ServerResponse, seen: Seen) => void

/** A server on this machine, closed after the test. */
export async function serverWith(handler: Handler): Promise<TestServer> {
  const seen: Seen[] = []
  const server: Server = createServer((request, response) => {
    const entry: Seen = {path: request.url ?? '', range: request.headers.range, authorization: request.headers.authorization}
    seen.push(entry)
    handler(request, response, entry)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return {url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen}
}

/** Answers with a file or the part of it that was asked for. */
export function sendFile(response: ServerResponse, file: Uint8Array, range: string | undefined): void {
  const match = /^bytes=(\d+)-(\d+)$/.exec(range ?? '')
  if (!match) return void response.writeHead(200, {'content-length': file.length}).end(file)
  const [first, last] = [Number(match[1]), Math.min(Number(match[2]), file.length - 1)]
  response.writeHead(206, {'content-range': `bytes ${first}-${last}/${file.length}`, 'content-length': last - first + 1}).end(file.subarray(first, last + 1))
}

export interface HubOptions {
  /** Weight files come from here, by a redirect as to a hub's storage. */
  storage?: string
  /** Sizes are not in the listing. */
  sizeless?: boolean
  listing?: object
}

const bytesOf = (content: Uint8Array | object): Uint8Array => (content instanceof Uint8Array ? content : new TextEncoder().encode(JSON.stringify(content)))

/** Answers as a hub does for one repository: its listing, small files directly, weight files by redirect. */
export function hubFor(id: string, files: Record<string, Uint8Array | object>, {storage, sizeless = false, listing = {}}: HubOptions = {}): Handler {
  return (request, response) => {
    const url = new URL(request.url!, 'http://hub')
    if (url.pathname === `/api/models/${id}`) {
      const siblings = Object.entries(files).map(([rfilename, content]) => ({rfilename, ...(!sizeless && {size: bytesOf(content).length})}))
      return void response
        .writeHead(200, {'content-type': 'application/json'})
        .end(JSON.stringify({id, sha: '0123abc', siblings, cardData: {license: 'apache-2.0'}, ...listing}))
    }
    const match = /^\/(.+?\/.+?)\/resolve\/0123abc\/(.+)$/.exec(url.pathname)
    const name = match && match[1] === id ? decodeURIComponent(match[2]!) : undefined
    const content = name === undefined ? undefined : files[name]
    if (content === undefined) return void response.writeHead(404, {'x-error-code': 'EntryNotFound'}).end()
    if (storage !== undefined && /\.(safetensors|gguf)$/.test(name!)) return void response.writeHead(302, {location: `${storage}/blob/${name}`}).end()
    sendFile(response, bytesOf(content), request.headers.range)
  }
}
