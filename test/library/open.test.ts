import {readdirSync, readFileSync} from 'node:fs'
import {join, sep} from 'node:path'
import {build} from 'esbuild'
import {describe, expect, it} from 'vitest'
import {InputError} from '../../src/core/input-error.ts'
import {open} from '../../src/library/open.ts'
import {root, servefit as run} from '../commands/spawn.ts'

const folder = join(root, 'dist', 'data')

/** All compiled data as a page would embed it. */
const data = Object.fromEntries(
  readdirSync(folder, {recursive: true, encoding: 'utf8'})
    .filter((name) => name.endsWith('.json'))
    .map((name) => [name.slice(0, -'.json'.length).split(sep).join('/'), JSON.parse(readFileSync(join(folder, name), 'utf8'))]),
)

const json = (...args: string[]) => JSON.parse(run([...args, '--json']).stdout)
/** As it crosses a wire: what is undefined is absent. */
const wired = (value: unknown) => JSON.parse(JSON.stringify(value))

describe('the library answers as the commands do with --json', () => {
  const servefit = open(data)

  it('check', async () => {
    expect(wired(await servefit.check({model: 'qwen3-32b', gpu: '2xrtx-4090', workload: {concurrency: 8, inputTokens: 2048}}))).toEqual(
      json('check', 'qwen3-32b', '--gpu', '2xrtx-4090', '--users', '8', '--input', '2048'),
    )
  })

  it('check without a load, which is cut to a context that was asked for', async () => {
    const asked = await servefit.check({model: 'qwen3-32b', gpu: '1xh100-sxm', maxModelLen: 600})
    // 1,024 + 512 do not fit 600: a third is the answer, two thirds the prompt.
    expect(asked.workload).toEqual({inputTokens: 400, outputTokens: 200, concurrency: 1})
    expect(wired(asked)).toEqual(json('check', 'qwen3-32b', '--gpu', '1xh100-sxm', '--max-model-len', '600'))
  })

  it("check of an engine's own command", async () => {
    const command = ['vllm', 'serve', 'Qwen/Qwen3-32B-AWQ', '-tp', '2', '--max-model-len', '32k']
    const {command: report, ...result} = wired(await servefit.check({gpu: '2xrtx-4090', command}))
    const {command: printed, ...same} = json('check', '--gpu', '2xrtx-4090', '--json', '--', ...command)
    expect(result).toEqual(same)
    expect(report).toEqual(printed)
  })

  it('plan', async () => {
    expect(wired(await servefit.plan({model: 'qwen3-32b', gpu: '2xrtx-4090', slo: {tpotMs: 50}}))).toEqual(
      json('plan', 'qwen3-32b', '--gpu', '2xrtx-4090', '--slo-tpot-ms', '50'),
    )
  })

  it('compare, over models and machines', async () => {
    expect(wired(await servefit.compare({models: ['qwen3-8b', 'gpt-oss-20b'], gpus: ['1xrtx-4090', '1xh100-sxm']}))).toEqual(
      json('compare', 'qwen3-8b', 'gpt-oss-20b', '--gpu', '1xrtx-4090', '--gpu', '1xh100-sxm'),
    )
  })

  it('config, with every option and its reason', async () => {
    const asked = await servefit.config({model: 'qwen3-32b', gpu: '2xrtx-4090'}, {format: 'compose', set: ['seed=1']})
    expect(wired(asked)).toEqual(json('config', 'qwen3-32b', '--gpu', '2xrtx-4090', '--format', 'compose', '--set', 'seed=1'))
    expect(asked.artifact!.options.find(({option}) => option === '--seed 1')).toBeDefined()
    expect(asked.artifact!.options.every(({because}) => because !== '')).toBe(true)
  })

  it('models, gpus and machines', async () => {
    expect(wired(await servefit.models({words: ['coding', 'small']}))).toEqual(json('models', 'coding', 'small'))
    expect(wired(await servefit.models({fits: true, gpu: '1xrtx-4090', limit: 3, minContextTokens: 65_536}))).toEqual(
      json('models', '--fits', '--gpu', '1xrtx-4090', '--limit', '3', '--min-context', '65536'),
    )
    expect(wired(await servefit.model('qwen3-32b'))).toEqual(json('models', 'show', 'qwen3-32b'))
    expect(servefit.gpus('rtx-4090')).toEqual(json('gpus', 'rtx-4090'))
    expect(servefit.machines('dgx-h200')).toEqual(json('machines', 'dgx-h200'))
  })

  it('upgrade', async () => {
    const asked = await servefit.upgrade({model: 'qwen3-8b', gpu: '1xrtx-4090', engine: 'sglang'}, {from: '0.5.18', to: '0.5.23', tolerance: 0.9})
    const flags = ['qwen3-8b', '--gpu', '1xrtx-4090', '--engine', 'sglang', '--tolerance', '90%']
    expect(wired(asked)).toEqual(json('diff', '--engine-version', '0.5.18', '0.5.23', ...flags))
  })

  it('and each says which data it is from', async () => {
    expect(servefit.dataVersion).toMatch(/^[0-9a-f]{12}$/)
    expect((await servefit.check({model: 'qwen3-8b', gpu: '1xrtx-4090'})).dataVersion).toBe(servefit.dataVersion)
  })
})

