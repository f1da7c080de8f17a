import {InputError} from '../../core/input-error.ts'
import {dictionary} from '../../core/dictionary.ts'

/** What the client needs of the world; tests give their own. */
export interface HubEffects {
  fetch: typeof globalThis.fetch
  sleep(ms: number): Promise<void>
  now(): number
}

export interface HubSettings {
  /** `https://huggingface.co`, or what HF_ENDPOINT names: a mirror, a company's own. */
  endpoint: string
  token?: string
  /** Longest that one request may take, body included. */
  timeoutMs: number
  /** Longest wait before another try that is accepted; a server that asks for more gets an error to the user instead. */
  longestWaitMs: number
}

export interface HubAnswer {
  status: number
  headers: Headers
  body: Uint8Array
}

export interface HubRequest {
  /** First byte and number of bytes. */
  range?: {offset: number; length: number}
  /** Most bytes of body that are taken; a longer one is an error, or cut where a range was asked and not honoured. */
  maxBytes: number
}

const MAX_TRIES = 3
const MAX_REDIRECTS = 5
const FIRST_WAIT_MS = 500

/** The hub could not be reached at all: no name, no route, no answer. */
export class HubUnreachable extends InputError {
  constructor(message: string) {
    super('HUB_UNREACHABLE', message)
  }
}

/** The hub was reached and stays silent: the next question would wait as long. */
export class HubSilent extends InputError {
  constructor(message: string) {
    super('HUB_TIMEOUT', message)
  }
}

class TryAgain extends Error {
  waitMs: number | undefined
  constructor(message: string, waitMs?: number) {
    super(message)
    this.waitMs = waitMs
  }
}

/** The endpoint as an URL without a slash at its end. @throws InputError HUB_ENDPOINT_INVALID. */
export function checkedEndpoint(text: string): string {
  let url: URL | undefined
  try {
    url = new URL(text)
  } catch {}
  if (!url || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '' || url.search !== '') {
    throw new InputError('HUB_ENDPOINT_INVALID', `HF_ENDPOINT is not a web address without credentials: expected one such as https://huggingface.co`)
  }
  return url.href.replace(/\/+$/, '')
}

/**
 * GET requests to a hub. Redirects are followed by hand, so that the access token goes to the hub's own origin and to no
 * other; busy and failing servers are asked again, a bounded number of times.
 */
export class HubClient {
  readonly endpoint: string
  private readonly settings: HubSettings
  private readonly effects: HubEffects

  constructor(settings: HubSettings, effects: HubEffects) {
    this.settings = settings
    this.effects = effects
    this.endpoint = checkedEndpoint(settings.endpoint)
  }

  now(): number {
    return this.effects.now()
  }

  get hasToken(): boolean {
    return this.settings.token !== undefined
  }

  /** The answer, whatever its status, to a path below the endpoint. @throws InputError where there is none. */
  async get(path: string, request: HubRequest): Promise<HubAnswer> {
    for (let tried = 1; ; tried++) {
      try {
        return await this.follow(`${this.endpoint}${path}`, request)
      } catch (error) {
        if (!(error instanceof TryAgain)) throw error
        const waitMs = error.waitMs ?? FIRST_WAIT_MS * 2 ** (tried - 1)
        if (waitMs > this.settings.longestWaitMs)
          throw new InputError(
            'HUB_BUSY',
            `${this.host} ${error.message} and asks to wait ${Math.ceil(waitMs / 1000)} s: try again then${this.hasToken ? '' : ', or set HF_TOKEN'}`,
          )
        if (tried >= MAX_TRIES)
          throw /429/.test(error.message)
            ? new InputError('HUB_BUSY', `${this.host} ${error.message} ${tried} times: try again later${this.hasToken ? '' : ', or set HF_TOKEN'}`)
            : new HubUnreachable(`${this.host} ${error.message} (${tried} tries): check the network and HF_ENDPOINT, or give the path of a local copy`)
        await this.effects.sleep(waitMs)
      }
    }
  }

  private get host(): string {
    return new URL(this.endpoint).host
  }

