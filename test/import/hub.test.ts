import {describe, expect, it} from 'vitest'
import {HubClient, isPrivateHost} from '../../src/import/hub/client.ts'
import {isOffline, openHub, realHubEffects} from '../../src/import/hub/open-hub.ts'
import {importRepository} from '../../src/import/import-model.ts'
import {gguf} from './support/gguf.ts'
import {hubFor, sendFile, serverWith, type TestServer} from './support/hub-server.ts'
import {safetensors} from './support/safetensors.ts'
import {TINY_QWEN3, TINY_QWEN3_KEYS, TINY_QWEN3_PARAMETERS, tinyQwen3Gguf, tinyQwen3Tensors} from './support/tiny-models.ts'

const ID = 'Acme/Tiny-Qwen3'
const WEIGHTS = safetensors(tinyQwen3Tensors())
const FILES = {'config.json': TINY_QWEN3, 'model.safetensors': WEIGHTS, 'README.md': {}}

/** Waits are noted, not waited for. */
function effects() {
  const waits: number[] = []
  return {waits, all: {...realHubEffects, sleep: async (ms: number) => void waits.push(ms)}}
}

const hubAt = ({url}: TestServer, token?: string, {all} = effects(), limits = {}) =>
  openHub({HF_ENDPOINT: url, HF_TOKEN: token, HF_HOME: '/nonexistent'}, all, limits)
const importFrom = (server: TestServer, token?: string, world = effects(), limits = {}) =>
  importRepository({id: ID}, {env: {HF_HUB_CACHE: '/nonexistent'}, hub: hubAt(server, token, world, limits)})

describe('a repository on a hub', () => {
  it('is read from its listing, its configuration and the beginnings of its weight files', async () => {
    const storage = await serverWith((request, response) => sendFile(response, WEIGHTS, request.headers.range))
    const hub = await serverWith(hubFor(ID, FILES, {storage: storage.url}))
    const {model, warnings} = (await importFrom(hub, 'hf_secret'))!
    expect(warnings).toEqual([])
    expect(model).toMatchObject({hfId: ID, licence: 'apache-2.0', checkpoints: [{hfId: ID, weights: 'bf16', bytes: 2 * TINY_QWEN3_PARAMETERS}]})
    expect(hub.seen.map(({path}) => path)).not.toContain(`/${ID}/resolve/0123abc/README.md`)
    for (const {range} of storage.seen) expect(range).toMatch(/^bytes=0-131071$/)
  })

  it('shows the token to the hub and to nobody else', async () => {
    const storage = await serverWith((request, response) => sendFile(response, WEIGHTS, request.headers.range))
    const hub = await serverWith(hubFor(ID, FILES, {storage: storage.url}))
    await importFrom(hub, 'hf_secret')
    expect(hub.seen.length).toBeGreaterThan(2)
    for (const {authorization} of hub.seen) expect(authorization).toBe('Bearer hf_secret')
    // Another port is another host; so is another name for this machine.
    expect(storage.seen.length).toBeGreaterThan(0)
    for (const {authorization} of storage.seen) expect(authorization).toBeUndefined()
    const elsewhere = await serverWith(hubFor(ID, FILES, {storage: storage.url.replace('127.0.0.1', 'localhost')}))
    await importFrom(elsewhere, 'hf_secret')
    for (const {authorization} of storage.seen) expect(authorization).toBeUndefined()
  })

  it('does not show it again after a redirect that comes back', async () => {
    const hub: TestServer = await serverWith((request, response) => {
      if (request.url!.startsWith('/api')) return void response.writeHead(307, {location: `${other.url}/away`}).end()
      response.writeHead(200).end(JSON.stringify({id: ID, sha: '0123abc', siblings: []}))
    })
    const other = await serverWith((_request, response) => void response.writeHead(302, {location: `${hub.url}/back`}).end())
    await importFrom(hub, 'hf_secret').catch(() => {})
    expect(other.seen[0]!.authorization).toBeUndefined()
  })

  it('follows a renamed repository and relative redirects', async () => {
    const inner = hubFor('Acme/New-Name', FILES)
    const hub = await serverWith((request, response, seen) => {
      if (request.url!.startsWith(`/api/models/${ID}`)) return void response.writeHead(307, {location: '/api/models/Acme/New-Name?blobs=true'}).end()
      inner(request, response, seen)
    })
    expect((await importFrom(hub))!.model.hfId).toBe('Acme/New-Name')
  })

  it('reads GGUF headers, larger than one piece, by ranges', async () => {
    const file = gguf(
      {...TINY_QWEN3_KEYS, 'general.file_type': 7, 'tokenizer.ggml.merges': Array.from({length: 90_000}, (_, index) => `token ${index}`)},
      tinyQwen3Gguf('Q8_0'),
    )
    const hub = await serverWith(hubFor(ID, {'tiny-Q8_0.gguf': file, 'tiny-Q4_K_M.gguf': file}, {sizeless: true}))
    const {model} = (await importRepository({id: ID, variant: 'q8_0'}, {env: {HF_HUB_CACHE: '/nonexistent'}, hub: hubAt(hub)}))!
    expect(model.checkpoints[0]).toMatchObject({hfId: ID, weights: 'q8_0'})
    await expect(importFrom(hub)).rejects.toMatchObject({code: 'MODEL_AMBIGUOUS', message: expect.stringContaining(`${ID}:Q4_K_M`)})
  })

  it('takes the beginning where ranges are not honoured', async () => {
    const hub = await serverWith((request, response, seen) => {
      delete request.headers.range
      hubFor(ID, {...FILES, 'model.safetensors': safetensors([...tinyQwen3Tensors(), ['more.weight', 'BF16', [1000, 1000]]])})(request, response, seen)
    })
    expect((await importFrom(hub))!.model.checkpoints[0]!.bytes).toBe(2 * TINY_QWEN3_PARAMETERS + 2_000_000)
  })
})