describe('what was handed in stands for files', () => {
  const smi = readFileSync(join(root, 'test', 'fixtures', 'library', 'nvidia-smi.txt'), 'utf8')
  const config = readFileSync(join(root, 'test', 'fixtures', 'library', 'config.json'), 'utf8')
  const servefit = open(data, {files: {'box.txt': smi, 'm/config.json': config}})

  it('a machine, as its tool prints it', async () => {
    const asked = await servefit.check({model: 'qwen3-8b', machine: './box.txt'})
    expect(asked.hardware).toMatchObject({gpu: 'rtx-4090', gpus: 1})
    expect(wired(asked)).toEqual(json('check', 'qwen3-8b', '--machine', 'test/fixtures/library/nvidia-smi.txt'))
  })

  it('a model, by its configuration', async () => {
    const {model} = await servefit.check({model: './m/config.json', gpu: '1xrtx-4090'})
    // 2 layers of 64 wide: attention 4 x 64^2, feed-forward 3 x 64 x 128, two norms of 64; embedding and head 1,000 x 64 each; a last norm.
    expect(model.totalParams).toBe(2 * (4 * 64 * 64 + 3 * 64 * 128 + 2 * 64) + 2 * 1000 * 64 + 64)
  })

  it('and what was not handed in is said to be missing', async () => {
    await expect(servefit.check({model: 'qwen3-8b', machine: './other.txt'})).rejects.toThrow('./other.txt was not handed in')
    await expect(servefit.check({model: 'qwen3-8b'})).rejects.toThrow('No machine is named')
  })
})

describe('what is no question', () => {
  const servefit = open(data)
  const codeOf = (work: Promise<unknown>) =>
    work.then(
      () => 'answered',
      (error: unknown) => (error instanceof InputError ? [error.code, ...error.suggestions] : error),
    )

  it('is refused with what was meant', async () => {
    expect(await codeOf(servefit.check({model: 'qwen3-32b', gpus: '1xh100-sxm'} as never))).toEqual(['SCENARIO_INVALID', 'gpu'])
    expect(await codeOf(servefit.check({gpu: '1xh100-sxm'}))).toEqual(['ARGUMENT_MISSING'])
    expect(await codeOf(servefit.check('qwen3-32b' as never))).toEqual(['SCENARIO_INVALID'])
    expect((await codeOf(servefit.check({model: 'qwen3-33b', gpu: '1xh100-sxm'}))) as string[]).toContain('qwen3-32b')
  })
})

