/** The two model runners of vLLM, and blocks of recurrent states: each number derived from the release's source that src/engines/vllm/runner.ts and states.ts name. */
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {openCatalogue} from '../../src/catalogue/catalogue.ts'
import type {DeploymentRequest} from '../../src/core/deployment.ts'
import type {Subject} from '../../src/engines/engine.ts'
import {ENGINES} from '../../src/engines/registry.ts'
import {allReduceBytes} from '../../src/engines/vllm/all-reduce.ts'
import {usableBlocks} from '../../src/engines/vllm/cache-groups.ts'
import {batchDefaults} from '../../src/engines/vllm/defaults.ts'
import {vllmCacheLayout} from '../../src/engines/vllm/memory.ts'
import {graphsInsideBudget, secondRunnerLogitBytes, sequenceTableBytes, triesImages, usesSecondRunner} from '../../src/engines/vllm/runner.ts'
import {stateAlignmentTokens, stateBlocks} from '../../src/engines/vllm/states.ts'
import {answer} from '../../src/planner/answer/index.ts'
import {engineData} from '../../src/planner/world/context.ts'
import {machineFromSpec} from '../../src/planner/world/machines.ts'
import {plannerContext} from '../planner/plan-context.ts'

const catalogue = openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data'))
const vllm = ENGINES.vllm!(engineData({catalogue}, 'vllm'))

function subjectOf(id: string, spec: string): Subject {
  const model = catalogue.model(id)
  const machine = machineFromSpec(catalogue, spec)
  return {model, checkpoint: model.checkpoints[0]!, machine, gpu: machine.gpus[0]!}
}
const resolved = (subject: Subject, request: DeploymentRequest) => vllm.resolve(subject, request)
const second = (id: string, spec: string, engineVersion: string, more: DeploymentRequest = {}) => {
  const subject = subjectOf(id, spec)
  return usesSecondRunner(subject, resolved(subject, {engineVersion, ...more}))
}

describe('which runner serves', () => {
  // DEFAULT_V2_MODEL_RUNNER_ARCHITECTURES has Qwen3 alone in 0.22, Llama and Mistral besides in 0.23; 0.25.0 takes what is neither hybrid nor of experts.
  it.each([
    ['qwen3-8b', '0.21.0', false],
    ['qwen3-8b', '0.22.0', true],
    ['llama-3.1-8b', '0.22.1', false],
    ['llama-3.1-8b', '0.23.0', true],
    ['qwen2.5-7b-instruct', '0.24.0', false],
    ['qwen2.5-7b-instruct', '0.25.0', true],
    ['gpt-oss-20b', '0.28.0', false], // experts
    ['gpt-oss-20b', '0.29.0', true],
    ['qwen3.6-27b', '0.28.0', false], // recurrent layers
    ['qwen3.6-27b', '0.29.0', true],
    ['qwen3-embedding-0.6b', '0.28.0', false], // not the generating runner
    ['qwen3-embedding-0.6b', '0.29.0', true],
    ['deepseek-v4-flash', '0.27.1', false],
    ['deepseek-v4-flash', '0.28.0', true], // listed
  ])('%s in %s: %s', (id, version, is) => expect(second(id, '1xh200', version)).toBe(is))

  it('leaves DeepSeek-V4 to the first on AMD up to 0.31', () => {
    expect(['0.28.0', '0.31.0', '0.32.0', '0.33.0'].map((version) => second('deepseek-v4-flash', '8xmi300x', version))).toEqual([false, false, true, true])
  })

  it('goes back to the first for drafts that the second cannot make', () => {
    const with_ = (method: string, version: string) => second('llama-3.1-8b', '1xh200', version, {speculative: {method, tokens: 3}})
    expect(['0.28.0', '0.31.0', '0.32.0'].map((version) => with_('ngram', version))).toEqual([false, false, true])
    expect(['0.30.0', '0.31.0'].map((version) => with_('draft_model', version))).toEqual([false, true])
    expect(with_('suffix', '0.33.0')).toBe(false)
    expect(with_('eagle3', '0.28.0')).toBe(true)
  })
})

