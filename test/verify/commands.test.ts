import {existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import type {Result} from '../../src/planner/answer/result.ts'
import type {CalibrationDocument, VerificationDocument} from '../../src/planner/verify/document.ts'
import {root, servefit} from '../commands/spawn.ts'

const fixture = (name: string) => join(root, 'test', 'fixtures', 'verify', name)
const RIGHT = fixture('vllm-0.11.1-qwen3-8b-rtx-4090.log')
const REFUSED = fixture('vllm-0.11.1-refused.log')
const RUNS = fixture('scenarios.jsonl')

let home = ''
let file = ''
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'servefit-verify-'))
  file = join(home, '.config', 'servefit', 'measured.json')
})
afterEach(() => rmSync(home, {recursive: true, force: true}))

const run = (args: string[], input?: string) => servefit(args, {env: {HOME: home, XDG_CONFIG_HOME: ''}, ...(input !== undefined && {input})})
const verified = (args: string[], input?: string): VerificationDocument => JSON.parse(run(['verify', ...args, '--json'], input).stdout)
const CHECK = ['check', 'Qwen/Qwen3-8B', '--gpu', '1xrtx-4090', '--engine-version', '0.11.1', '--max-model-len', '8192', '--max-num-seqs', '256', '--json']
const checked = (...more: string[]): Result => JSON.parse(run([...CHECK, ...more]).stdout)

describe('verify LOG', () => {
  it('exits with 0 within its own error, with 1 beyond it, with 2 for what it cannot read', () => {
    expect(run(['verify', RIGHT, '--gpu', 'rtx-4090']).code).toBe(0)
    expect(run(['verify', fixture('vllm-graphs-out-of-memory.log'), '--gpu', 'rtx-4090']).code).toBe(1)
    for (const args of [['verify', join(home, 'no.log')], ['verify'], ['verify', '--save', '--bench', RUNS], ['verify', RIGHT, '--gpu', 'nothing-like-it']])
      expect(run(args).code, args.join(' ')).toBe(2)
    expect(run(['verify', '-', '--gpu', 'rtx-4090'], 'hello\n').code).toBe(2)
  })

  it('reads standard input', () => {
    const document = verified(['-', '--gpu', 'rtx-4090'], readFileSync(RIGHT, 'utf8'))
    expect(document.log).toMatchObject({
      engine: 'vllm',
      engineVersion: '0.11.1',
      model: {id: 'qwen3-8b', hfId: 'Qwen/Qwen3-8B'},
      hardware: {gpu: 'rtx-4090', gpus: 1},
      outcome: {reported: 'started', predicted: 'started'},
      within: true,
    })
    expect(document.log!.lines.map(({name}) => name)).toEqual([
      'weights',
      'CUDA graphs',
      'all but weights and cache',
      'KV cache',
      'KV cache tokens',
      'requests of full length',
    ])
  })

  it('shows differences that add up', () => {
    for (const {predicted, reported, difference} of verified([RIGHT, '--gpu', 'rtx-4090']).log!.lines) expect(difference).toBeCloseTo(reported - predicted, 6)
  })

  it('shares the GPUs of the layout out among nodes, where the card alone is named', () => {
    const log =
      'INFO 09-14 10:00:00 [gpu_worker.py:508] Available KV cache memory: 22.5 GiB\nINFO 09-14 10:00:01 [kv_cache_utils.py:2146] GPU KV cache size: 240,816 tokens\n'
    const {stdout} = run(['verify', '-', '--model', 'minimax-m2.7', '--gpu', 'gb10', '--nodes', '2', '--tp', '2', '--engine-version', '0.29.0'], log)
    expect(stdout).toContain('2 nodes of GB10')
  })

  it('takes as many GPUs as the log has ranks, and says where flags contradict it', () => {
    const document = verified([fixture('vllm-0.28.0-qwen3-32b-fp8-2-ranks.log'), '--gpu', 'h100-sxm', '--tp', '4', '--max-model-len', '8k'])
    expect(document.log).toMatchObject({hardware: {gpus: 2}, deployment: {tp: 2, maxModelLen: 32768}})
    expect(document.warnings.filter(({code}) => code === 'log-wins')).toHaveLength(2)
  })

  it('reads several files of one start', () => {
    const lines = readFileSync(fixture('vllm-0.28.0-qwen3-32b-fp8-2-ranks.log'), 'utf8').split('\n')
    const [one, two] = [join(home, 'a.log'), join(home, 'b.log')]
    writeFileSync(one, lines.slice(0, 6).join('\n'))
    writeFileSync(two, lines.slice(6).join('\n'))
    expect(verified([one, two, '--gpu', 'h100-sxm']).log).toMatchObject(verified([fixture('vllm-0.28.0-qwen3-32b-fp8-2-ranks.log'), '--gpu', 'h100-sxm']).log!)
  })

  it('says what to change: the longest context, as the engine has it', () => {
    const {changes} = verified([REFUSED, '--gpu', 'rtx-4090']).log!
    expect(changes[0]).toMatchObject({flag: '--max-model-len 33712'})
    expect(changes.map(({flag}) => flag)).toContain('--kv-cache-dtype fp8')
    expect(verified([fixture('vllm-memory-taken.log'), '--gpu', 'rtx-4090']).log!.changes[0]!.flag).toBe('--gpu-memory-utilization 0.68')
  })

  it('asks for the model where the log has none', () => {
    const text = 'INFO [gpu_worker.py:359] Available KV cache memory: 5.43 GiB\n'
    const {code, stdout} = run(['verify', '-', '--gpu', 'rtx-4090', '--json'], text)
    expect(code).toBe(2)
    expect(JSON.parse(stdout).error.code).toBe('MODEL_MISSING')
    expect(verified(['-', '--gpu', 'rtx-4090', '--model', 'Qwen/Qwen3-8B', '--engine-version', '0.11.1', '--max-num-seqs', '64'], text).log!.within).toBe(true)
  })

  it('keeps to 80 columns', () => {
    for (const name of readdirSync(fixture('')).filter((one) => one.endsWith('.log'))) {
      const {stdout} = run(['verify', fixture(name), '--gpu', name.includes('h200') ? 'h200-sxm' : name.includes('4090') ? 'rtx-4090' : 'h100-sxm'])
      expect(
        stdout.split('\n').filter((line) => line.length > 80),
        name,
      ).toEqual([])
    }
  })
})