  private async follow(start: string, request: HubRequest): Promise<HubAnswer> {
    const deadline = AbortSignal.timeout(this.settings.timeoutMs)
    const home = new URL(this.endpoint)
    let url = new URL(start)
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      const response = await this.send(url, url.origin === home.origin, request, deadline)
      const location = response.headers.get('location')
      if (response.status < 300 || response.status >= 400 || response.status === 304 || location === null) return this.finish(response, request)
      await response.body?.cancel().catch(() => {})
      url = this.next(url, location, home)
    }
    throw new InputError('HUB_ANSWER_INVALID', `${this.host} redirects more than ${MAX_REDIRECTS} times: check HF_ENDPOINT`)
  }

  private next(from: URL, location: string, home: URL): URL {
    let url: URL | undefined
    try {
      url = new URL(location, from)
    } catch {}
    if (!url || !/^https?:$/.test(url.protocol) || (home.protocol === 'https:' && url.protocol !== 'https:')) {
      throw new InputError(
        'HUB_ANSWER_INVALID',
        `${this.host} redirects to an address that is not taken (${this.tells(location) ? 'with the access token in it' : location.slice(0, 100)}): check HF_ENDPOINT`,
      )
    }
    if (isPrivateHost(url.hostname) && !isPrivateHost(home.hostname))
      throw new InputError(
        'HUB_ANSWER_INVALID',
        `${this.host} redirects to ${url.host.slice(0, 100)}, an address of a private network, which is not followed: check HF_ENDPOINT`,
      )
    return url
  }

  private async send(url: URL, own: boolean, {range}: HubRequest, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = dictionary({'user-agent': 'servefit', 'accept-encoding': 'identity'})
    if (range) headers.range = `bytes=${range.offset}-${range.offset + range.length - 1}`
    if (own && this.settings.token !== undefined) headers.authorization = `Bearer ${this.settings.token}`
    try {
      return await this.effects.fetch(url, {headers, redirect: 'manual', signal})
    } catch (error) {
      if (signal.aborted) throw this.tooSlow()
      const reason = reasonOf(error)
      // Nobody is there: asking again a moment later finds nobody again.
      if (/^(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|UND_ERR_CONNECT_TIMEOUT)$/.test(reason))
        throw new HubUnreachable(`${url.host} cannot be reached (${reason}): check the network and HF_ENDPOINT, or give the path of a local copy`)
      throw new TryAgain(`cannot be reached (${reason})`)
    }
  }

  private tooSlow(): InputError {
    return new HubSilent(`${this.host} did not finish its answer within ${this.settings.timeoutMs / 1000} s: try again, or give the path of a local copy`)
  }

  private async finish(response: Response, request: HubRequest): Promise<HubAnswer> {
    const {status, headers} = response
    if (status === 429 || status >= 500) {
      await response.body?.cancel().catch(() => {})
      throw new TryAgain(`answers ${status}`, status === 429 || status === 503 ? this.retryAfterMs(headers.get('retry-after')) : undefined)
    }
    const body = await this.body(response, request)
    // What is read is shown sooner or later: names, licences, what was wrong with a file.
    const {token} = this.settings
    if (
      token !== undefined &&
      (Buffer.from(body.buffer, body.byteOffset, body.length).includes(token) || [...headers.values()].some((value) => this.tells(value)))
    )
      throw new InputError('HUB_ANSWER_INVALID', `${this.host} sends the access token back, which no hub does: its answer is not used. Check HF_ENDPOINT`)
    return {status, headers, body}
  }

  /** Whether a text holds the access token, as it is or as addresses write it. */
  private tells(text: string): boolean {
    const {token} = this.settings
    return token !== undefined && (text.includes(token) || text.includes(encodeURIComponent(token)))
  }

  /** Seconds or a date (RFC 9110 section 10.2.3). */
  private retryAfterMs(value: string | null): number | undefined {
    if (value === null) return undefined
    if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000
    const date = Date.parse(value)
    return Number.isNaN(date) ? undefined : Math.max(0, date - this.effects.now())
  }

  private async body(response: Response, {range, maxBytes}: HubRequest): Promise<Uint8Array> {
    const limit = response.status === 206 && range ? Math.min(maxBytes, range.length) : maxBytes
    const chunks: Uint8Array[] = []
    let size = 0
    const reader = response.body?.getReader()
    try {
      while (reader) {
        const {done, value} = await reader.read()
        if (done) break
        chunks.push(value)
        size += value.length
        if (size <= limit) continue
        await reader.cancel().catch(() => {})
        // A server that ignores ranges sends the whole file: what was asked for is its beginning.
        if (range?.offset === 0) break
        throw new InputError(
          'HUB_ANSWER_INVALID',
          `${this.host} sends more than the ${limit.toLocaleString('en-US')} bytes that were asked for${range ? ': it does not honour range requests' : ''}`,
        )
      }
    } catch (error) {
      if (error instanceof InputError) throw error
      if (error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError')) throw this.tooSlow()
      throw new TryAgain(`breaks off its answer (${reasonOf(error)})`)
    }
    const length = Number(response.headers.get('content-length') ?? Number.NaN)
    if (size < Math.min(limit, length)) throw new TryAgain(`breaks off its answer after ${size} of ${length} bytes`)
    return joined(chunks, Math.min(size, limit))
  }
}

/** Addresses that only this machine or its own network reaches (RFC 1918, 3927, 4193, 4291, 6598; names of RFC 6761 and 6762). Names are not looked up. */
export function isPrivateHost(host: string): boolean {
  const plain = host.replace(/^\[|\]$/g, '').toLowerCase()
  if (plain === 'localhost' || /\.(?:localhost|local|internal)$/.test(plain)) return true
  // ::ffff:7f00:1 is 127.0.0.1 in an address of version 6.
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(plain) ?? []
  const bytes = [high, low].flatMap((part) => (part === undefined ? [] : [Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 255]))
  const dotted = bytes.length === 4 ? bytes.join('.') : plain
  if (plain.includes(':') && bytes.length === 0) return /^(?:::1?$|f[cd]|fe[89ab])/.test(plain)
  return (
    /^(?:0|10|127)\.|^169\.254\.|^192\.168\.|^172\.(?:1[6-9]|2\d|3[01])\.|^100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.[\d.]+$/.test(dotted) &&
    /^[\d.]+$/.test(dotted)
  )
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    const part = chunk.subarray(0, size - at)
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** `ENOTFOUND`, `ECONNREFUSED`: fetch hides them in the cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  if (cause instanceof Error) return (cause as NodeJS.ErrnoException).code ?? cause.message.slice(0, 100)
  return 'no answer'
}
