import {mkdtempSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, describe, expect, it} from 'vitest'
import {parse, parseAllDocuments} from 'yaml'
import {servefit} from '../commands/spawn.ts'

// biome-ignore lint/suspicious/noExplicitAny: documents of many kinds
type Document = any

const folder = mkdtempSync(join(tmpdir(), 'servefit-replicas-'))
afterAll(() => rmSync(folder, {recursive: true, force: true}))
const documentsOf = (text: string): Document[] => parseAllDocuments(text).map((document) => document.toJS())
const replicasOf = (text: string): [string, number][] =>
  documentsOf(text)
    .filter(({kind}) => kind === 'Deployment')
    .map(({metadata, spec}) => [metadata.name, spec.replicas])

describe('config --replicas', () => {
  it('the cards that are given are those of one; the others follow', () => {
    const {code, stdout} = servefit(['config', 'qwen3-8b', '--gpu', '1xrtx-4090', '--replicas', '2', '--format', 'compose'])
    expect(code).toBe(0)
    const {services} = parse(stdout)
    expect(Object.keys(services)).toEqual(['qwen3-8b-0', 'qwen3-8b-1', 'qwen3-8b-router'])
    expect(services['qwen3-8b-1'].deploy.resources.reservations.devices[0].device_ids).toEqual(['1'])
  })

  it('of a machine with fewer cards it says how many there can be', () => {
    const asked = ['config', 'qwen3-8b', '--gpu', '4xrtx-4090', '--tp', '2', '--dp', '1', '--replicas', '3']
    const {code, stderr} = servefit([...asked, '--format', 'compose'])
    expect(code).toBe(2)
    expect(stderr).toContain('--replicas 3: each takes 2 GPUs, and there are 4: expected at most 2')
    // A cluster has other machines.
    expect(replicasOf(servefit([...asked, '--format', 'kubernetes']).stdout)).toEqual([
      ['qwen3-8b', 3],
      ['qwen3-8b-router', 1],
    ])
  })

  it('replicas of an engine that starts one at a time are servers of their own, which a command tells', () => {
    const asked = ['config', 'qwen3-32b', '--gpu', '8xh100-sxm', '--engine', 'trtllm', '--dp', '2']
    const {services} = parse(servefit([...asked, '--format', 'compose']).stdout)
    expect(Object.keys(services)).toEqual(['qwen3-32b-0', 'qwen3-32b-1', 'qwen3-32b-router'])
    expect([0, 1].map((copy) => services[`qwen3-32b-${copy}`].deploy.resources.reservations.devices[0].device_ids)).toEqual([['0'], ['1']])
    expect(servefit(asked).stderr).toContain('TensorRT-LLM starts one replica at a time: each of the 2 is a server of its own')
    // vLLM deals requests out to its ranks itself.
    const vllm = servefit(['config', 'qwen3-32b', '--gpu', '8xh100-sxm', '--dp', '2'])
    expect([vllm.stdout.includes('--data-parallel-size 2'), vllm.stderr.includes('one replica at a time')]).toEqual([true, false])
  })

  it('a format of one server says which formats start several', () => {
    const {code, stderr} = servefit(['config', 'qwen3-8b', '--gpu', '1xrtx-4090', '--replicas', '2'])
    expect(code).toBe(2)
    expect(stderr).toContain('--format compose')
  })
})