describe('graphs within the share of memory', () => {
  const inside = (id: string, spec: string, engineVersion: string) => {
    const subject = subjectOf(id, spec)
    return graphsInsideBudget(subject, resolved(subject, {engineVersion}))
  }

  it('are counted by the first runner from 0.20.0, by the second from 0.29.0', () => {
    expect(['0.19.1', '0.20.0', '0.28.0'].map((version) => inside('gpt-oss-20b', '1xh200', version))).toEqual([false, true, true])
    // profile_cudagraph_memory of the second returns 0 up to 0.28.
    expect(['0.21.0', '0.22.0', '0.28.0', '0.29.0'].map((version) => inside('qwen3-8b', '1xh200', version))).toEqual([true, false, false, true])
  })

  it('are counted on AMD from 0.26.0', () => {
    expect(['0.20.0', '0.25.1', '0.26.0'].map((version) => inside('gpt-oss-20b', '1xmi300x', version))).toEqual([false, false, true])
  })

  // What the cache gains in 0.28.0 is what the graphs take beyond the share: they are not in the sum that is taken off it.
  it('take from the cache only where they are counted', () => {
    const subject = subjectOf('qwen3-8b', '1xh200')
    const memory = (engineVersion: string, enforceEager: boolean) => vllm.memory(subject, resolved(subject, {engineVersion, enforceEager}))
    const graphs = (engineVersion: string) => memory(engineVersion, false).terms.find(({name}) => name === 'CUDA graphs')!.bytes
    // Without graphs the compiler is off too; the embedding of 151,936 x 4,096 x 2 bytes is less than the trial of 1,024 sequences in 0.33.0.
    const trial = 1024 * 151_936 * 14
    expect(trial).toBeGreaterThan(151_936 * 4096 * 2)
    expect(memory('0.33.0', true).kvCacheBytes - memory('0.33.0', false).kvCacheBytes).toBe(graphs('0.33.0'))
  })
})

describe('what the second runner holds', () => {
  // Qwen3: a vocabulary of 151,936. 256 sequences x 151,936 x 4 bytes of counts, and 4,748 words of 32 bits for the prompt.
  it('a table of the vocabulary for each sequence', () => {
    expect(sequenceTableBytes(151_936, 256)).toBe(256 * (607_744 + 18_992))
    const subject = subjectOf('qwen3-8b', '1xrtx-4090')
    const term = (engineVersion: string) => vllm.memory(subject, resolved(subject, {engineVersion})).terms.find(({name}) => name === 'sequence tables')?.bytes
    expect(term('0.33.0')).toBe(160_444_416)
    expect(term('0.21.0')).toBeUndefined()
    const embedding = subjectOf('qwen3-embedding-0.6b', '1xrtx-4090')
    expect(vllm.memory(embedding, resolved(embedding, {engineVersion: '0.33.0'})).terms.some(({name}) => name === 'sequence tables')).toBe(false)
  })

  // Logits of 2 bytes and their copy of 4 to 0.25; as they are from 0.26; in 0.33 also the copy, masked logits and probabilities on NVIDIA. Over four ranks the
  // gathering holds the own quarter, what was gathered, and it transposed: 0.5 + 2 + 2.
  it.each([
    ['0.25.1', 1, 'rtx-4090', 6],
    ['0.26.0', 1, 'rtx-4090', 2],
    ['0.28.0', 1, 'rtx-4090', 2],
    ['0.28.0', 4, 'rtx-4090', 4.5],
    ['0.25.1', 4, 'rtx-4090', 6],
    ['0.33.0', 1, 'rtx-4090', 14],
    ['0.33.0', 1, 'mi300x', 6],
  ])('%s over %i of %s ranks: %s bytes for each logit', (engineVersion, tp, gpu, bytes) => {
    expect(secondRunnerLogitBytes(subjectOf('qwen3-8b', `${tp}x${gpu}`), {engineVersion, tp})).toBe(bytes)
  })

  // Qwen2.5-3B: 151,936 x 2,048 x 2 bytes = 622,329,856, where the log of 0.27.0 has 0.59 GiB at the peak.
  it('a copy of the embedding while it is compiled', () => {
    const subject = subjectOf('qwen2.5-3b-instruct', '1xrtx-3090')
    const peak = (enforceEager: boolean) =>
      vllm.memory(subject, resolved(subject, {engineVersion: '0.27.0', enforceEager, maxModelLen: 8192})).terms.find(({name}) => name === 'activations')!.bytes
    expect(peak(false)).toBe(622_329_856)
    expect(peak(true)).toBeLessThan(300_000_000)
  })

  it('no images in the trial of 0.25 and 0.26', () => {
    const subject = subjectOf('gemma-3-27b', '1xh200')
    expect(['0.24.0', '0.25.0', '0.26.0', '0.27.0'].map((engineVersion) => triesImages(subject, resolved(subject, {engineVersion})))).toEqual([
      true,
      false,
      false,
      true,
    ])
  })
})

