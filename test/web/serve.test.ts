import {request} from 'node:http'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import type {MachineDocument} from '../../src/detect/machine-document.ts'
import {type Served, servePage} from '../../src/web/serve.ts'

const machine: MachineDocument = {
  schemaVersion: 2,
  hostname: 'secret-host',
  gpus: [{index: 0, name: 'NVIDIA GeForce RTX 4090', vendor: 'nvidia', memoryBytes: 25_757_220_864}],
  interconnect: {kind: 'unknown'},
  cpu: {},
  disk: [],
  problems: [],
}

let served: Served
beforeAll(async () => {
  served = await servePage(join(import.meta.dirname, '..', '..', 'dist', 'web'), {port: 0, machine})
})
afterAll(() => served.close())

interface Answer {
  status: number
  text: string
  headers: Record<string, unknown>
}

/** Without what a client puts right by itself: any host, any path. */
function ask(path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  const {hostname, port, host} = new URL(served.url)
  return new Promise((resolve, reject) => {
    request({hostname, port, path, method, headers: {host, ...headers}}, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => (text += part))
      response.on('end', () => resolve({status: response.statusCode!, text, headers: response.headers}))
    })
      .on('error', reject)
      .end()
  })
}

describe('servefit web', () => {
  const own = () => new URL(served.url).pathname

  it('listens on this computer alone, behind a path of 128 random bits', () => {
    expect(served.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/[0-9a-f]{32}\/$/)
  })

  it('serves the page with this machine, without the name of the host', async () => {
    const {status, text, headers} = await ask(own())
    expect(status).toBe(200)
    expect(text).toContain('<script defer src="machine.js">')
    expect(headers).toMatchObject({'x-content-type-options': 'nosniff', 'cache-control': 'no-store', 'cross-origin-resource-policy': 'same-origin'})
    const {text: script} = await ask(`${own()}machine.js`)
    expect(script).toContain('RTX 4090')
    expect(script).not.toContain('secret-host')
  })

  it('knows no other path', async () => {
    for (const path of [
      '/',
      '/index.html',
      `/${'0'.repeat(32)}/`,
      own().slice(0, -1),
      `${own()}../main.js`,
      `${own()}..%2fmain.js`,
      `${own()}/etc/passwd`,
      `${own()}none.js`,
    ])
      expect((await ask(path)).status, path).toBe(404)
  })

  it('answers no other name of its address: a name that was made to point here', async () => {
    expect((await ask(own(), {host: 'evil.example'})).status).toBe(421)
    expect((await ask(own(), {host: `evil.example:${new URL(served.url).port}`})).status).toBe(421)
  })

  it('answers no page of elsewhere', async () => {
    expect((await ask(own(), {origin: 'https://evil.example'})).status).toBe(403)
    expect((await ask(own(), {origin: 'null'})).status).toBe(403)
    expect((await ask(`${own()}machine.js`, {'sec-fetch-site': 'cross-site'})).status).toBe(403)
    expect((await ask(own(), {'sec-fetch-site': 'none'})).status).toBe(200)
    expect((await ask(own(), {origin: new URL(served.url).origin})).status).toBe(200)
  })

  it('takes nothing', async () => {
    expect((await ask(own(), {}, 'POST')).status).toBe(405)
    expect((await ask(own(), {}, 'HEAD')).text).toBe('')
  })
})
