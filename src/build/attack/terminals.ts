import {spawn} from 'node:child_process'
import {cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {type Assault, pick, type Part, printable} from './assault.ts'
import {childEnvironment, each, program, servefit, shown} from './child.ts'
import {ACTING, ESCAPES} from './hostile.ts'

/** Sequences that terminals act on, each in a name of its own. */
const NAMES = [
  ESCAPES,
  '\u001B[31mred',
  '\u001B]8;;http://x\u0007link\u001B]8;;\u0007',
  '\u001B]52;c;aWQ=\u0007',
  '\u009D0;title\u009C',
  '\u0090q\u009C',
  'a\rb',
  'a\bb',
  'a\u0000b',
  '\u202Egnp.exe',
  '\u2066a\u2069',
  '\u200Fx',
  '\u001B',
  '\u0007',
  '\u007F',
]

interface Try {
  args: string[]
  input?: string
}

/** Hostile names wherever a command prints one: of files and folders, of models, cards and machines, in logs, traces and errors. */
function tries(root: string, folder: string, name: string): Try[] {
  // An argument holds no NUL, and the name of a file no slash.
  const word = name.replaceAll('\0', '\u0001').replaceAll('/', ':')
  const model = join(folder, `ft${word}`)
  mkdirSync(model, {recursive: true})
  const configuration = JSON.parse(readFileSync(join(root, 'test', 'fixtures', 'configs', 'qwen3-14b.json'), 'utf8')) as object
  writeFileSync(join(model, 'config.json'), JSON.stringify({...configuration, _name_or_path: `Acme/${word}`, model_type: `qwen3${word}`}))
  const machine = join(folder, 'machine.json')
  writeFileSync(
    machine,
    JSON.stringify({
      gpus: [{name: `NVIDIA ${name}`, vendor: 'nvidia', memoryBytes: 24 * 2 ** 30, computeCapability: 8.6, driver: name}],
      hostname: name,
      cpu: {name},
    }),
  )
  const log = join(folder, `log${word}`)
  cpSync(join(root, 'test', 'fixtures', 'verify', 'vllm-0.11.1-qwen3-8b-rtx-4090.log'), log)
  const printed = readFileSync(log, 'utf8').replaceAll('Qwen/Qwen3-8B', `/models/Qwen3-8B${name}`)
  const scenario = join(folder, `s${word}.yaml`)
  writeFileSync(scenario, `model: qwen3-8b\ngpu: 1xh100-sxm\n${JSON.stringify(name)}: 1\n`)
  const gpu = ['--gpu', '1xh100-sxm']
  return [
    ...['check', 'plan', 'compare', 'config'].map((command) => ({args: [command, model, ...gpu]})),
    ...['check', 'plan', 'compare'].map((command) => ({args: [command, 'qwen3-8b', '--machine', machine]})),
    {args: ['models', 'import', model]},
    {args: ['check', word, ...gpu]},
    {args: ['check', `Acme/${word}`, ...gpu]},
    {args: ['check', 'qwen3-8b', '--gpu', `1x${word}`]},
    {args: ['check', 'qwen3-8b', '--machine', word]},
    {args: ['check', 'qwen3-8b', ...gpu, '--engine-version', `9${word}`]},
    {args: ['check', 'qwen3-8b', ...gpu, '--engine', word]},
    {args: ['check', 'qwen3-8b', ...gpu, '--weights', word]},
    {args: ['check', 'qwen3-8b', ...gpu, `--${word}`]},
    {args: ['check', '--scenario', scenario]},
    {args: ['config', 'qwen3-8b', ...gpu, '--set', `--served-model-name=${word}`]},
    {args: ['verify', log, '--gpu', 'rtx-4090']},
    {args: ['verify', '-', '--gpu', 'rtx-4090'], input: printed},
    {args: ['verify', '--bench', log, '--gpu', 'rtx-4090']},
    {args: ['batch', '-'], input: `${JSON.stringify({id: name, model: name, gpu: name})}\nx${name}\n`},
    {args: ['capacity', '--model', 'qwen3-8b', ...gpu, '--trace', log]},
    {args: ['models', word]},
    {args: ['models', 'show', word]},
    {args: ['gpus', word]},
    {args: ['machines', word]},
    {args: ['engines', 'support', word]},
    {args: ['schema', word]},
    {args: ['diff', word, log]},
    {args: [word]},
  ]
}

/** What people's terminals are sent, and what a reader that goes away leaves. */
export const terminals: Part = {
  name: 'terminals',
  share: 12,
  async run(assault) {
    const folder = mkdtempSync(join(tmpdir(), 'servefit-attack-'))
    try {
      await assault.during(0.15, () => closedPipes(assault, folder))
      for (let round = 0; !assault.isOver; round++) {
        const random = assault.random(round)
        const name = pick(random, NAMES)
        const order = tries(assault.root, folder, name)
          .map((entry) => ({entry, at: random.uniform()}))
          .sort((a, b) => a.at - b.at)
        await each(assault, order, ({entry}) => printsNothingThatActs(assault, entry, folder))
      }
    } finally {
      rmSync(folder, {recursive: true, force: true})
    }
  },
}

async function printsNothingThatActs(assault: Assault, {args, input}: Try, home: string): Promise<void> {
  const {code, stdout, stderr, timedOut, seconds} = await servefit(assault.root, args, {env: childEnvironment(home), input})
  assault.count('commands')
  assault.measure('slowest in ms', seconds * 1000)
  const reproduce = `${input === undefined ? '' : `printf '%s' ${JSON.stringify(input.slice(0, 300))} | `}${shown(args)}`
  for (const [stream, text] of Object.entries({stdout, stderr})) {
    const acting = ACTING.exec(text)
    if (acting)
      assault.found({
        what: `${stream} holds ${printable(JSON.stringify(acting[0]))}: ${printable(text.slice(Math.max(0, acting.index - 60), acting.index + 40))}`,
        reproduce,
      })
  }
  if (timedOut || code === null || code > 2) assault.found({what: timedOut ? 'no end' : `exit code ${code}: ${printable(stderr.slice(0, 300))}`, reproduce})
}

/** A reader that goes away after some lines: the command ends, quietly. */
async function closedPipes(assault: Assault, home: string): Promise<void> {
  const lines = Array.from({length: 3000}, (_, at) => JSON.stringify({id: String(at), model: 'qwen3-8b', gpu: '1xh100-sxm', maxModelLen: 1000 + at})).join('\n')
  const list = [['batch', '-'], ['models', '--json'], ['gpus'], ['schema', 'result']]
  await each(
    assault,
    list,
    async (args) => {
      const said = await readAndLeft(process.execPath, [program(assault.root), ...args], args[0] === 'batch' ? lines : '', childEnvironment(home))
      assault.count('readers that went away')
      if (said !== undefined) assault.found({what: `a reader that went away: ${printable(said)}`, reproduce: `${shown(args)} | head -c 1`})
    },
    1,
  )
}

/** What went wrong when the output was closed after its first piece; undefined: nothing. */
function readAndLeft(command: string, args: readonly string[], input: string, env: Record<string, string>): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {env, stdio: ['pipe', 'pipe', 'pipe']})
    let said = ''
    const timer = setTimeout(() => {
      said = 'it goes on'
      child.kill('SIGKILL')
    }, 30_000)
    child.stdout.once('data', () => child.stdout.destroy())
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    child.on('exit', (code) => {
      clearTimeout(timer)
      resolve(said === '' && (code === 0 || code === 1) ? undefined : `exit code ${code}: ${said.slice(0, 300)}`)
    })
  })
}