// VLLM_FUSED_MOE_CHUNK_SIZE, gone in 0.18.0: eight ranks gather 8 x 8,192 tokens, and experts saw 32,768 of them at once. DeepSeek-V3: 8 experts a token, each
// a buffer of max(2 x 2,048, 7,168) and one of 2,048 elements of 2 bytes.
describe('workspaces of experts', () => {
  it('cover all gathered tokens from 0.18.0', () => {
    const subject = subjectOf('deepseek-v3', '8xh200')
    const peak = (engineVersion: string) =>
      vllm
        .memory(subject, resolved(subject, {engineVersion, tp: 1, dp: 8, ep: 8, dpAttention: true, maxNumSeqs: 256, maxNumBatchedTokens: 8192}))
        .terms.find(({name}) => name === 'activations')!.bytes
    const {activationCopies} = engineData({catalogue}, 'vllm').overheads
    expect(Math.abs(peak('0.18.0') - peak('0.17.1') - 32_768 * 8 * (7168 + 2048) * 2 * activationCopies)).toBeLessThanOrEqual(2)
  })
})

describe('blocks of recurrent states', () => {
  const blocks = (id: string, spec: string, engineVersion: string, more: DeploymentRequest = {}) => {
    const subject = subjectOf(id, spec)
    return stateBlocks(subject, resolved(subject, {engineVersion, ...more}))
  }

  // Qwen3.6-27B: no prefix cache by itself to 0.25; two states with it; a third for checkpoints in 0.33, where FlashInfer prefills (Hopper).
  it.each([
    ['0.25.1', 'h200', 1],
    ['0.26.0', 'h200', 2],
    ['0.32.0', 'h200', 2],
    ['0.33.0', 'h200', 3],
    ['0.33.0', 'rtx-3090', 2], // no FlashInfer prefill below Hopper
    ['0.33.0', 'mi300x', 2],
  ])('gated delta nets in %s on %s: %i', (version, gpu, perRequest) => {
    expect(blocks('qwen3.6-27b', `1x${gpu}`, version)).toEqual({perRequest, everyBlock: false})
  })

  it('one more for each draft token, and one alone without a prefix cache', () => {
    expect(blocks('qwen3.6-27b', '1xh200', '0.33.0', {speculative: {method: 'mtp', tokens: 2}}).perRequest).toBe(5)
    expect(blocks('qwen3.6-27b', '1xh200', '0.33.0', {prefixCaching: false}).perRequest).toBe(1)
  })

  // Nemotron-H can keep every state and does so by itself where it has a prefix cache, until `align` becomes the mode of all in 0.28.0.
  it('Mamba-2: a state at every block in 0.26 and 0.27, aligned after, with a checkpoint from 0.32', () => {
    const of = (version: string) => blocks('nemotron-3-nano-30b-a3b', '1xh200', version)
    expect(of('0.25.1')).toEqual({perRequest: 1, everyBlock: false})
    expect(of('0.26.0')).toEqual({perRequest: 0, everyBlock: true})
    expect(of('0.27.1')).toEqual({perRequest: 0, everyBlock: true})
    expect(of('0.28.0')).toEqual({perRequest: 2, everyBlock: false})
    expect(of('0.32.0')).toEqual({perRequest: 3, everyBlock: false})
  })

  // FlashInfer's checkpoints lie on multiples of 64: blocks of 784 tokens become 832 where they are taken.
  it('makes blocks multiples of where checkpoints lie, from 0.33.0', () => {
    const tokens = (gpu: string, engineVersion: string, more: DeploymentRequest = {}) => {
      const subject = subjectOf('qwen3.6-27b', `1x${gpu}`)
      return stateAlignmentTokens(subject, resolved(subject, {engineVersion, ...more}), 16)
    }
    expect([tokens('h200', '0.32.0'), tokens('h200', '0.33.0'), tokens('rtx-3090', '0.33.0'), tokens('h200', '0.33.0', {prefixCaching: false})]).toEqual([
      16, 64, 16, 16,
    ])
  })

  // Kimi-Linear: 64, and 128 with CUTLASS MLA, to 0.19; the backend's block in 0.20 to 0.26 (16 on Hopper); 128 from 0.27.
  it('latent attention beside states: by release', () => {
    const tokens = (gpu: string, engineVersion: string, block: number) => {
      const subject = subjectOf('kimi-linear-48b-a3b-instruct', `1x${gpu}`)
      return stateAlignmentTokens(subject, resolved(subject, {engineVersion}), block)
    }
    expect([
      tokens('h200', '0.19.1', 16),
      tokens('b200', '0.19.1', 32),
      tokens('h200', '0.20.0', 16),
      tokens('h200', '0.26.0', 16),
      tokens('h200', '0.27.0', 16),
    ]).toEqual([64, 128, 16, 16, 128])
  })
})

