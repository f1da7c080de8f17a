import {spawnSync} from 'node:child_process'
import {mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import {createServer, type Server} from 'node:net'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {openCatalogue} from '../../catalogue/catalogue.ts'
import {gpuFinder} from '../../catalogue/gpu-finder.ts'
import {readDocument} from '../../cli/document.ts'
import {readScenario} from '../../cli/scenario-file.ts'
import {realContext} from '../../cli/world.ts'
import {InputError} from '../../core/input-error.ts'
import type {Random} from '../../core/simulator/random.ts'
import {importPath} from '../../import/import-model.ts'
import {machineOfText} from '../../library/machine-text.ts'
import {answer, toResult} from '../../planner/answer/index.ts'
import {parseTrace} from '../../planner/capacity/index.ts'
import {checkedCapacity} from '../../planner/capacity/schema.ts'
import {readBench} from '../../verify/bench/read-bench.ts'
import {readLog} from '../../verify/read-log.ts'
import {brokenResultLaws} from '../laws/result-laws.ts'
import {type Assault, chance, type Part, pick, whole} from './assault.ts'
import {childEnvironment, each, servefit, shown} from './child.ts'
import {ESCAPES, LOOKED_UP} from './hostile.ts'

/** Processor time for one broken file: the slowest takes a part of a second. */
const MOST_SECONDS = 10
/** What refuses a file says so at once; a machine under load starts a command in a few seconds. */
const REFUSED_WITHIN_SECONDS = 30

/** A kind of file: whole examples to break, and what reads one. */
interface Kind {
  name: string
  examples: string[]
  read(text: string, path: string): Promise<void> | void
}

const filesIn = (folder: string, end: RegExp): string[] =>
  readdirSync(folder)
    .filter((name) => end.test(name))
    .sort()
    .map((name) => readFileSync(join(folder, name), 'latin1'))

function kindsOf({root}: Assault, folder: string): Kind[] {
  const fixtures = join(root, 'test', 'fixtures')
  const examples = join(root, 'examples')
  const catalogue = openCatalogue(join(root, 'dist', 'data'))
  const context = () => realContext(catalogue, {corrections: false, offline: true})
  const written = (text: string, name: string, beside?: string): string => {
    const own = join(folder, name.replace(/\W/g, '-'))
    mkdirSync(own, {recursive: true})
    if (beside !== undefined) writeFileSync(join(own, 'config.json'), beside)
    writeFileSync(join(own, name), text, 'latin1')
    return join(own, name)
  }
  const tiny = readFileSync(join(fixtures, 'configs', 'qwen3-14b.json'), 'utf8')
  return [
    {
      name: 'configurations',
      examples: filesIn(join(fixtures, 'configs'), /\.json$/),
      read: async (text) => {
        const model = written(text, 'config.json')
        await importPath(model)
        const result = toResult((await answer(context(), {model, gpu: '8xh100-sxm'})).best)
        for (const law of brokenResultLaws(result)) throw new Error(`law: ${law}`)
      },
    },
    {
      name: 'weight files',
      examples: [safetensors(), gguf()],
      read: async (text) => void (await importPath(text.startsWith('GGUF') ? written(text, 'a.gguf') : join(written(text, 'model.safetensors', tiny), '..'))),
    },
    {
      name: 'outputs of tools',
      examples: [...filesIn(join(fixtures, 'detect'), /\.(?:txt|csv|json|xml)$/), readFileSync(join(examples, 'nvidia-smi.txt'), 'latin1')],
      read: async (text, path) => void (await machineOfText(catalogue, text, path, gpuFinder(catalogue))),
    },
    {name: 'logs', examples: filesIn(join(fixtures, 'verify'), /\.log$/).map((text) => text.slice(0, 100_000)), read: (text) => void readLog([text])},
    {name: 'benchmarks', examples: filesIn(examples, /^(?:benchmark\.json|runs\.jsonl)$/), read: (text, path) => void readBench(text, path)},
    {name: 'traces', examples: filesIn(examples, /requests\.csv$/), read: (text, path) => void parseTrace(text, path)},
    {
      name: 'scenarios',
      examples: filesIn(examples, /^chat\.yaml$/),
      read: async (text) => void (await readScenario(written(text, 'a.yaml'), {inputTokens: 1, outputTokens: 1})),
    },
    {
      name: 'fleets',
      examples: filesIn(examples, /^fleet\.yaml$/),
      read: async (text) => void checkedCapacity(await readDocument(written(text, 'f.yaml'), 'a fleet'), 'f.yaml'),
    },
  ]
}

/** A file of weights with one tensor, in the form of safetensors: the length of its header, and the header. */
function safetensors(): string {
  const header = JSON.stringify({'model.embed_tokens.weight': {dtype: 'BF16', shape: [1024, 64], data_offsets: [0, 131_072]}})
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(header.length))
  return length.toString('latin1') + header + '\0'.repeat(200)
}

