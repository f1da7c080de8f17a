import {dictionary} from '../core/dictionary.ts'
import {randomBytes, timingSafeEqual} from 'node:crypto'
import {readdir, readFile} from 'node:fs/promises'
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import {join} from 'node:path'
import type {MachineDocument} from '../detect/machine-document.ts'

/** The page as it is served: where, and how to end it. */
export interface Served {
  url: string
  close(): Promise<void>
}

interface ServeOptions {
  /** 0: any that is free. */
  port: number
  /** What `detect` found here; absent: nothing that could be planned for. */
  machine?: MachineDocument
}

const HOST = '127.0.0.1'
const TYPES: Record<string, string> = dictionary({html: 'text/html', js: 'text/javascript', css: 'text/css'})

/** Said with every answer: no other page may read it or put it into a frame, and nothing of it is kept. */
const HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Content-Security-Policy': "frame-ancestors 'none'",
  'Cache-Control': 'no-store',
}

/**
 * Serves the built page to this computer alone, behind a path that nobody can guess: other pages in the same browser reach 127.0.0.1 too, by its
 * address or by a name that was made to point at it, and are told nothing of this machine.
 */
export async function servePage(folder: string, {port, machine}: ServeOptions): Promise<Served> {
  const token = randomBytes(16).toString('hex')
  const files = await pageFiles(folder, machine)
  const server = createServer()
  await listening(server, port)
  const own = (server.address() as AddressInfo).port
  const hosts = new Set([`${HOST}:${own}`, `localhost:${own}`])
  server.on('request', (request: IncomingMessage, response: ServerResponse) => answer(request, response, {token, files, hosts}))
  return {
    url: `http://${HOST}:${own}/${token}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const listening = (server: Server, port: number): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, HOST, () => {
      server.off('error', reject)
      resolve()
    })
  })

/** All files by name, read once: nothing that a request says becomes a path. */
async function pageFiles(folder: string, machine: MachineDocument | undefined): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>()
  for (const name of await readdir(folder)) files.set(name, await readFile(join(folder, name)))
  if (machine) {
    // A link of the page holds it: the name of this computer does not belong there.
    const {hostname: _hostname, ...described} = machine
    files.set('machine.js', Buffer.from(`globalThis.servefitMachine = ${JSON.stringify(described)}\n`))
    const html = files.get('index.html')!.toString('utf8')
    files.set('index.html', Buffer.from(html.replace('<script defer src="data.js">', '<script defer src="machine.js"></script>\n<script defer src="data.js">')))
  }
  return files
}

interface Room {
  token: string
  files: ReadonlyMap<string, Buffer>
  hosts: ReadonlySet<string>
}

function answer(request: IncomingMessage, response: ServerResponse, {token, files, hosts}: Room): void {
  const refuse = (status: number) => response.writeHead(status, HEADERS).end()
  const {method, headers, url = '/'} = request
  if (method !== 'GET' && method !== 'HEAD') return void refuse(405)
  if (!hosts.has(headers.host ?? '')) return void refuse(421)
  const {origin} = headers
  if (origin !== undefined && ![...hosts].some((host) => origin === `http://${host}`)) return void refuse(403)
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return void refuse(403)
  const [, given = '', name = ''] = /^\/([^/?#]*)\/([^/?#]*)(?:[?#].*)?$/.exec(url) ?? []
  if (!isSame(given, token)) return void refuse(404)
  const found = name === '' ? 'index.html' : name
  const file = files.get(found)
  if (!file) return void refuse(404)
  const type = TYPES[found.slice(found.lastIndexOf('.') + 1)] ?? 'application/octet-stream'
  response.writeHead(200, {...HEADERS, 'Content-Type': `${type}; charset=utf-8`, 'Content-Length': file.length})
  response.end(method === 'HEAD' ? undefined : file)
}

/** Takes as long whatever was guessed. */
function isSame(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)]
  return a.length === b.length && timingSafeEqual(a, b)
}