// 128 MiB are 9,362 tokens of 7,168 elements, 9,368 in slices for eight ranks: 3 x 2 x 9,368 x 14,336 bytes. 1 MiB, which the fused all-reduce takes anyway,
// are 73 tokens, 80 in slices. 64 MiB are 4,681 tokens, 4,688 in slices; 4 MiB 292, 296 in slices.
describe("FlashInfer's all-reduce", () => {
  const bytes = (spec: string, engineVersion: string, tp: number) => allReduceBytes(subjectOf('deepseek-v3', spec), {engineVersion, tp})

  it('takes a workspace of its own size where one was tuned', () => {
    expect(bytes('8xb200-sxm', '0.33.0', 8)).toBe(6 * (9368 - 80) * 14_336)
    expect(bytes('8xb300-sxm', '0.29.0', 8)).toBe(6 * (4688 - 296) * 14_336)
    expect(bytes('8xb300-sxm', '0.33.0', 8)).toBe(6 * (9368 - 296) * 14_336)
  })

  it('and none elsewhere', () => {
    expect([bytes('8xb200-sxm', '0.32.0', 8), bytes('8xb300-sxm', '0.28.0', 8), bytes('8xh200-sxm', '0.33.0', 8), bytes('8xb200-sxm', '0.33.0', 2)]).toEqual([
      0, 0, 0, 0,
    ])
    expect(bytes('8xmi355x', '0.33.0', 8)).toBe(0)
  })
})

describe('the check at start', () => {
  it('leaves the block out that is never handed out, from 0.29.0', () => {
    expect([usableBlocks('0.28.0', 100), usableBlocks('0.29.0', 100), usableBlocks('0.33.0', 0)]).toEqual([100, 99, 0])
    // Blocks of 16 tokens: 64 of them serve 1,024 tokens in 0.28.0 and 1,008 in 0.29.0.
    const subject = subjectOf('qwen3-8b', '1xh200')
    const longest = (engineVersion: string) => vllm.memory(subject, resolved(subject, {engineVersion, kvCacheBlocks: 64, maxModelLen: 1024}))
    expect([longest('0.28.0').starts, longest('0.28.0').largestMaxModelLen]).toEqual([true, 1024])
    expect([longest('0.29.0').starts, longest('0.29.0').largestMaxModelLen]).toEqual([false, 1008])
  })

  // To 0.32.0 no size is known of memory that is shared; 0.33.0 asks the runtime, and keeps 12.1 small by name.
  it('GB10 stays on the small tier, Thor does not', () => {
    const limits = (spec: string, version: string) => batchDefaults(version, machineFromSpec(catalogue, spec).gpus[0]!)
    expect(limits('1xgb10', '0.33.0')).toEqual({maxNumBatchedTokens: 2048, maxNumSeqs: 256})
    expect(limits('1xjetson-agx-thor', '0.32.0')).toEqual({maxNumBatchedTokens: 2048, maxNumSeqs: 256})
    expect(limits('1xjetson-agx-thor', '0.33.0')).toEqual({maxNumBatchedTokens: 8192, maxNumSeqs: 1024})
  })
})

