import {existsSync, lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import {spawn} from 'node:child_process'
import {hostname, tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import type {Subject} from '../../src/engines/engine.ts'
import type {VerificationDocument} from '../../src/planner/verify/document.ts'
import {type Correction, correctionFor, withCorrection} from '../../src/planner/world/corrections.ts'
import {changeOf, ownRunsWords} from '../../src/planner/world/local-calibration.ts'
import {root, servefit} from '../commands/spawn.ts'

const fixture = (name: string) => join(root, 'test', 'fixtures', 'verify', name)
const RIGHT = fixture('vllm-0.11.1-qwen3-8b-rtx-4090.log')
const REFUSED = fixture('vllm-0.11.1-refused.log')
const TWO_RANKS = fixture('vllm-0.28.0-qwen3-32b-fp8-2-ranks.log')

let home = ''
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'servefit-learning-'))
})
afterEach(() => rmSync(home, {recursive: true, force: true}))
const env = () => ({HOME: home, XDG_CONFIG_HOME: '', HF_HUB_OFFLINE: '1'})
const run = (args: string[], input?: string) => servefit(args, {env: env(), ...(input !== undefined && {input})})
const verified = (args: string[], input?: string): VerificationDocument => JSON.parse(run(['verify', ...args, '--json'], input).stdout)
const saved = (): Correction[] => {
  try {
    return JSON.parse(readFileSync(join(home, '.config', 'servefit', 'measured.json'), 'utf8')).corrections
  } catch {
    return []
  }
}

describe('a log of another card, model or layout', () => {
  for (const [of, args] of [
    // 79.18 GiB printed against the 24 of the card.
    ['card', [TWO_RANKS, '--gpu', '2xrtx-4090']],
    ['layout', [TWO_RANKS, '--gpu', '1xh100-sxm']],
    // No total is printed: 5.43 GiB of cache where an H100 leaves 55.
    ['card', [RIGHT, '--gpu', 'h100-sxm']],
  ] as const)
    it(`is compared, said to be so and never kept: ${of}, ${args.slice(1).join(' ')}`, () => {
      const {code, stdout} = run(['verify', ...args, '--save', '--json'])
      expect(code).toBe(1)
      const document: VerificationDocument = JSON.parse(stdout)
      expect(document.log!.lines.length).toBeGreaterThan(3)
      expect(document.log!.mismatches!.map((one) => one.of)).toContain(of)
      expect(document.log).not.toHaveProperty('correction')
      expect(document.log!.changes).toEqual([])
      expect(document.warnings.map(({code: one}) => one)).toEqual(expect.arrayContaining(['log-of-another', 'not-saved']))
      expect(document).not.toHaveProperty('savedTo')
      expect(saved()).toEqual([])
      expect(run(['verify', ...args]).stdout).toContain('not comparable')
      expect(run(['verify', ...args]).stdout).not.toContain('--save')
    })

  it('is kept where that is forced', () => {
    expect(JSON.parse(run(['verify', RIGHT, '--gpu', 'h100-sxm', '--save', '--force', '--json']).stdout)).toHaveProperty('savedTo')
    expect(saved()).toHaveLength(1)
  })

  it('is told by its weights', () => {
    // 15.27 GiB are printed: those of 8 billion parameters at 16 bits, not of 14.
    const {log} = verified(['-', '--gpu', 'rtx-4090'], readFileSync(RIGHT, 'utf8').replaceAll('Qwen/Qwen3-8B', 'Qwen/Qwen3-14B'))
    expect(log!.mismatches).toMatchObject([{of: 'model', message: expect.stringMatching(/^weights of 15\.3 GiB are not those of Qwen3 14B/)}])
  })

  it('is told from files that the system keeps in shared memory', () => {
    const text = readFileSync(RIGHT, 'utf8').replace(/Model loading took [\d.]+/, 'Model loading took 45.1')
    // 15.3 GiB of weights that take 45.1: more than any other format of the model.
    expect(verified(['-', '--gpu', 'gb10'], text).log!.mismatches).toMatchObject([
      {of: 'memory', message: expect.stringContaining('45.1 GiB for weights of 15.3 GiB')},
    ])
    expect(verified(['-', '--gpu', 'h100-sxm'], text).log!.mismatches).toMatchObject([{of: 'model'}])
  })

  it('is told by the name of the card', () => {
    const named = (name: string) => `${readFileSync(TWO_RANKS, 'utf8')}\nConfig file not found at /x/E=128,N=768,device_name=${name}.json\n`
    expect(verified(['-', '--gpu', '2xa100-80gb-sxm'], named('NVIDIA_H100_80GB_HBM3')).log!.mismatches).toMatchObject([{of: 'card'}])
    expect(verified(['-', '--gpu', '2xh100-sxm'], named('NVIDIA_H100_80GB_HBM3')).log).not.toHaveProperty('mismatches')
    // A name that nobody knows says nothing.
    expect(verified(['-', '--gpu', '2xh100-sxm'], named('ACME_X1')).log).not.toHaveProperty('mismatches')
  })

  it('is refused where it is of a CPU', () => {
    const {code, stdout} = run(['verify', '-', '--gpu', 'rtx-4090', '--json'], readFileSync(RIGHT, 'utf8').replaceAll('GPU KV cache size', 'CPU KV cache size'))
    expect(code).toBe(2)
    expect(JSON.parse(stdout).error.code).toBe('LOG_OF_CPU')
  })
})

