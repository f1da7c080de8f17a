import {describe, expect, it} from 'vitest'
import {FORMAT_IDS} from '../../src/render/launch/format-ids.ts'
import {FORMATS, formatOf, joinArtifacts, writeFormat} from '../../src/render/launch/formats.ts'
import {extras} from '../../src/render/launch/extras.ts'
import {type Given, startable, TWO_NODES} from './startables.ts'

const mpi = {count: 2, gpusPerNode: 8, mpi: {wrapper: 'trtllm-llmapi-launch'}}

describe('formats', () => {
  it('are those of the contract, in its order', () => {
    expect(FORMATS.map(({id}) => id)).toEqual([
      'command',
      'file',
      'docker',
      'compose',
      'systemd',
      'kubernetes',
      'leaderworkerset',
      'ray',
      'slurm',
      'dynamo',
      'llm-d',
    ])
  })

  it('are those whose names stand apart from them', () => expect(FORMATS.map(({id}) => id)).toEqual([...FORMAT_IDS]))

  it('offer the nearest name', () => {
    expect(() => formatOf('kubernets')).toThrow(expect.objectContaining({code: 'FORMAT_UNKNOWN', suggestions: ['kubernetes']}))
  })

  it.each([
    ['systemd', {nodes: TWO_NODES}, /systemd starts one machine/],
    ['compose', {nodes: TWO_NODES}, /Compose starts one machine/],
    ['kubernetes', {nodes: TWO_NODES}, /leaderworkerset/],
    ['file', {nodes: TWO_NODES}, /--format command/],
    ['llm-d', {nodes: TWO_NODES}, /dynamo/],
    ['leaderworkerset', {}, /--format kubernetes/],
    ['ray', {}, /needs no Ray/],
    ['ray', {engine: 'sglang', nodes: TWO_NODES}, /only vLLM/],
    ['leaderworkerset', {engine: 'trtllm', nodes: mpi}, /not known for certain/],
    ['docker', {engine: 'trtllm', nodes: mpi}, /slurm/],
    ['llm-d', {engine: 'trtllm'}, /dynamo/],
    ['dynamo', {vendor: 'amd'}, /NVIDIA/],
    ['file', {engine: 'trtllm', version: '0.20.0'}, /1\.0\.0rc0/],
    ['file', {engine: 'sglang', version: '0.4.10'}, /0\.5\.3/],
    ['command', {nodes: {count: 2, gpusPerNode: 8, problem: 'it does not divide'}}, /does not divide/],
    ['command', {nodes: {count: 2, gpusPerNode: 8, ray: []}}, /--format ray/],
    ['command', {model: 'a\0b'}, /NUL/],
    ['systemd', {model: 'a\0b'}, /NUL/],
  ] as [string, Given, RegExp][])('%s says why it cannot, case %#', (format, given, message) => {
    expect(() => writeFormat(format, startable(given))).toThrow(message)
    try {
      writeFormat(format, startable(given))
    } catch (error) {
      expect((error as {code?: string}).code).toMatch(/^(FORMAT_CANNOT|TEXT_UNUSABLE)$/)
    }
  })

  it('write the same twice, and no secret', () => {
    const before = process.env.HF_TOKEN
    process.env.HF_TOKEN = 'hf_secret'
    try {
      for (const {id, write} of FORMATS) {
        const start = startable({values: ['1'], nodes: ['leaderworkerset', 'ray'].includes(id) ? TWO_NODES : undefined})
        const text = joinArtifacts(write(start))
        expect(joinArtifacts(write(start))).toBe(text)
        expect(text).not.toContain('hf_secret')
      }
    } finally {
      if (before === undefined) delete process.env.HF_TOKEN
      else process.env.HF_TOKEN = before
    }
  })

  it('know the image of each vendor, or say that there is none', () => {
    expect(() => writeFormat('docker', {...startable({vendor: 'amd'}), image: undefined})).toThrow(
      /no container image of vLLM 0.28.0 is known for this AMD GPU/,
    )
  })
})

describe('golden files', () => {
  const command = (name: string) => ({flag: name, value: 8, because: 'each layer is split over 8 GPUs'})
  const given = startable({devices: [0, 2]})
  const start = {
    ...given,
    launch: {
      ...given.launch,
      flags: [command('--tensor-parallel-size')],
      environment: [{name: 'VLLM_USE_V2_MODEL_RUNNER', value: '1', because: 'the model is run with it'}],
    },
  }
  const trtllm = startable({engine: 'trtllm', file: {enable_chunked_prefill: true, kv_cache_config: {dtype: 'fp8'}}})
  const amd = startable({vendor: 'amd', devices: [0, 1]})
  const nodes = startable({nodes: TWO_NODES, engine: 'sglang'})
  const nonRoot = {user: 2000, group: 0, home: '/home/vllm'}
  const nodeLabel = {key: 'nvidia.com/gpu.product', values: ['NVIDIA-H100-80GB-HBM3'], because: 'only nodes with the cards that this was planned for'}
  const several = {...startable(), replicas: 2, nonRoot, nodeLabel, answerSeconds: 100, loading: {bytesPerGpu: 32.5e9, bytesPerSecond: 25e9}}
  const slices = {...startable(), replicas: 2, gpusPerNode: 1, nonRoot, slice: {profile: '2g.20gb', variable: 'MIG_DEVICE'}}
  const gateway = {...startable({engine: 'sglang'}), replicas: 3}

  it.each([
    ['docker', start, 'docker-two-of-three-gpus.sh'],
    ['docker', amd, 'docker-amd.sh'],
    ['docker', trtllm, 'docker-trtllm.sh'],
    ['compose', start, 'compose.yaml'],
    ['compose', trtllm, 'compose-trtllm.yaml'],
    ['compose', amd, 'compose-amd.yaml'],
    ['systemd', start, 'qwen3-32b.service'],
    ['kubernetes', start, 'kubernetes.yaml'],
    ['kubernetes', trtllm, 'kubernetes-trtllm.yaml'],
    ['leaderworkerset', nodes, 'leaderworkerset-sglang.yaml'],
    ['slurm', nodes, 'slurm-sglang.sbatch'],
    ['dynamo', trtllm, 'dynamo-trtllm.yaml'],
    ['llm-d', start, 'llm-d.yaml'],
    ['file', trtllm, 'trtllm.yaml'],
    ['compose', several, 'compose-router.yaml'],
    ['docker', slices, 'docker-slices.sh'],
    ['kubernetes', several, 'kubernetes-router.yaml'],
    ['kubernetes', gateway, 'kubernetes-gateway.yaml'],
    ['leaderworkerset', {...nodes, networkFabric: 'InfiniBand', replicas: 2}, 'leaderworkerset-rdma.yaml'],
    ['llm-d', {...start, replicas: 4, prefillShare: 0.5}, 'llm-d-four-copies.yaml'],
  ] as const)('%s, case %#', async (format, what, name) => {
    await expect(joinArtifacts(formatOf(format).write(what))).toMatchFileSnapshot(`../golden/formats/${name}`)
  })

  it.each(['vllm', 'sglang', 'trtllm'] as const)('files beside the artifact of %s', async (engine) => {
    for (const {name, text} of extras(startable({engine}), 'kubernetes')) await expect(text).toMatchFileSnapshot(`../golden/formats/${engine}-${name}`)
  })
})