describe('verify --save', () => {
  it('writes nothing without it', () => {
    run(['verify', REFUSED, '--gpu', 'rtx-4090'])
    run(CHECK)
    expect(existsSync(join(home, '.config'))).toBe(false)
  })

  it('makes later answers say what the log said, as a term with its name', () => {
    const before = checked()
    const saved = run(['verify', REFUSED, '--gpu', 'rtx-4090', '--save', '--json'])
    expect(JSON.parse(saved.stdout).savedTo).toBe(file)
    const after = checked()
    const term = after.memory.terms.find(({name}) => name.startsWith('correction from '))
    expect(term).toMatchObject({kind: 'measured', because: expect.stringContaining('Qwen/Qwen3-8B on 1 x rtx-4090 under vLLM 0.11.1')})
    // The log's 4.63 GiB at 40,960 tokens; 8,192 take 2,048 blocks less in the table of each of 256 sequences, 4 bytes each. 147,456 bytes a token in blocks of 16.
    const left = 4.63 * 1024 ** 3 + 2048 * 256 * 4
    expect(after.memory.perGpu.kvCacheBytes).toBe(Math.round(left))
    expect(after.memory.kvCacheTokens).toBe(Math.floor(left / 147456 / 16) * 16)
    expect(before.memory.perGpu.kvCacheBytes - after.memory.perGpu.kvCacheBytes).toBe(term!.bytes)
    expect(after.memory.perGpu.runtimeBytes).toBeGreaterThanOrEqual(0)
    expect(after.warnings.map(({code}) => code)).toContain('corrected')
    expect(checked('--no-corrections')).toEqual(before)
    // Another release, another card: nothing was measured there.
    const elsewhere: Result = JSON.parse(run(['check', 'Qwen/Qwen3-8B', '--gpu', '1xrtx-4090', '--engine-version', '0.12.0', '--json']).stdout)
    expect(elsewhere.warnings.map(({code}) => code)).not.toContain('corrected')
    expect(run(['verify', REFUSED, '--gpu', 'rtx-4090']).code).toBe(0)
  })

  it('replaces an earlier correction of the same start, and keeps others', () => {
    run(['verify', REFUSED, '--gpu', 'rtx-4090', '--save'])
    run(['verify', REFUSED, '--gpu', 'rtx-4090', '--save'])
    run(['verify', fixture('sglang-0.5.18-qwen3-8b-tp2.log'), '--gpu', 'rtx-4090', '--save'])
    const {corrections} = JSON.parse(readFileSync(file, 'utf8'))
    expect(corrections.map(({engine}: {engine: string}) => engine)).toEqual(['vllm', 'sglang'])
    expect(readdirSync(join(home, '.config', 'servefit'))).toEqual(['measured.json'])
  })

  for (const [name, gpu] of [
    ['sglang-0.5.18-qwen3-8b-tp2.log', 'rtx-4090'],
    ['sglang-hybrid-draft.log', 'h100-sxm'],
    ['trtllm-1.2.0-llama-3.1-8b-h200.log', 'h200-sxm'],
    ['vllm-0.28.0-qwen3-32b-fp8-2-ranks.log', 'h100-sxm'],
  ] as const)
    it(`comes back in its own log: ${name}`, () => {
      run(['verify', fixture(name), '--gpu', gpu, '--save'])
      const {log} = verified([fixture(name), '--gpu', gpu])
      expect(Math.abs(log!.decisive!.differenceBytes)).toBeLessThan(1024)
    })

  it('never overwrites a broken file, and answers without it', () => {
    const before = checked()
    mkdirSync(join(home, '.config', 'servefit'), {recursive: true})
    for (const text of [
      '{"corrections": [',
      '[]',
      '{"schemaVersion": 1, "corrections": [{"gpu": 4}], "calibrations": []}',
      '{"schemaVersion": 9, "corrections": [], "calibrations": []}',
    ]) {
      writeFileSync(file, text)
      const {code, stderr} = run(['verify', REFUSED, '--gpu', 'rtx-4090', '--save'])
      expect(code, text).toBe(2)
      expect(stderr).toContain('measured.json')
      expect(readFileSync(file, 'utf8')).toBe(text)
      const answered = run(CHECK)
      expect(JSON.parse(answered.stdout)).toEqual(before)
      expect(answered.stderr).toContain('answers ignore corrections')
    }
  })
})

