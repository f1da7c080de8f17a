/** A whole round with vLLM's CPU build: a model is made, its start files are written, started, asked and measured, and the round is closed by verify and calibrate. */
import {spawn, spawnSync} from 'node:child_process'
import {mkdtempSync, openSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {CPU_RELEASE, type Scratch} from './scratch.ts'

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
  const output = openSync(log, 'w')
  const server = spawn('sh', ['serve.sh'], {cwd: out, env: environment, detached: true, stdio: ['ignore', output, output]})
  try {
    if (!ended('smoke-test.sh waits and gets an answer', run('sh', ['smoke-test.sh'], 1800))) return steps
    if (!ended('benchmark.sh measures the load', run('sh', ['benchmark.sh'], 1800), 'benchmark.json')) return steps
  } finally {
    // The server's processes are its group.
    if (server.pid !== undefined) process.kill(-server.pid, 'SIGTERM')
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
    'the engine holds as many tokens as were foretold',
    verified,
    tokens.predicted === expected && tokens.reported === expected,
    `${expected} by hand, ${tokens.predicted} predicted, ${tokens.reported} in the log`,
  )
  const calibrated = servefit('calibrate', bench, '--model', model, '--machine', MACHINE, '--engine', 'vllm', '--engine-version', CPU_RELEASE, '--dry-run')
  // 1: nothing to keep, as one run of another machine's speed has nothing to teach.
  step('calibrate reads the result', calibrated, calibrated.status === 0 || calibrated.status === 1)
  return steps
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