describe('a hub that does not give what was asked', () => {
  const answering = (status: number, headers: Record<string, string> = {}) =>
    serverWith((_request, response) => void response.writeHead(status, headers).end('{}'))

  it('says what to do about a gated repository, with and without a token', async () => {
    const gated = await answering(401, {'x-error-code': 'GatedRepo'})
    await expect(importFrom(gated)).rejects.toMatchObject({
      code: 'MODEL_GATED',
      message: expect.stringMatching(/accept its terms there and set HF_TOKEN.*Acme\/Tiny-Qwen3\)/),
    })
    const forbidden = await answering(403)
    await expect(importFrom(forbidden, 'hf_secret')).rejects.toMatchObject({code: 'MODEL_GATED', message: expect.stringContaining('the account of your token')})
  })

  it('tells a repository that is not there from a token that is refused', async () => {
    await expect(importFrom(await answering(404, {'x-error-code': 'RepoNotFound'}))).rejects.toMatchObject({code: 'HUB_NOT_FOUND'})
    await expect(importFrom(await answering(401, {'x-error-code': 'RepoNotFound'}))).rejects.toMatchObject({
      code: 'HUB_NOT_FOUND',
      message: expect.stringContaining('or set HF_TOKEN'),
    })
    await expect(importFrom(await answering(401), 'hf_secret')).rejects.toMatchObject({
      code: 'TOKEN_REFUSED',
      message: expect.not.stringContaining('hf_secret'),
    })
  })

  it('is gated at the files though the listing is open', async () => {
    const inner = hubFor(ID, FILES)
    const hub = await serverWith((request, response, seen) =>
      request.url!.startsWith('/api') ? inner(request, response, seen) : void response.writeHead(403, {'x-error-code': 'GatedRepo'}).end(),
    )
    await expect(importFrom(hub)).rejects.toMatchObject({code: 'MODEL_GATED', message: expect.stringContaining('config.json')})
  })

  it('is asked again after 429 when it says so, a bounded number of times', async () => {
    const inner = hubFor(ID, FILES)
    let asked = 0
    const patient = await serverWith((request, response, seen) =>
      ++asked === 1 ? void response.writeHead(429, {'retry-after': '3'}).end() : inner(request, response, seen),
    )
    const world = effects()
    expect((await importFrom(patient, undefined, world))!.model.hfId).toBe(ID)
    expect(world.waits).toEqual([3000])

    const always = await answering(429, {'retry-after': '1'})
    await expect(importFrom(always)).rejects.toMatchObject({code: 'HUB_BUSY', message: expect.stringContaining('429 3 times')})
    expect(always.seen).toHaveLength(3)

    const tomorrow = await answering(429, {'retry-after': '86400'})
    const calm = effects()
    await expect(importFrom(tomorrow, undefined, calm)).rejects.toMatchObject({code: 'HUB_BUSY', message: expect.stringContaining('86400 s')})
    expect(calm.waits).toEqual([])
    expect(tomorrow.seen).toHaveLength(1)
  })

  it('takes a date in Retry-After', async () => {
    const inner = hubFor(ID, FILES)
    let asked = 0
    const hub = await serverWith((request, response, seen) =>
      ++asked === 1 ? void response.writeHead(429, {'retry-after': new Date(10_000).toUTCString()}).end() : inner(request, response, seen),
    )
    const world = effects()
    await importRepository(
      {id: ID},
      {env: {HF_HUB_CACHE: '/nonexistent'}, hub: openHub({HF_ENDPOINT: hub.url, HF_HOME: '/nonexistent'}, {...world.all, now: () => 6000})},
    )
    expect(world.waits).toEqual([4000])
  })

  it('is given up after three failures, and not asked again', async () => {
    const broken = await answering(503)
    const hub = hubAt(broken)
    await expect(hub.repository(ID)).rejects.toMatchObject({code: 'HUB_UNREACHABLE', message: expect.stringContaining('answers 503')})
    await expect(hub.repository('Acme/Other')).rejects.toMatchObject({code: 'HUB_UNREACHABLE'})
    expect(broken.seen).toHaveLength(3)
  })

  it('is not there', async () => {
    const server = await serverWith(() => {})
    const closed = {...server, url: server.url.replace(/:\d+$/, ':1')}
    await expect(importFrom(closed)).rejects.toMatchObject({code: 'HUB_UNREACHABLE', message: expect.stringContaining('HF_ENDPOINT')})
  })

  it('breaks off its answers', async () => {
    const hub = await serverWith((_request, response) => {
      response.writeHead(200, {'content-length': 1000})
      response.write('{"id":')
      setTimeout(() => response.destroy(), 5)
    })
    await expect(importFrom(hub)).rejects.toMatchObject({code: 'HUB_UNREACHABLE', message: expect.stringContaining('breaks off')})
    expect(hub.seen).toHaveLength(3)
  })

  it('sends its answer too slowly, or never', async () => {
    const drip = await serverWith((_request, response) => {
      response.writeHead(200)
      const timer = setInterval(() => response.write(' '), 10)
      response.on('close', () => clearInterval(timer))
    })
    const begun = performance.now()
    await expect(importFrom(drip, undefined, effects(), {timeoutMs: 150})).rejects.toMatchObject({
      code: 'HUB_TIMEOUT',
      message: expect.stringContaining('0.15 s'),
    })
    await expect(importFrom(await serverWith(() => {}), undefined, effects(), {timeoutMs: 150})).rejects.toMatchObject({code: 'HUB_TIMEOUT'})
    expect(performance.now() - begun).toBeLessThan(2000)
  })

  it('takes a little too long for each of many files', async () => {
    const shards = Object.fromEntries(
      Array.from({length: 40}, (_, index) => [`model-${String(index + 1).padStart(5, '0')}-of-00040.safetensors`, safetensors([[`t${index}`, 'BF16', [2]]])]),
    )
    const hub = await serverWith(hubFor(ID, {'config.json': TINY_QWEN3, ...shards}))
    let time = 0
    const {all} = effects()
    await expect(importFrom(hub, undefined, {waits: [], all: {...all, now: () => (time += 15_000)}})).rejects.toMatchObject({
      code: 'HUB_TIMEOUT',
      message: expect.stringContaining('120 s'),
    })
    expect(hub.seen.length).toBeLessThan(20)
  })

  it('is waited for once, however many names are asked', async () => {
    const silent = await serverWith(() => {})
    const hub = hubAt(silent, undefined, effects(), {timeoutMs: 100})
    for (const id of [ID, 'acme/second', 'acme/third']) await expect(hub.repository(id)).rejects.toMatchObject({code: 'HUB_TIMEOUT'})
    expect(silent.seen).toHaveLength(1)
  })

  it('sends the access token back: nothing of its answer is used or shown', async () => {
    const places = [
      await serverWith(hubFor(ID, {'config.json': {...TINY_QWEN3, _name_or_path: 'Acme/hf_secret'}})),
      await serverWith(hubFor(ID, {}, {listing: {cardData: {license: 'hf_secret'}}})),
      await answering(302, {location: 'ftp://x/Bearer%20hf_secret'}),
      await answering(404, {'x-error-message': 'no hf_secret here'}),
    ]
    for (const hub of places) {
      const failure = await importFrom(hub, 'hf_secret').catch((error: Error & {code: string}) => error)
      expect(failure).toMatchObject({code: 'HUB_ANSWER_INVALID'})
      expect((failure as Error).message).toContain('access token')
      expect(JSON.stringify([(failure as Error).message, failure])).not.toContain('hf_secret')
    }
  })

  it('leads from a public address to a private one', async () => {
    const asked: string[] = []
    const fetch = async (url: string | URL | Request) => {
      asked.push(String(url))
      return new Response('', {status: 302, headers: {location: 'https://169.254.169.254/latest/meta-data'}})
    }
    const hub = openHub({HF_ENDPOINT: 'https://hub.example', HF_HOME: '/nonexistent'}, {...effects().all, fetch: fetch as typeof globalThis.fetch})
    await expect(hub.repository(ID)).rejects.toMatchObject({code: 'HUB_ANSWER_INVALID', message: expect.stringContaining('private network')})
    expect(asked).toHaveLength(1)
  })

  it.each([
    ...['localhost', '127.0.0.1', '10.1.2.3', '172.16.0.1', '172.31.9.9', '192.168.1.1', '169.254.169.254', '100.64.0.1', '0.0.0.0'].map((host) => [
      host,
      true,
    ]),
    ...['[::1]', '[fd00::1]', '[fe80::1]', '[::ffff:7f00:1]', 'metadata.google.internal', 'box.local'].map((host) => [host, true]),
    ...['huggingface.co', '172.32.0.1', '8.8.8.8', '100.128.0.1', '[2001:db8::1]', '10.example.com', '[::ffff:808:808]'].map((host) => [host, false]),
  ] as [string, boolean][])('%s is private: %s', (host, isPrivate) => {
    // As the URL has it: numbers and other spellings of an address come out alike.
    expect(isPrivateHost(new URL(`http://${host}`).hostname)).toBe(isPrivate)
  })

  it('sends without end', async () => {
    const hub = await serverWith((_request, response) => {
      response.writeHead(200)
      const piece = Buffer.alloc(2 ** 20, 32)
      const more = () => {
        while (!response.destroyed && response.write(piece));
        if (!response.destroyed) response.once('drain', more)
      }
      more()
    })
    await expect(importFrom(hub)).rejects.toMatchObject({code: 'HUB_ANSWER_INVALID', message: expect.stringContaining('more than')})
  })

  it('redirects for ever, or to what is no web address', async () => {
    const loop: TestServer = await serverWith((request, response) => void response.writeHead(302, {location: `${request.url}x`}).end())
    await expect(importFrom(loop)).rejects.toMatchObject({code: 'HUB_ANSWER_INVALID', message: expect.stringContaining('more than 5 times')})
    await expect(importFrom(await answering(302, {location: 'file:///etc/passwd'}))).rejects.toMatchObject({code: 'HUB_ANSWER_INVALID'})
  })

  it('answers something else', async () => {
    await expect(importFrom(await serverWith((_request, response) => void response.end('<html>')))).rejects.toMatchObject({
      code: 'HUB_ANSWER_INVALID',
      message: expect.stringContaining('not JSON'),
    })
    await expect(importFrom(await serverWith((_request, response) => void response.end('{"siblings": 7}')))).rejects.toMatchObject({code: 'HUB_ANSWER_INVALID'})
    await expect(importFrom(await answering(418))).rejects.toMatchObject({code: 'HUB_ANSWER_INVALID', message: expect.stringContaining('418')})
  })

  it('holds a cut-off weight file', async () => {
    const hub = await serverWith(hubFor(ID, {...FILES, 'model.safetensors': WEIGHTS.slice(0, 900)}))
    await expect(importFrom(hub)).rejects.toMatchObject({code: 'FILE_TRUNCATED'})
  })
})

describe('the environment', () => {
  it('can forbid asking', () => {
    for (const value of ['1', 'true', 'YES', 'on']) expect(isOffline({HF_HUB_OFFLINE: value})).toBe(true)
    expect(isOffline({HF_HUB_OFFLINE: '0'})).toBe(false)
    expect(isOffline({TRANSFORMERS_OFFLINE: '1'})).toBe(true)
  })

  it('must name a web address without credentials', () => {
    for (const endpoint of ['hub', 'ftp://hub.example', 'https://user:secret@hub.example', 'https://hub.example/?x=1']) {
      expect(() => new HubClient({endpoint, timeoutMs: 1, longestWaitMs: 1}, realHubEffects), endpoint).toThrow(
        expect.objectContaining({code: 'HUB_ENDPOINT_INVALID', message: expect.not.stringContaining('secret')}),
      )
    }
    expect(new HubClient({endpoint: 'https://hub.example/mirror/', timeoutMs: 1, longestWaitMs: 1}, realHubEffects).endpoint).toBe('https://hub.example/mirror')
  })
})