describe('what a log says of its weights', () => {
  const text = (quantization: string, weightsGib: number) =>
    [
      'INFO [api_server.py:1] vLLM API server version 0.22.0',
      `INFO [core.py:1] Initializing a V1 LLM engine (v0.22.0) with config: model='/models/mine', dtype=torch.bfloat16, max_seq_len=8192, tensor_parallel_size=1, quantization=${quantization}, device_config=cuda`,
      `INFO [gpu_model_runner.py:1] Model loading took ${weightsGib} GiB memory and 5 seconds`,
    ].join('\n')

  it('16 bits where nothing is quantised, whatever build was named', () => {
    // 8,190,735,360 parameters of 2 bytes: 15.26 GiB.
    for (const model of ['qwen3-8b', 'Qwen/Qwen3-8B-AWQ']) {
      const {log} = verified(['-', '--gpu', 'rtx-4090', '--model', model], text('None', 15.27))
      expect(log!.deployment.weights, model).toBe('bf16')
      expect(log!.lines[0]!.predicted / 2 ** 30).toBeCloseTo((8_190_735_360 * 2) / 2 ** 30, 1)
      expect(log, model).not.toHaveProperty('mismatches')
    }
  })

  it('4 bits where bitsandbytes loads an unquantised checkpoint; what is quantised keeps its own', () => {
    const of = (quantization: string, model: string) => verified(['-', '--gpu', 'rtx-4090', '--model', model], text(quantization, 5.6)).log!.deployment.weights
    expect(of('bitsandbytes', 'Qwen/Qwen3-8B')).toBe('nf4')
    expect(of('fp8', 'Qwen/Qwen3-8B')).toBe('fp8')
    expect(of('fp8', 'Qwen/Qwen3-8B-FP8')).toBe('fp8-block')
    expect(of('awq_marlin', 'Qwen/Qwen3-8B-AWQ')).toBe('awq-int4')
  })
})

