import {once} from 'node:events'
import {mkdtempSync, rmSync} from 'node:fs'
import {createServer, type IncomingMessage, type Server, type ServerResponse} from 'node:http'
import type {AddressInfo} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {gzipSync} from 'node:zlib'
import {InputError} from '../../core/input-error.ts'
import type {Random} from '../../core/simulator/random.ts'
import {openHub, realHubEffects} from '../../import/hub/open-hub.ts'
import {importRepository} from '../../import/import-model.ts'
import {type Assault, chance, type Part, pick, whole} from './assault.ts'
import {childEnvironment, servefit} from './child.ts'
import {ACTING, ESCAPES, LOOKED_UP} from './hostile.ts'

const TOKEN = 'hf_thisIsTheSecretOfThisRun'
/** The client is told to wait no longer than this for a hub that says nothing. */
const TIMEOUT_MS = 300
/** An answer takes a few requests, each of which may be silent. */
const MOST_SECONDS = 20
/** The limit that a command waits with by itself, for three names together and a start on a slow machine. */
const SILENT_WITHIN_SECONDS = 60

type Answer = (request: IncomingMessage, response: ServerResponse, authorization: string) => void

const json = (response: ServerResponse, value: unknown): void =>
  void response.writeHead(200, {'content-type': 'application/json'}).end(typeof value === 'string' ? value : JSON.stringify(value))

const CONFIG = {
  architectures: ['Qwen3ForCausalLM'],
  model_type: 'qwen3',
  hidden_size: 64,
  intermediate_size: 128,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 16,
  vocab_size: 1024,
  max_position_embeddings: 4096,
  torch_dtype: 'bfloat16',
}

/** Ways in which a hub can answer badly, whatever is asked. */
function misbehaviours(random: Random): Record<string, Answer> {
  const word = pick(random, [...LOOKED_UP, ESCAPES, 'x'.repeat(100_000), '/etc/passwd', '..%2f..%2fetc', 'a\r\nb'])
  return {
    'nothing for ever': () => {},
    'half a head': (_request, response) => void response.socket?.write('HTTP/1.1 200 OK\r\nContent-Le'),
    'a body that stops': (_request, response) => void response.writeHead(200, {'content-length': '1000000'}).write('{"id":'),
    'a body without end': (_request, response) => {
      response.writeHead(200)
      const more = () => {
        while (!response.destroyed && response.write(' '.repeat(65_536)));
      }
      response.on('drain', more)
      more()
    },
    'a bomb': (_request, response) => void response.writeHead(200, {'content-encoding': 'gzip'}).end(gzipSync(Buffer.alloc(100 * 2 ** 20))),
    'not HTTP': (_request, response) => void response.socket?.end('\0\0\0\0'),
    'a cut connection': (_request, response) => void response.socket?.destroy(),
    'a redirect in a circle': (request, response) => void response.writeHead(302, {location: request.url ?? '/'}).end(),
    'a redirect elsewhere': (_request, response, authorization) =>
      void response
        .writeHead(307, {
          location: pick(random, [
            'file:///etc/passwd',
            'data:,x',
            `ftp://x/${encodeURIComponent(authorization)}`,
            'http://169.254.169.254/latest',
            '//[::1]:1/',
            'http://',
            `/${encodeURIComponent(word)}`,
          ]),
        })
        .end(),
    'the token sent back': (_request, response, authorization) =>
      json(response, {id: authorization, sha: authorization, siblings: [{rfilename: authorization}]}),
    HTML: (_request, response) => void response.writeHead(200, {'content-type': 'text/html'}).end('<html>Sign in</html>'),
    'a status': (_request, response) =>
      void response
        .writeHead(pick(random, [204, 206, 301, 304, 400, 401, 403, 404, 416, 418, 429, 500, 503, 599]), {
          'retry-after': pick(random, ['1e9', '-1', 'soon', '0']),
        })
        .end(),
    'deep JSON': (_request, response) => json(response, '['.repeat(200_000)),
    'other JSON': (_request, response) =>
      json(response, pick(random, ['null', '1e999', '"x"', '[]', '{}', '{"siblings":null}', '{"siblings":[null,1,{}]}', '{"__proto__":{"sha":"x"}}'])),
    'names of files': (request, response) =>
      /\/api\//.test(request.url ?? '')
        ? json(response, {
            id: word,
            sha: word,
            siblings: [{rfilename: 'config.json'}, {rfilename: word}, {rfilename: `${word}.safetensors`}],
            cardData: {license: word},
          })
        : json(response, {...CONFIG, [word]: word, architectures: [word]}),
    'many shards': (request, response) =>
      /\/api\//.test(request.url ?? '')
        ? json(response, {
            id: 'a/b',
            sha: 'abc',
            siblings: [{rfilename: 'config.json'}, ...Array.from({length: 400}, (_, at) => ({rfilename: `model-${at}.safetensors`, size: 1e9}))],
          })
        : /config\.json/.test(request.url ?? '')
          ? json(response, CONFIG)
          : void response
              .writeHead(206, {'content-range': 'bytes 0-131071/1000000000'})
              .end(Buffer.concat([Buffer.from([0, 0, 0, 6, 0, 0, 0, 0]), Buffer.alloc(131_064, 123)])),
    'an odd configuration': (request, response) =>
      /\/api\//.test(request.url ?? '')
        ? json(response, {id: 'a/b', sha: 'abc', siblings: [{rfilename: 'config.json'}, {rfilename: 'model.safetensors', size: whole(random, -1, 9)}]})
        : json(response, {...CONFIG, [pick(random, Object.keys(CONFIG))]: pick<unknown>(random, [null, -1, 1e308, [], {}, word, 0, '1'])}),
  }
}