describe('verify --bench', () => {
  it('compares every figure with its interval', () => {
    const {bench} = verified(['--bench', RUNS])
    expect(bench!.runs).toHaveLength(4)
    for (const {figures} of bench!.runs)
      for (const {estimate, low, high, reported, relative, inside} of figures) {
        expect(relative).toBeCloseTo(reported / estimate - 1, 9)
        expect(inside).toBe(reported >= low && reported <= high)
      }
    const outside = bench!.runs.flatMap(({figures}) => figures).filter(({inside}) => !inside).length
    expect(run(['verify', '--bench', RUNS]).code).toBe(outside <= Math.floor(12 / 5) ? 0 : 1)
  })

  it('lets flags fill what the result does not say', () => {
    const {bench} = verified(['--bench', fixture('vllm-bench-serve.json'), '--gpu', '2xrtx-4090', '--tp', '2'])
    expect(bench!.runs[0]).toMatchObject({model: 'Qwen/Qwen3-8B', gpu: '2xrtx-4090', engine: 'vllm', workload: {concurrency: 8}})
    expect(run(['verify', '--bench', fixture('llama-bench.md'), '--gpu', 'rtx-4090']).code).toBe(2)
  })
})

describe('calibrate', () => {
  const calibrated = (...args: string[]): CalibrationDocument => JSON.parse(run(['calibrate', ...args, '--json']).stdout)

  /** Runs of a card that is a quarter slower than predicted, at four loads. */
  function slowRuns(): string {
    const lines = verified(['--bench', RUNS]).bench!.runs.map(({workload, figures}) => {
      const of = (metric: string) => figures.find((figure) => figure.metric === metric)!.estimate
      return JSON.stringify({
        model: 'Qwen/Qwen3-8B',
        gpu: '1xrtx-4090',
        engine: 'vllm',
        engineVersion: '0.11.1',
        maxModelLen: 16384,
        tp: 1,
        workload,
        observed: {tpotMs: of('tpotMs') * 1.25, outputTokensPerSecond: of('outputTokensPerSecond') / 1.25},
      })
    })
    const path = join(home, 'runs.jsonl')
    writeFileSync(path, lines.join('\n'))
    return path
  }

  it('fits the same from the same, says from what, and is closer to the runs', () => {
    const runs = slowRuns()
    const first = calibrated(runs, '--dry-run')
    expect(calibrated(runs, '--dry-run')).toEqual(first)
    expect(existsSync(join(home, '.config'))).toBe(false)
    const [fit] = first.fits
    expect(fit).toMatchObject({gpu: 'rtx-4090', engine: 'vllm', runs: 4, better: true})
    // Four runs carry two parameters; reading weights is most of each step, so that bandwidth must be among them, and lower.
    expect(fit!.fitted).toContain('bandwidth')
    expect(fit!.fitted).toHaveLength(2)
    expect(fit!.left).toHaveLength(1)
    expect(fit!.factors.bandwidth).toBeGreaterThan(0.7)
    expect(fit!.factors.bandwidth).toBeLessThan(0.95)
    expect(fit!.residuals).toHaveLength(8)
    expect(fit!.medianErrorBefore).toBeCloseTo(0.25, 3)
    expect(fit!.medianErrorAfter).toBeLessThan(0.08)
  })

  it('is used and named by later answers on that GPU and engine, and only there', () => {
    expect(run(['calibrate', slowRuns()]).code).toBe(0)
    const speed = (...args: string[]) =>
      (
        JSON.parse(
          run([...args.slice(0, 1), 'Qwen/Qwen3-8B', '--users', '4', '--input', '1024', '--output', '512', '--json', ...args.slice(1)]).stdout,
        ) as Result
      ).performance!
    const own = speed('check', '--gpu', '1xrtx-4090')
    const shipped = speed('check', '--gpu', '1xrtx-4090', '--no-corrections')
    expect(own.basis.calibration).toMatch(/refitted to 4 runs of your own on rtx-4090 under vllm/)
    expect(own.tpotMs.estimate / shipped.tpotMs.estimate).toBeGreaterThan(1.1)
    for (const args of [
      ['--gpu', '1xrtx-3090'],
      ['--gpu', '1xrtx-4090', '--engine', 'sglang'],
      ['--gpu', '1xrtx-4090', '--no-corrections'],
    ])
      expect(speed('check', ...args).basis.calibration, args.join(' ')).not.toContain('refitted')
  })

  it('takes part in plans', () => {
    run(['calibrate', slowRuns()])
    const {stdout} = run(['plan', 'Qwen/Qwen3-8B', '--gpu', '1xrtx-4090', '--engine', 'vllm', '--users', '4', '--input', '1024', '--output', '512', '--json'])
    expect(stdout).toContain('refitted to 4 runs')
  })

  it('fits nothing to a single run', () => {
    const {code, stdout} = run(['calibrate', fixture('vllm-bench-serve.json'), '--gpu', 'rtx-4090', '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({fits: [{fitted: [], better: false}]})
    expect(existsSync(file)).toBe(false)
  })

  it('keeps corrections beside it', () => {
    run(['verify', REFUSED, '--gpu', 'rtx-4090', '--save'])
    run(['calibrate', slowRuns()])
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({corrections: [{engine: 'vllm'}], calibrations: [{engine: 'vllm', gpu: 'rtx-4090'}]})
  })
})