// vllm/model_executor/layers/attention/mla_attention.py: state_content_bytes {"fp8_ds_mla": 656, "nvfp4_ds_mla": 352}.
describe('rows of sparse attention', () => {
  const subject = subjectOf('glm-5', '8xb200-sxm')
  const deployment = (engineVersion: string, kvCache: string) => resolved(subject, {engineVersion, kvCache, tp: 8})

  it.each([
    ['nvfp4', 352],
    ['nvfp4_ds_mla', 352],
  ])('%s: %i bytes of 576 elements', (kvCache, bytes) => {
    expect(vllmCacheLayout(subject, deployment('0.33.0', kvCache)).latentRowBytes?.(576)).toBe(bytes)
  })

  // platforms/cuda.py _get_backend_priorities and attention/mla_attention.py: FlashInfer keeps plain fp8 on 10.x, FlashMLA and 12.x 512 + 16 + 2 x 64.
  it.each([
    ['b200-sxm', '0.17.1', 8, 656],
    // GLM-5 has 64 heads: 8 on a rank of eight, 32 on one of two.
    ['b200-sxm', '0.19.1', 8, 576],
    ['b200-sxm', '0.19.1', 2, 656],
    ['b200-sxm', '0.20.0', 2, 576],
    ['b200-sxm', '0.33.0', 8, 576],
    ['h200-sxm', '0.33.0', 8, 656],
    ['rtx-pro-6000-blackwell-server', '0.33.0', 8, 656],
    ['mi355x', '0.33.0', 8, 576],
  ])('fp8 on %s under %s with tp %i: %i bytes', (gpu, version, tp, bytes) => {
    const on = subjectOf('glm-5', `8x${gpu}`)
    const {latentRowBytes, format} = vllmCacheLayout(on, resolved(on, {engineVersion: version, kvCache: 'fp8', tp}))
    expect(latentRowBytes?.(576) ?? 576 * format.elementBytes).toBe(bytes)
  })

  // Packed rows are gathered: 5 x 65,536 tokens more x 576 x 2 bytes. Plain ones are read where they lie: 40 index keys of 132 bytes for each token.
  it('gathers packed rows only', () => {
    const more = (gpu: string) => {
      const on = subjectOf('glm-5', `8x${gpu}`)
      const peak = (maxModelLen: number) =>
        vllm
          .memory(on, resolved(on, {engineVersion: '0.33.0', kvCache: 'fp8', tp: 8, maxModelLen, maxNumSeqs: 16, maxNumBatchedTokens: 8192}))
          .terms.find(({name}) => name === 'activations')!.bytes
      return peak(131_072) - peak(65_536)
    }
    expect(Math.abs(more('h200-sxm') - 5 * 65_536 * 1152)).toBeLessThanOrEqual(2)
    expect(Math.abs(more('b200-sxm') - 40 * 65_536 * 132)).toBeLessThanOrEqual(2)
  })

  it('are kept in four bits from 0.30.0, under a name of their own', () => {
    const {flags} = vllm.launch(subject, deployment('0.33.0', 'nvfp4'))
    expect(flags).toContainEqual(expect.objectContaining({flag: '--kv-cache-dtype', value: 'nvfp4_ds_mla'}))
    const codes = (engineVersion: string) => vllm.support(subject, deployment(engineVersion, 'nvfp4')).reasons.map(({code}) => code)
    expect(codes('0.29.0')).toContain('kv-cache-unsupported')
    expect(codes('0.33.0')).not.toContain('kv-cache-unsupported')
  })

  // Gathered rows for each token of the longest request, 576 elements of 16 bits: five, and two above 256k from 0.32.0. 3 x 1,048,576 x 1,152 bytes less.
  it('gathers fewer rows of long requests from 0.32.0', () => {
    const long = subjectOf('glm-5.2', '8xh200-sxm')
    const peak = (engineVersion: string, maxModelLen: number) =>
      vllm
        .memory(long, resolved(long, {engineVersion, kvCache: 'fp8', tp: 8, maxModelLen, maxNumSeqs: 16, maxNumBatchedTokens: 8192}))
        .terms.find(({name}) => name === 'activations')!.bytes
    expect(Math.abs(peak('0.31.0', 2 ** 20) - peak('0.32.0', 2 ** 20) - 3 * 2 ** 20 * 1152)).toBeLessThanOrEqual(2)
    expect(peak('0.32.0', 2 ** 18)).toBe(peak('0.31.0', 2 ** 18))
  })

  it('leaves formats that are known by name unsized', async () => {
    await expect(answer(plannerContext(), {model: 'qwen3-8b', gpu: '1xh200', kvCache: 'octave_k3v4'})).rejects.toThrow(
      'The cache format octave_k3v4 (vLLM 0.33.0 and later) is known by name only, not how much memory it takes',
    )
  })
})