/** A server on this machine alone, whose answers are changed from try to try. */
class HostileHub {
  answer: Answer = () => {}
  authorization = ''
  private readonly server: Server

  constructor() {
    this.server = createServer((request, response) => {
      this.authorization = request.headers.authorization ?? ''
      response.on('error', () => {})
      this.answer(request, response, this.authorization)
    })
    // Half a head and the like leave nothing to be told.
    this.server.on('clientError', (_error, socket) => socket.destroy())
  }

  async open(): Promise<string> {
    this.server.listen(0, '127.0.0.1')
    await once(this.server, 'listening')
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  /** What the last try left open. */
  drop(): void {
    this.server.closeAllConnections()
  }

  close(): void {
    this.server.close()
    this.drop()
  }
}

/** The first answers may be good: what comes behind them is then read. */
function mixed(random: Random, bad: Answer): Answer {
  if (chance(random, 0.5)) return bad
  return (request, response, authorization) => {
    const {url = ''} = request
    if (/\/api\//.test(url))
      json(response, {id: 'Acme/Tiny', sha: '0123abc', siblings: [{rfilename: 'config.json'}, {rfilename: 'model.safetensors', size: 1_000_000}]})
    else if (/config\.json/.test(url) && chance(random, 0.5)) json(response, CONFIG)
    else bad(request, response, authorization)
  }
}

/** A hub on this machine that answers as badly as it can: asked in this process, and by the command. */
export const hub: Part = {
  name: 'hub',
  share: 8,
  async run(assault) {
    const hubs = [new HostileHub(), new HostileHub()] as const
    const home = mkdtempSync(join(tmpdir(), 'servefit-attack-'))
    try {
      const [one, other] = [await hubs[0].open(), await hubs[1].open()]
      // The command waits for a silent hub as long as it does for any: meanwhile the others are asked here.
      await Promise.all([inProcess(assault, hubs[0], one, home), byCommand(assault, hubs[1], other, home)])
    } finally {
      for (const hostile of hubs) hostile.close()
      rmSync(home, {recursive: true, force: true})
    }
  },
}

async function inProcess(assault: Assault, hostile: HostileHub, url: string, home: string): Promise<void> {
  for (let number = 0; !assault.isOver; number++) {
    const random = assault.random(number)
    const [how, bad] = pick(random, Object.entries(misbehaviours(random)))
    hostile.answer = mixed(random, bad)
    const env = {HF_ENDPOINT: url, HF_TOKEN: TOKEN, HF_HOME: home, HF_HUB_CACHE: home}
    const opened = openHub(env, {...realHubEffects, sleep: async () => {}}, {timeoutMs: TIMEOUT_MS, longestWaitMs: TIMEOUT_MS})
    const began = performance.now()
    const reproduce = `npm run attack -- --seed ${assault.seed} --part hub: number ${number}, a hub that sends ${how}`
    try {
      const found = await importRepository({id: 'Acme/Tiny'}, {env, hub: opened})
      assault.count('imported all the same')
      if (JSON.stringify(found).includes(TOKEN)) assault.found({what: 'the token stands in the model', reproduce})
    } catch (error) {
      assault.count('refused')
      if (!(error instanceof InputError))
        assault.found({what: `${how}: ${(error as Error).message}\n${(error as Error).stack?.split('\n').slice(1, 4).join('\n')}`, reproduce})
      else if (error.message.includes(TOKEN) || error.message.includes(encodeURIComponent(TOKEN)))
        assault.found({what: `${how}: the token stands in the message`, reproduce})
      else if (error.message.length > 2000) assault.found({what: `${how}: ${error.code} in ${error.message.length} characters`, reproduce})
    }
    const seconds = (performance.now() - began) / 1000
    assault.measure('slowest in ms', seconds * 1000)
    if (seconds > MOST_SECONDS) assault.found({what: `${how}: ${seconds.toFixed(1)} s`, reproduce})
    hostile.drop()
  }
}

/** The command itself, with the limits it has: a silent hub is waited for once, and nothing of what it sends reaches the terminal. */
async function byCommand(assault: Assault, hostile: HostileHub, url: string, home: string): Promise<void> {
  const env = {...childEnvironment(home), HF_HUB_OFFLINE: '', HF_ENDPOINT: url, HF_TOKEN: TOKEN}
  const names = ['silent', ...Object.keys(misbehaviours(assault.random(0))).filter((how) => !/nothing|half|stops|without end/.test(how))]
  for (const [index, how] of names.entries()) {
    if (index > 0 && assault.isOver) return
    const random = assault.random(2 ** 21 + index)
    const isSilent = how === 'silent'
    hostile.answer = isSilent ? () => {} : misbehaviours(random)[how]!
    const lines = ['Acme/One', 'Acme/Two', 'Acme/Three'].map((model) => `${JSON.stringify({model, gpu: '1xh100-sxm'})}\n`).join('')
    const args = isSilent ? ['batch', '-'] : ['check', 'Acme/Tiny', '--gpu', '1xh100-sxm']
    const {code, stdout, stderr, seconds, timedOut} = await servefit(assault.root, args, {
      env,
      input: isSilent ? lines : '',
      timeoutSeconds: SILENT_WITHIN_SECONDS,
    })
    assault.count('commands')
    assault.measure('slowest command in ms', seconds * 1000)
    const reproduce = `HF_ENDPOINT=a hub that sends ${isSilent ? 'nothing' : how}, seed ${assault.seed}: servefit ${args.join(' ')}`
    if (timedOut) assault.found({what: `no answer within ${SILENT_WITHIN_SECONDS} s`, reproduce})
    else if (code !== 2 && code !== 1 && code !== 0) assault.found({what: `exit code ${code}: ${stderr.slice(0, 300)}`, reproduce})
    if ((stdout + stderr).includes(TOKEN)) assault.found({what: 'the token is printed', reproduce})
    if (!isSilent && ACTING.test(stdout + stderr))
      assault.found({what: `acts on the terminal: ${JSON.stringify(ACTING.exec(stdout + stderr)?.[0])}`, reproduce})
    hostile.drop()
  }
}