describe('the release of a log', () => {
  // Lines of vLLM 0.26.0: v1/worker/gpu_worker.py 560, v1/worker/gpu_model_runner.py 5347.
  const text = (version: string) =>
    [
      ...(version === '' ? [] : [`(APIServer pid=1) INFO 07-17 12:35:22 [api_utils.py:345] vLLM API server version ${version}`]),
      "(APIServer pid=1) INFO 07-17 12:35:22 [api_utils.py:273] non-default args: {'model': 'Qwen/Qwen3-8B', 'max_model_len': 8192}",
      '(EngineCore pid=2) INFO 07-17 12:38:10 [gpu_model_runner.py:5347] Model loading took 15.27 GiB memory and 5 seconds',
      '(EngineCore pid=2) INFO 07-17 12:38:51 [gpu_worker.py:560] Available KV cache memory: 5.43 GiB',
    ].join('\n')
  const of = (version: string, ...more: string[]) => verified(['-', '--gpu', 'rtx-4090', ...more], text(version))

  it('of main is how far main was, and of none is told by the lines', () => {
    for (const version of ['0.23.1rc1.dev1229+g1bf3b12d5', '0.1.dev4047+g29b0919', '']) {
      const {log, warnings} = of(version)
      expect(log!.engineVersion, version).toBe('0.26.0')
      expect(warnings.map(({code}) => code)).toContain('engine-version-from-lines')
    }
    expect(of('0.25.1').log!.engineVersion).toBe('0.25.1')
    expect(of('', '--engine-version', '0.25.1').log!.engineVersion).toBe('0.25.1')
    expect(of('0.23.1rc1.dev1229+g1bf3b12d5').log!.correction!.from).toMatchObject({build: '0.23.1rc1.dev1229'})
  })

  it('from before brackets stood around the line is told by the lines too', () => {
    // vLLM 0.7.3: worker/model_runner.py 1115, worker/worker.py 267; 0.8.4 has the second where it is, and another text for the first.
    const old = [
      'INFO 02-26 09:54:02 model_runner.py:1115] Loading model weights took 5.2032 GB',
      'INFO 02-26 09:54:05 worker.py:267] the current vLLM instance can use total_gpu_memory (8.00GiB) x gpu_memory_utilization (0.70) = 5.60GiB',
      'INFO 02-26 09:54:05 worker.py:267] model weights take 5.20GiB; non_torch_memory takes 0.03GiB; PyTorch activation peak memory takes 1.42GiB; the rest of the memory reserved for KV Cache is -1.05GiB.',
    ].join('\n')
    expect(verified(['-', '--gpu', 'rtx-4060', '--model', 'Qwen/Qwen2.5-7B-Instruct-AWQ'], old).log!.engineVersion).toBe('0.7.3')
  })

  it('of SGLang, which prints none, is the newest of its day', () => {
    // 0.5.8 came out on 2026-01-23, 0.5.8.post1 on 2026-02-05.
    const {log, warnings} = verified(
      ['-', '--gpu', 'rtx-4090', '--model', 'qwen3-8b', '--tp', '1'],
      '[2026-01-31 13:50:39 TP0] KV Cache is allocated. #tokens: 20000, K size: 1.37 GB, V size: 1.37 GB',
    )
    expect(log!.engineVersion).toBe('0.5.8')
    expect(warnings.map(({code}) => code)).toContain('engine-version-from-day')
  })

  it('that nothing tells is assumed, and nothing is kept for it', () => {
    const {log, warnings} = verified(['-', '--gpu', 'rtx-4090', '--model', 'qwen3-8b'], 'Available KV cache memory: 4.00 GiB\nGPU KV cache size: 29,120 tokens')
    expect(warnings.map(({code}) => code)).toContain('engine-version-assumed')
    expect(log).not.toHaveProperty('correction')
  })
})

