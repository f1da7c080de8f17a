/** A whole round with vLLM's CPU build: a model is made, its start files are written, started, asked and measured, and the round is closed by verify and calibrate. */
import {type ChildProcess, spawn, spawnSync} from 'node:child_process'
import {once} from 'node:events'
import {mkdtempSync, openSync, readdirSync, readFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {CPU_RELEASE, type Scratch} from './scratch.ts'
import {unitWords, withoutContainer} from './start-line.ts'

/** Where the emitted server listens: not the usual port, which may be taken. */
const PORT = 8123
/** A machine of processors of the catalogue; the numbers of its speed are not this machine's. */
const MACHINE = 'cpu-xeon-6980p-2s'
const CACHE_BYTES = 2 ** 30
/** Of the model below: keys and values of two layers with two heads of 64 numbers of two bytes. */
const BYTES_PER_TOKEN = 2 * 2 * 2 * 64 * 2

const QUESTION = ['--machine', MACHINE, '--offline', '--engine-version', CPU_RELEASE, '--dp', '1', '--max-model-len', '2048', '--max-num-seqs', '16']
const LOAD = ['--users', '4', '--input-tokens', '200', '--output-tokens', '50', '--kv-cache-bytes', String(CACHE_BYTES)]

export interface Step {
  name: string
  passed: boolean
  /** What was seen, in a line or a few. */
  said: string
}

interface Ran {
  status: number | null
  text: string
}

/** All steps, in order; behind one that fails those that need it are left out. */
export async function serveRound(root: string, scratch: Scratch): Promise<Step[]> {
  const model = scratch.tinyModel()
  const out = mkdtempSync(join(tmpdir(), 'servefit-e2e-'))
  const environment = {
    ...process.env,
    PATH: `${join(scratch.folder, 'vllm', 'bin')}:${process.env.PATH}`,
    VLLM_NO_USAGE_STATS: '1',
    HF_HUB_OFFLINE: '1',
    NO_COLOR: '1',
    // A start on a busy machine took four and a half minutes.
    WAIT_SECONDS: '900',
  }
  const run = (program: string, words: readonly string[], seconds: number): Ran => {
    const {status, stdout, stderr} = spawnSync(program, words, {cwd: out, env: environment, encoding: 'utf8', timeout: seconds * 1000})
    return {status, text: `${stdout}${stderr}`.trim()}
  }
  const servefit = (...words: string[]): Ran => run(process.execPath, [join(root, 'bin', 'run.js'), ...words], 120)
  const steps: Step[] = []
  const step = (name: string, ran: Ran, passed: boolean, said = lastLines(ran.text)): boolean => {
    steps.push({name, passed, said})
    return passed
  }
  const ended = (name: string, ran: Ran, said?: string): boolean => step(name, ran, ran.status === 0, said)

  const settings = ['--set', `port=${PORT}`, '--set', 'served-model-name=tiny']
  if (!ended('config writes its files', servefit('config', model, ...QUESTION, ...LOAD, ...settings, '--out', out), 'serve.sh and what lies beside it'))
    return steps

  const log = join(out, 'server.log')
  const start = (program: string, words: readonly string[], file: string): ChildProcess => {
    const output = openSync(file, 'w')
    return spawn(program, words, {cwd: out, env: environment, detached: true, stdio: ['ignore', output, output]})
  }
  const stopped = async (name: string, server: ChildProcess): Promise<void> => {
    const seconds = await endOf(server)
    step(`${name} ends when it is told to`, {status: 0, text: ''}, seconds !== undefined, seconds === undefined ? 'it had to be killed' : `in ${seconds} s`)
  }
  const server = start('sh', ['serve.sh'], log)
  try {
    if (!ended('smoke-test.sh waits and gets an answer', run('sh', ['smoke-test.sh'], 1800))) return steps
    if (!ended('benchmark.sh measures the load', run('sh', ['benchmark.sh'], 1800), 'benchmark.json')) return steps
  } finally {
    await stopped('the command', server)
  }

  const bench = join(out, 'benchmark.json')
  const verified = servefit(
    'verify',
    log,
    '--bench',
    bench,
    '--model',
    model,
    '--machine',
    MACHINE,
    '--offline',
    '--kv-cache-bytes',
    String(CACHE_BYTES),
    '--json',
  )
  const {tokens, problem} = tokensOf(verified.text)
  const expected = CACHE_BYTES / BYTES_PER_TOKEN
  // Its speed is that of another machine: 1 is an answer too.
  step('verify reads the log and the result', verified, verified.status === 0 || verified.status === 1, problem)
  step(
    'the engine holds as many tokens as predicted',
    verified,
    tokens.predicted === expected && tokens.reported === expected,
    `${expected} by hand, ${tokens.predicted} predicted, ${tokens.reported} in the log`,
  )
  const calibrated = servefit('calibrate', bench, '--model', model, '--machine', MACHINE, '--engine', 'vllm', '--engine-version', CPU_RELEASE, '--dry-run')
  // 1: nothing to keep, as one run of another machine's speed has nothing to teach.
  step('calibrate reads the result', calibrated, calibrated.status === 0 || calibrated.status === 1)

  const written = servefit('config', model, ...QUESTION, ...LOAD, ...settings, '--format', 'systemd', '--out', join(out, 'unit'))
  if (!ended('config writes its unit', written, 'the unit and what lies beside it')) return steps
  const unit = readdirSync(join(out, 'unit')).find((file) => file.endsWith('.service'))!
  const [program, ...words] = withoutContainer(unitWords(readFileSync(join(out, 'unit', unit), 'utf8')), /^vllm\/vllm-openai/)
  const started = start(program!, words, join(out, 'unit.log'))
  try {
    ended("what the unit's start line runs in its container gives an answer", run('sh', [join(out, 'unit', 'smoke-test.sh')], 1800))
  } finally {
    await stopped("the unit's server", started)
  }

  if (run('docker', ['info'], 60).status !== 0) {
    step('compose', {status: 0, text: ''}, true, 'left out: no docker daemon answers')
    return steps
  }
  const folder = join(out, 'compose')
  if (!ended('config writes its compose file', servefit('config', model, ...QUESTION, ...LOAD, ...settings, '--format', 'compose', '--out', folder)))
    return steps
  const compose = (...more: string[]): Ran => run('docker', ['compose', '--project-directory', folder, ...more], 3600)
  try {
    if (ended('docker compose up', compose('up', '--detach'))) ended('what compose started gives an answer', run('sh', [join(folder, 'smoke-test.sh')], 1800))
  } finally {
    ended('docker compose down', compose('down'))
  }
  return steps
}

/** Tells a server and its processes, which are its group, to end; how many seconds it took, undefined where it had to be killed. */
async function endOf(server: ChildProcess): Promise<number | undefined> {
  if (server.pid === undefined || server.exitCode !== null) return 0
  const begun = Date.now()
  process.kill(-server.pid, 'SIGTERM')
  const ended = once(server, 'exit').then(() => true)
  const waited = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 120_000).unref())
  if (await Promise.race([ended, waited])) return Math.round((Date.now() - begun) / 1000)
  process.kill(-server.pid, 'SIGKILL')
  return undefined
}

const lastLines = (text: string): string => text.split('\n').slice(-4).join('\n')

function tokensOf(text: string): {tokens: {predicted?: number; reported?: number}; problem: string} {
  try {
    const {log, error} = JSON.parse(text.slice(text.indexOf('{'))) as {
      log?: {lines: {name: string; predicted?: number; reported?: number}[]}
      error?: {message: string}
    }
    if (error) return {tokens: {}, problem: error.message}
    const line = log?.lines.find(({name}) => /cache tokens/i.test(name)) ?? {}
    return {tokens: line, problem: JSON.stringify(log?.lines ?? [])}
  } catch {
    return {tokens: {}, problem: lastLines(text)}
  }
}