describe('what stands beside a question', () => {
  const servefit = open(data)
  const asked = {model: 'qwen3-8b', gpu: '1xrtx-4090'}
  // Programs without types, and agents, give anything.
  it.each<[string, () => unknown, string]>([
    ['set', () => servefit.config(asked, {set: 'seed=7'} as never), 'options: set: expected a list'],
    ['replicas', () => servefit.config(asked, {replicas: -1}), 'options: replicas: Too small'],
    ['null', () => servefit.config(asked, null as never), 'options: expected an object with fields'],
    ['a wrong name', () => servefit.config(asked, {fromat: 'compose'} as never), 'options: fromat: unknown; did you mean format?'],
    ['simulate', () => servefit.check(asked, {simulate: 'yes'} as never), 'options: simulate'],
    ['words', () => servefit.models({words: 'coding'} as never), 'question: words: expected a list'],
    ['modality', () => servefit.models({modality: 'vison'}), 'question: modality: expected one of text, vision, audio, video'],
    ['limit', () => servefit.models({limit: 2.5}), 'question: limit: expected a whole number'],
    ['no name', () => servefit.model(undefined as never), 'name: missing: expected text'],
    ['no card', async () => servefit.gpus(4090 as never), 'name: expected text, received a number'],
    ['no machine', async () => servefit.machines(['dgx-h200'] as never), 'name: expected text, received a list'],
    ['models', () => servefit.compare({models: 'qwen3-8b'} as never), 'question: models: expected a list'],
    ['no question', () => servefit.compare(undefined as never), 'question: missing: expected an object with fields'],
    ['logs', () => servefit.verify({logs: 5 as never}), 'question: logs'],
    ['no release', () => servefit.upgrade(asked, {from: '0.28.0'} as never), 'releases: to: missing: expected text'],
    ['tp', () => servefit.check({...asked, tp: 1.5}), 'question: tp: expected a whole number'],
    ['prefer', () => servefit.check({...asked, prefer: 'qualty' as never}), 'question: prefer: expected one of quality, speed, context, memory'],
  ])('%s', async (_title, work, message) => {
    const error = await Promise.resolve()
      .then(work)
      .catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(InputError)
    expect((error as InputError).message).toContain(message)
  })

  it('is told with the value that was meant', async () => {
    await expect(servefit.check({...asked, prefer: 'qualty' as never})).rejects.toMatchObject({suggestions: ['quality']})
    await expect(servefit.models({modality: 'vison'})).rejects.toMatchObject({suggestions: ['vision']})
  })
})

describe('the door without Node', () => {
  it('bundles for a browser: nothing of Node is reached, not even later', async () => {
    const {metafile} = await build({
      entryPoints: [join(root, 'src', 'library', 'open.ts')],
      bundle: true,
      platform: 'browser',
      format: 'esm',
      splitting: true,
      outdir: join(root, 'node_modules', '.library-test'),
      write: false,
      metafile: true,
      logLevel: 'silent',
    })
    const inputs = Object.keys(metafile.inputs)
    expect(inputs.length).toBeGreaterThan(200)
    expect(inputs.filter((path) => /oclif|systeminformation|^\(disabled\)|src\/(cli|commands|build)\//.test(path))).toEqual([])
  })
})

describe('capacity and verify take what their commands read from files', () => {
  const trace = '{"timestamp": 0, "input_length": 100, "output_length": 50}\n{"timestamp": 1000, "input_length": 200, "output_length": 50}\n'
  const servefit = open(data, {files: {'day.jsonl': trace}})

  it('capacity, as a file of it', async () => {
    const fleet = {model: 'qwen3-8b', users: 20, inputTokens: 500, outputTokens: 200, machines: ['1xrtx-4090']}
    const asked = await servefit.capacity(fleet)
    expect(wired(asked)).toEqual(json('capacity', '--model', 'qwen3-8b', '--users', '20', '--input', '500', '--output', '200', '--gpu', '1xrtx-4090'))
    await expect(servefit.capacity({...fleet, user: 1} as never)).rejects.toThrow('user')
  })

  it('capacity of a trace that was handed in', async () => {
    const {demands} = await servefit.capacity({model: 'qwen3-8b', trace: 'day.jsonl', machines: ['1xrtx-4090']})
    expect(demands[0]!.trace).toMatchObject({requests: 2})
  })

  it('verify, of the text of a log and of a benchmark', async () => {
    const log = join('test', 'fixtures', 'verify', 'vllm-0.11.1-qwen3-8b-rtx-4090.log')
    const {log: verified, within} = await servefit.verify({logs: readFileSync(join(root, log), 'utf8'), gpu: '1xrtx-4090'})
    const printed = json('verify', log, '--gpu', '1xrtx-4090')
    expect(within).toBe(printed.within)
    expect(wired(verified)).toMatchObject({...printed.log, correction: {...printed.log.correction, date: expect.any(String)}})
    await expect(servefit.verify({gpu: '1xrtx-4090'})).rejects.toThrow('logs and bench are both missing')
  })
})