describe('options that the engine printed', () => {
  it('are reckoned with, and no longer told as left out', () => {
    const text = (more: string) =>
      [
        'INFO [api_server.py:1] vLLM API server version 0.22.0',
        `INFO [utils.py:1] non-default args: {'model': 'Qwen/Qwen3-8B', 'max_model_len': 8192${more}}`,
        'INFO [gpu_worker.py:1] Available KV cache memory: 4.00 GiB',
      ].join('\n')
    const {log, warnings} = verified(
      ['-', '--gpu', 'rtx-4090'],
      text(", 'kv_cache_memory_bytes': 4294967296, 'block_size': 32, 'enable_prefix_caching': False, 'max_cudagraph_capture_size': 8, 'swap_space': 4"),
    )
    expect(log!.deployment).toMatchObject({kvCacheBytes: 4294967296, blockTokens: 32, prefixCaching: false, graphs: {maxBatch: 8}})
    // Given outright, and so right to the byte.
    expect(log!.lines.find(({name}) => name === 'KV cache')!.predicted).toBe(4294967296)
    const left = warnings.find(({code}) => code === 'settings-not-modelled')!.message
    expect(left).toContain('--swap-space')
    expect(left).not.toMatch(/--kv-cache-memory-bytes|--block-size/)
  })
})

describe('a part of a log', () => {
  const part = (rank: string) =>
    `(VllmWorker ${rank} pid=7) INFO [gpu_model_runner.py:1] Graph capturing finished in 9 secs, took 1.21 GiB\nINFO [kv_cache_utils.py:1] GPU KV cache size: 442,528 tokens`
  const tp = (rank: string, ...more: string[]) =>
    verified(['-', '--model', 'Qwen/Qwen3-32B-FP8', '--gpu', '4xh100-sxm', '--engine-version', '0.11.0', '--max-model-len', '32768', ...more], part(rank)).log!
      .deployment.tp

  it('does not say how many ranks there are, only how many at least', () => {
    expect(tp('TP0', '--tp', '2')).toBe(2)
    expect(tp('TP1', '--tp', '4')).toBe(4)
    expect(tp('TP3', '--tp', '2')).toBe(4)
  })

  it('speaks of counts as counts', () => {
    const {stdout} = run(
      ['verify', '-', '--model', 'Qwen/Qwen3-32B-FP8', '--gpu', '2xh100-sxm', '--tp', '2', '--engine-version', '0.28.0', '--max-model-len', '32768'],
      part('TP0').replace('442,528', '400,000'),
    )
    expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(/KV cache tokens differ by [\d,]+ \(-[\d.]+%\), more than the margin of error \([\d,]+\)/)
    const {decisive} = verified(
      ['-', '--model', 'Qwen/Qwen3-32B-FP8', '--gpu', '2xh100-sxm', '--tp', '2', '--engine-version', '0.28.0', '--max-model-len', '32768'],
      part('TP0'),
    ).log!
    expect(decisive).toMatchObject({unit: 'tokens'})
    // 64 layers x 8 heads over 2 ranks x 128 x 2 (K, V) x 2 bytes = 131,072 bytes a token on each GPU.
    expect(decisive!.differenceBytes / decisive!.difference).toBeCloseTo(131_072, -1)
  })

  it('names the recurrent states that there is room for', () => {
    const text = 'INFO vLLM API server version 0.22.0\nValueError: max_num_seqs (256) exceeds available Mamba cache blocks (174).'
    expect(verified(['-', '--model', 'qwen3-next-80b-a3b-instruct', '--gpu', '4xh100-sxm', '--tp', '4'], text).log!.changes[0]).toMatchObject({
      flag: '--max-num-seqs 174',
    })
  })
})