/** The beginning of a GGUF file: its mark, version 3, no tensor, and one text. */
function gguf(): string {
  const bytes = Buffer.alloc(24)
  bytes.write('GGUF', 0, 'latin1')
  bytes.writeUInt32LE(3, 4)
  bytes.writeBigUInt64LE(0n, 8)
  bytes.writeBigUInt64LE(1n, 16)
  const text = (words: string) => {
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(words.length))
    return length.toString('latin1') + words
  }
  return `${bytes.toString('latin1')}${text('general.architecture')}\u0008\0\0\0${text('llama')}`
}

const VALUES = [
  '0',
  '-1',
  '1e308',
  '99999999999999999999',
  'null',
  'true',
  '""',
  '[]',
  '{}',
  '"constructor"',
  '"__proto__"',
  `${JSON.stringify(ESCAPES)}`,
  '1e999',
  '0.5',
  'NaN',
]
const PIECES = [
  '{',
  '}',
  '[',
  ']',
  '"',
  ',',
  ':',
  '\n',
  '\0',
  '\u00FF\u00FE',
  '&a ',
  '*a ',
  '<<: ',
  '!!js ',
  '- ',
  '\t',
  '%',
  '\u001B[2J',
  '999999999999',
  ...LOOKED_UP,
]

/** The same file with a few things wrong. */
function broken(random: Random, text: string): string {
  let out = text
  for (let left = whole(random, 1, 5); left > 0; left--) {
    const at = whole(random, 0, Math.max(0, out.length - 1))
    const kind = random.uniform()
    if (kind < 0.35) out = replacedValue(out, at, pick(random, VALUES))
    else if (kind < 0.5) out = out.slice(0, at) + pick(random, PIECES) + out.slice(at)
    else if (kind < 0.6) out = out.slice(0, at) + String.fromCharCode(whole(random, 0, 255)) + out.slice(at + 1)
    else if (kind < 0.7) out = out.slice(0, at) + out.slice(at + whole(random, 1, 200))
    else if (kind < 0.76) out = out.slice(0, at)
    else if (kind < 0.82) out = out.slice(0, at) + out.slice(at, at + 300).repeat(whole(random, 2, 50)) + out.slice(at)
    else if (kind < 0.85)
      out = out.slice(0, at) + pick(random, ['[', '{"a":', '- ', ' ', 'a', '9', '"', '&a [', '\n']).repeat(whole(random, 1000, 30_000)) + out.slice(at)
    else out = replacedWord(out, at, pick(random, [...LOOKED_UP, ESCAPES, 'x'.repeat(5000)]))
  }
  return out
}

/** The same document with a few values, and now and then a key, changed: it stays JSON. */
function brokenJson(random: Random, document: unknown): string {
  const places: [Record<string, unknown>, string][] = []
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    for (const key of Object.keys(value)) {
      places.push([value as Record<string, unknown>, key])
      visit((value as Record<string, unknown>)[key])
    }
  }
  visit(document)
  for (let left = whole(random, 1, 3); left > 0 && places.length > 0; left--) {
    const [holder, key] = pick(random, places)
    const value = holder[key]
    if (chance(random, 0.15)) Object.defineProperty(holder, pick(random, LOOKED_UP), {value, enumerable: true, configurable: true, writable: true})
    if (chance(random, 0.15)) delete holder[key]
    else holder[key] = changed(random, value)
  }
  return JSON.stringify(document)
}