describe('slices of a card', () => {
  const asked = ['config', 'qwen3-8b', '--gpu', '2xa100-80gb-sxm:2g.20gb', '--users', '8']

  it('are servers of their own behind a router, each pinned', () => {
    const {stdout, stderr} = servefit([...asked, '--format', 'compose'])
    expect(stderr).toBe('')
    const {services} = parse(stdout)
    expect(services['qwen3-8b-1'].deploy.resources.reservations.devices[0].device_ids[0]).toMatch(/^\$\{MIG_DEVICE_1:\?/)
    const found = documentsOf(servefit([...asked, '--format', 'kubernetes']).stdout)
    const {spec} = found.find(({kind}) => kind === 'Deployment')
    expect(spec.replicas).toBe(2)
    expect(spec.template.spec.containers[0].resources.limits).toEqual({'nvidia.com/mig-2g.20gb': '1'})
    expect(spec.template.spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0]).toMatchObject({
      key: 'nvidia.com/gpu.product',
      values: expect.arrayContaining(['NVIDIA-A100-SXM4-80GB']),
    })
  })

  it('a command starts one of them, and says so', () => {
    const {stdout, stderr} = servefit(asked)
    expect(stdout).toMatch(/^CUDA_VISIBLE_DEVICES="\$\{MIG_DEVICE:\?/)
    expect(stderr).toContain('each of the 2 slices is a server of its own')
  })
})

describe('replica counts in what is saved', () => {
  it('capacity: in every format that has them, and none in one of a single machine', () => {
    const out = join(folder, 'fleet')
    const formats = ['kubernetes', 'dynamo', 'llm-d', 'compose'].flatMap((format) => ['--format', format])
    const {code} = servefit(['capacity', '--model', 'qwen3-8b', '--users', '600', '--gpu', '2xrtx-4090', '--engine', 'vllm', '--save', out, ...formats])
    expect(code).toBe(0)
    const {options} = JSON.parse(readFileSync(join(out, 'capacity.json'), 'utf8'))
    const {machines} = options[0].periods[0]
    const {tp, pp, dp} = options[0].placements[0].result.deployment
    // Two cards for each machine, however the deployment lays the model over them.
    expect(tp * pp * dp).toBe(2)
    expect(machines).toBeGreaterThan(1)
    const read = (name: string) => readFileSync(join(out, name), 'utf8')
    expect(replicasOf(read('kubernetes.yaml'))).toEqual([
      ['qwen3-8b', machines],
      ['qwen3-8b-router', 1],
    ])
    const {prefill, decode} = documentsOf(read('dynamo.yaml')).find(({kind}) => kind === 'DynamoGraphDeployment').spec.services
    expect(prefill.replicas + decode.replicas).toBe(machines * dp)
    expect(Number(prefill.resources.limits.gpu)).toBe(tp * pp)
    expect(replicasOf(read('llm-d.yaml')).reduce((sum, [, count]) => sum + count, 0)).toBe(machines * dp)
    expect(Object.keys(parse(read('compose.yaml')).services)).toEqual(['qwen3-8b'])
  })

  it('plan: replicas that share nothing are servers of their own where a router finds them', () => {
    const out = join(folder, 'plan')
    const asked = ['plan', 'qwen3-8b', '--gpu', '4xrtx-4090', '--engine', 'vllm', '--users', '64', '--tp', '1', '--dp', '4', '--save', out]
    expect(servefit([...asked, '--format', 'llm-d', '--format', 'kubernetes']).code).toBe(0)
    const counts = replicasOf(readFileSync(join(out, 'llm-d.yaml'), 'utf8')).map(([, count]) => count)
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(4)
    expect(readFileSync(join(out, 'llm-d.yaml'), 'utf8')).not.toContain('--data-parallel-size')
    // The engine's own data parallelism where it exists.
    expect(readFileSync(join(out, 'kubernetes.yaml'), 'utf8')).toContain('--data-parallel-size')
  })
})

it('a checkpoint that its maker has released anew is named', () => {
  const {stdout, stderr} = servefit(['config', 'deepseek-ai/DeepSeek-V4-Pro', '--gpu', '8xb300', '--json'])
  expect(stderr).toBe('')
  expect(JSON.parse(stdout).warnings).toContainEqual({
    code: 'newer-checkpoint',
    message: 'deepseek-ai/DeepSeek-V4-Pro-0813 is the newer release of deepseek-ai/DeepSeek-V4-Pro by its maker',
  })
})