describe('corrections', () => {
  const subject = {gpu: {accelerator: {id: 'rtx-4090'}}, checkpoint: {hfId: 'a/b', weights: 'bf16'}, model: {id: 'b'}} as unknown as Subject
  const of = (engineVersion: string, more: Partial<Correction> = {}): Correction => ({
    ...{gpu: 'rtx-4090', engine: 'vllm', engineVersion, date: '2026-01-01', overheadBytes: 1},
    from: {hfId: 'a/b', weights: 'bf16', tp: 1, pp: 1, dp: 1},
    ...more,
  })
  const chosen = (corrections: Correction[], version: string) => correctionFor(corrections, subject, version, {tp: 1, pp: 1, dp: 1})?.engineVersion

  it('are kept for each exact release', () => {
    expect(
      withCorrection(withCorrection([of('0.11.0')], of('0.11.1')), of('0.11.1', {overheadBytes: 2})).map((one) => [one.engineVersion, one.overheadBytes]),
    ).toEqual([
      ['0.11.0', 1],
      ['0.11.1', 2],
    ])
  })

  it('are applied within the minor release, the nearest first', () => {
    const all = [of('0.11.0'), of('0.11.2', {date: '2026-02-01'}), of('0.12.0')]
    expect(chosen(all, '0.11.0')).toBe('0.11.0')
    expect(chosen(all, '0.11.2')).toBe('0.11.2')
    expect(chosen([of('0.11.0'), of('0.11.1'), of('0.11.3')], '0.11.4')).toBe('0.11.3')
    expect(chosen(all, '0.13.0')).toBeUndefined()
    expect(chosen([of('0.1.0')], '0.11.0')).toBeUndefined()
    expect(chosen([of('1.3.0rc4')], '1.3.0rc24')).toBe('1.3.0rc4')
  })

  it('say what they were learnt from', () => {
    run(['verify', REFUSED, '--gpu', 'rtx-4090', '--save'])
    expect(saved()[0]!.from).toMatchObject({
      ...{hfId: 'Qwen/Qwen3-8B', weights: 'bf16', tp: 1, pp: 1, dp: 1, kvCache: 'bf16', outcome: 'kv-too-small'},
      reportedCacheBytes: Math.round(4.63 * 2 ** 30),
    })
    const other = JSON.parse(run(['check', 'Qwen/Qwen3-8B', '--gpu', '1xrtx-4090', '--engine-version', '0.11.2', '--json']).stdout)
    expect(other.warnings.find(({code}: {code: string}) => code === 'corrected').message).toContain('vLLM 0.11.1')
  })

  it('are all kept where several are saved at once, through a link, past what dead processes left', async () => {
    const folder = join(home, '.config', 'servefit')
    for (const made of [folder, join(home, 'dotfiles')]) mkdirSync(made, {recursive: true})
    const target = join(home, 'dotfiles', 'measured.json')
    symlinkSync(target, join(folder, 'measured.json'))
    // Linux gives no process so high a number.
    writeFileSync(`${target}.lock`, JSON.stringify({pid: 2 ** 30, host: hostname(), turn: 'gone'}))
    for (const pid of [1, process.pid]) writeFileSync(`${target}.${pid}.new`, '')
    const cards = ['rtx-4090', 'rtx-3090', 'rtx-3090-ti', 'l4', 'a10g', 'l40s']
    await Promise.all(
      cards.map(
        (card) =>
          new Promise<void>((resolve) => {
            spawn(process.execPath, [join(root, 'bin', 'run.js'), 'verify', RIGHT, '--gpu', card, '--save', '--force'], {
              env: {...process.env, ...env()},
              stdio: 'ignore',
            }).on('exit', () => resolve())
          }),
      ),
    )
    expect(
      saved()
        .map(({gpu}) => gpu)
        .sort(),
    ).toEqual([...cards].sort())
    expect(lstatSync(join(folder, 'measured.json')).isSymbolicLink()).toBe(true)
    expect(existsSync(`${target}.lock`)).toBe(false)
  }, 60_000)
})