function changed(random: Random, value: unknown): unknown {
  const kind = random.uniform()
  if (typeof value === 'number' && kind < 0.5) return pick(random, [0, -value, value + 1, value * 2, value / 2, value / 3, value * 1e6, 1])
  if (Array.isArray(value) && kind < 0.5) return pick<unknown>(random, [[], value.slice(1), [...value, ...value], [value]])
  if (typeof value === 'boolean' && kind < 0.5) return !value
  return pick<unknown>(random, [null, 0, -1, 1e308, 0.5, 2 ** 53, '', 'x', true, [], {}, pick(random, LOOKED_UP), ESCAPES, 'x'.repeat(5000)])
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The next number of a text, or value of a JSON document, for another. */
const replacedValue = (text: string, at: number, value: string): string =>
  text.slice(0, at) + text.slice(at).replace(/-?\d[\d.e+-]*|"[^"\n]{0,200}"(?=\s*[,}\]])|true|false|null/, () => value)

const replacedWord = (text: string, at: number, word: string): string => text.slice(0, at) + text.slice(at).replace(/[A-Za-z_][\w.-]+/, () => word)

async function breakFiles(assault: Assault, folder: string): Promise<void> {
  const kinds = kindsOf(assault, folder)
  for (let number = 0; !assault.isOver; number++) {
    // What runs beside it is looked after.
    await new Promise(setImmediate)
    const random = assault.random(number)
    const kind = kinds[number % kinds.length]!
    const example = pick(random, kind.examples)
    const document = chance(random, 0.7) ? parsed(example) : undefined
    const text = chance(random, 0.02) ? '' : document === undefined ? broken(random, example) : brokenJson(random, document)
    const reproduce = () => `${kind.name}, number ${number}: ${JSON.stringify(text)}`
    const before = process.cpuUsage()
    try {
      await kind.read(text, `${kind.name}.txt`)
      assault.count(`${kind.name} read`)
    } catch (error) {
      if (error instanceof InputError) {
        assault.count(`${kind.name} refused`)
        if (error.message.length > 4100) assault.found({what: `${error.code} in ${error.message.length} characters`, reproduce: reproduce()})
      } else
        assault.found({
          what: `${kind.name}: ${(error as Error).message}\n${(error as Error).stack?.split('\n').slice(1, 4).join('\n')}`,
          reproduce: reproduce(),
        })
    }
    const {user, system} = process.cpuUsage(before)
    const seconds = (user + system) / 1e6
    assault.measure('slowest in ms', seconds * 1000)
    if (seconds > MOST_SECONDS) assault.found({what: `${kind.name}: ${seconds.toFixed(1)} s of processor time`, reproduce: reproduce()})
  }
}

/** Everything that is no regular file, at every path that a command takes. */
async function specialFiles(assault: Assault, folder: string): Promise<void> {
  const fifo = join(folder, 'fifo')
  if (spawnSync('mkfifo', [fifo]).status !== 0) return assault.count('special files left out, there is no mkfifo', 1)
  const socket = join(folder, 'socket')
  const server = await listening(socket)
  symlinkSync('/dev/zero', join(folder, 'link.json'))
  const special = [fifo, socket, '/dev/zero', '/dev/random', '/proc/kmsg', '/proc/self/mem', folder, join(folder, 'link.json')]
  const gpu = ['--gpu', '1xh100-sxm']
  const extending = (path: string): string => {
    const scenario = join(folder, `extends-${special.indexOf(path)}.yaml`)
    writeFileSync(scenario, `extends: ${path}\n`)
    return scenario
  }
  const commands: ((path: string) => [args: string[], input?: string])[] = [
    (path) => [['check', path.startsWith('/') ? path : `./${path}`, ...gpu]],
    (path) => [['check', 'qwen3-8b', '--machine', path]],
    (path) => [['check', '--scenario', path]],
    (path) => [['check', '--scenario', extending(path)]],
    (path) => [['batch', path]],
    (path) => [['batch', '-'], `${JSON.stringify({model: path, gpu: '1xh100-sxm'})}\n`],
    (path) => [['batch', '-'], `${JSON.stringify({model: 'qwen3-8b', machine: path})}\n`],
    (path) => [['batch', '-'], `${JSON.stringify({command: ['vllm', 'serve', 'Qwen/Qwen3-8B', '--config', path], gpu: '1xh100-sxm'})}\n`],
    (path) => [['capacity', path]],
    (path) => [['capacity', '--model', 'qwen3-8b', ...gpu, '--trace', path]],
    (path) => [['verify', path]],
    (path) => [['verify', '--bench', path]],
    (path) => [['calibrate', path, ...gpu]],
    (path) => [['diff', path, path]],
    (path) => [['models', 'import', path]],
    (path) => [['check', 'qwen3-8b', ...gpu, '--lora', path]],
    (path) => [['plan', 'qwen3-8b', ...gpu, '--catalogue', path]],
  ]
  const home = join(folder, 'home')
  try {
    const tries = special.flatMap((path) => commands.map((command) => ({path, command})))
    // Another order for each seed: a short run tries some of them.
    const random = assault.random(2 ** 22)
    const order = tries.map((entry) => ({entry, at: random.uniform()})).sort((a, b) => a.at - b.at)
    await each(assault, order, async ({entry: {path, command}}) => {
      const [args, input] = command(path)
      const {code, stdout, stderr, timedOut, seconds} = await servefit(assault.root, args, {
        env: childEnvironment(home),
        input,
        timeoutSeconds: REFUSED_WITHIN_SECONDS,
      })
      assault.count('special files as arguments')
      assault.measure('slowest refusal in ms', seconds * 1000)
      const reproduce = `${input === undefined ? '' : `echo '${input.trimEnd()}' | `}${shown(args)}`
      // A folder may be a model's or a catalogue's: then it is said that it holds none.
      // A file that only the engine reads is passed on, with a word that it was not read here.
      const isRefused =
        code === 2 ||
        (code === 0 && /"effect":"ignored-here"/.test(stdout)) ||
        (code === 1 && /"error"/.test(stdout)) ||
        (path === folder && code !== null && code <= 2)
      if (timedOut) assault.found({what: `no answer within ${REFUSED_WITHIN_SECONDS} s`, reproduce})
      else if (!isRefused) assault.found({what: `exit code ${code}: ${(stderr || stdout).slice(0, 300)}`, reproduce})
    })
  } finally {
    server.close()
  }
}

const listening = (path: string): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer().on('error', reject)
    server.listen(path, () => resolve(server))
  })

/** Files as they are broken, and what is none. */
export const files: Part = {
  name: 'files',
  share: 15,
  async run(assault) {
    const folder = mkdtempSync(join(tmpdir(), 'servefit-attack-'))
    try {
      mkdirSync(join(folder, 'home'))
      await assault.during(0.4, () => specialFiles(assault, folder))
      await breakFiles(assault, folder)
    } finally {
      rmSync(folder, {recursive: true, force: true})
    }
  },
}