describe('a model by the folder that it lay in', () => {
  it('is the repository that the folder is called after', () => {
    // Neither a plain folder nor one of an organisation lies here.
    for (const path of ['/data/models/Qwen3-8B', '/data/hub/Qwen/Qwen3-8B']) {
      const {log} = verified(['-', '--gpu', 'rtx-4090'], readFileSync(RIGHT, 'utf8').replaceAll('Qwen/Qwen3-8B', path))
      expect(log!.model.hfId, path).toBe('Qwen/Qwen3-8B')
      expect(log!.within, path).toBe(true)
    }
  })

  it('is read where the folder is here too', () => {
    const folder = join(home, 'tiny-qwen3')
    const config = {
      architectures: ['Qwen3ForCausalLM'],
      model_type: 'qwen3',
      hidden_size: 256,
      intermediate_size: 512,
      num_hidden_layers: 4,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      head_dim: 64,
      vocab_size: 1000,
      max_position_embeddings: 4096,
      torch_dtype: 'bfloat16',
    }
    const text = (path: string) => readFileSync(RIGHT, 'utf8').replaceAll('Qwen/Qwen3-8B', path)
    expect(run(['verify', '-', '--gpu', 'rtx-4090'], text(folder)).code).toBe(2)
    mkdirSync(folder)
    writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
    const {log} = verified(['-', '--gpu', 'rtx-4090'], text(folder))
    expect(log!.model.id).toBe('tiny-qwen3')
    // 4 layers x 2 heads x 64 x 2 (K, V) x 2 bytes: 2,048 bytes a token, where the log's 5.43 GiB hold 39,536 tokens of 147,456 bytes.
    expect(log!.mismatches).toMatchObject([{of: 'model'}])
  })
})

describe('calibrate, figure by figure', () => {
  const runs = () =>
    verified(['--bench', fixture('scenarios.jsonl')]).bench!.runs.map(({workload, figures}) => {
      const of = (metric: string) => figures.find((figure) => figure.metric === metric)!.estimate
      return JSON.stringify({
        ...{model: 'Qwen/Qwen3-8B', gpu: '1xrtx-4090', engine: 'vllm', engineVersion: '0.11.1', maxModelLen: 16384, tp: 1, workload},
        observed: {tpotMs: of('tpotMs') * 1.25, outputTokensPerSecond: of('outputTokensPerSecond') / 1.25},
      })
    })

  it('says what got better and what worse, and later answers say it too', () => {
    const path = join(home, 'runs.jsonl')
    writeFileSync(path, runs().join('\n'))
    const {fits} = JSON.parse(run(['calibrate', path, '--json']).stdout)
    // Rates are 1.25 times slower than predicted: off by 25% both ways, as errors are taken on a logarithmic scale.
    expect(fits[0].metrics.map(({metric, figures}: {metric: string; figures: number}) => [metric, figures])).toEqual([
      ['tpotMs', 4],
      ['outputTokensPerSecond', 4],
    ])
    for (const {before, after} of fits[0].metrics) {
      expect(before).toBeCloseTo(0.25, 3)
      expect(after).toBeLessThan(0.1)
    }
    expect(run(['calibrate', path]).stdout).toMatch(/per token\s+better: median error \d\.\d%, was 25\.0% \(4 figures\)/)
    const check = run(['check', 'Qwen/Qwen3-8B', '--gpu', '1xrtx-4090']).stdout.replaceAll(/\s+/g, ' ')
    expect(check).toMatch(/Basis refitted to 4 runs of your own on \d{4}-\d\d-\d\d: the time per token off by [\d.]+% instead of 25%/)
    expect(run(['check', 'Qwen/Qwen3-8B', '--gpu', '1xrtx-4090', '--no-corrections']).stdout).not.toContain('refitted')
  })

  it('calls worse what is worse', () => {
    const worse = {metric: 'ttftMs' as const, figures: 3, before: 0.2, after: 0.4}
    expect([changeOf(worse), changeOf({...worse, after: 0.1}), changeOf({...worse, after: 0.203})]).toEqual(['worse', 'better', 'same'])
    const kept = {
      gpu: 'x',
      engine: 'vllm',
      date: '2026-01-31',
      factors: {bandwidth: 1, compute: 1, hostMilliseconds: 0},
      fitted: [],
      runs: 3,
      medianErrorBefore: 0,
      medianErrorAfter: 0,
    }
    expect(ownRunsWords({...kept, metrics: [worse]})).toBe('refitted to 3 runs of your own on 2026-01-31: the first token off by 40% instead of 20% (worse)')
  })
})
