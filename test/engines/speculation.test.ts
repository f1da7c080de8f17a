import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {openCatalogue} from '../../src/catalogue/catalogue.ts'
import type {DeploymentRequest} from '../../src/core/deployment.ts'
import {InputError} from '../../src/core/input-error.ts'
import {checkpointBytes} from '../../src/core/weights.ts'
import {countParameters} from '../../src/core/tensors.ts'
import {draftLayers, shapeParameters} from '../../src/engines/drafts.ts'
import type {Engine, EngineData, Subject} from '../../src/engines/engine.ts'
import {checkFlag} from '../../src/engines/flags.ts'
import {ENGINES} from '../../src/engines/registry.ts'
import {acceptedLength, acceptedShare, lengthOf} from '../../src/engines/speculation/acceptance.ts'
import {methodName} from '../../src/engines/speculation/methods.ts'
import {machineFromSpec, tightestGpu} from '../../src/planner/world/machines.ts'
import {shellText} from '../../src/render/launch/shell.ts'
import {flagTable} from './launch-fixtures.ts'

const catalogue = openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data'))
const support = catalogue.file<EngineData['support']>('engines/support')
const engineOf = (id: string): Engine =>
  ENGINES[id]!({...catalogue.file<Omit<EngineData, 'support' | 'needs'>>(`engines/${id}`), support, needs: catalogue.file('engines/needs')})
const engines = {vllm: engineOf('vllm'), sglang: engineOf('sglang'), trtllm: engineOf('trtllm')}

function subjectOf(id: string, spec = '1xh100-sxm'): Subject {
  const model = catalogue.model(id)
  const machine = machineFromSpec(catalogue, spec)
  return {model, checkpoint: model.checkpoints[0]!, machine, gpu: tightestGpu(machine)}
}
function refusal(engine: keyof typeof engines, model: string, request: DeploymentRequest) {
  const subject = subjectOf(model)
  const deployment = engines[engine].resolve(subject, request)
  return engines[engine].support(subject, deployment).reasons.filter(({code}) => code === 'speculation-unavailable')
}
const drafting = (method: string, tokens = 3, draft?: string) => ({speculative: {method, tokens, ...(draft !== undefined && {draft})}})

describe('words for methods', () => {
  const {methods} = support.speculation
  it.each([
    ['mtp', 'mtp'],
    ['NEXTN', 'mtp'],
    ['deepseek_mtp', 'mtp'],
    ['EAGLE3, org/draft', 'eagle3'],
    ['STANDALONE', 'draft_model'],
    ['prompt-lookup', 'ngram'],
    ['dflash n=5', 'dflash'],
  ])('%s is %s', (word, name) => expect(methodName(methods, word)).toBe(name))

  it.each(['foo', 'nonsense', 'constructor', 'toString', 'hasOwnProperty'])('%s is wrong input, with the methods that there are', (word) => {
    const act = () => engines.vllm.resolve(subjectOf('llama-3.1-8b'), drafting(word))
    expect(act).toThrow(InputError)
    expect(act).toThrow(`No method of speculative decoding named "${word}"`)
    try {
      act()
    } catch (error) {
      expect((error as InputError).suggestions).toContain('ngram')
    }
  })
  it('a slip is mended', () => {
    try {
      engines.vllm.resolve(subjectOf('llama-3.1-8b'), drafting('eagel3'))
    } catch (error) {
      expect((error as InputError).suggestions[0]).toBe('eagle3')
    }
  })
})

describe('which draft', () => {
  const chosen = (engine: keyof typeof engines, model: string, method: string) => engines[engine].resolve(subjectOf(model), drafting(method)).speculative?.draft
  it.each([
    ['vllm', 'qwen3-32b', 'eagle3', 'RedHatAI/Qwen3-32B-speculator.eagle3'],
    ['sglang', 'llama-3.3-70b', 'eagle3', 'lmsys/SGLang-EAGLE3-Llama-3.3-70B-Instruct-SpecForge'],
    ['trtllm', 'gpt-oss-120b', 'eagle3', 'nvidia/gpt-oss-120b-Eagle3-v3'],
    // The publisher's own before what others offer for the engine.
    ['vllm', 'nemotron-3.5-lightning-30b-a3b', 'dflash', 'nvidia/NVIDIA-Nemotron-3.5-Lightning-30B-A3B-NVFP4-DFlash'],
    ['vllm', 'gemma-4-31b', 'mtp', 'google/gemma-4-31B-it-assistant'],
    ['vllm', 'qwen3.6-27b', 'mtp', undefined],
    ['sglang', 'qwen3.6-27b', 'eagle', undefined],
    ['vllm', 'llama-3.1-8b', 'ngram', undefined],
  ] as const)('%s, %s with %s: %s', (engine, model, method, draft) => expect(chosen(engine, model, method)).toBe(draft))
  it('one that is named is taken as it is', () =>
    expect(engines.vllm.resolve(subjectOf('yi-34b-chat'), drafting('eagle3', 3, 'me/mine')).speculative).toEqual({
      method: 'eagle3',
      tokens: 3,
      draft: 'me/mine',
    }))
})

describe('refusals', () => {
  it('no draft layers: says what the model has, and a flag', () =>
    expect(refusal('vllm', 'qwen3-32b', drafting('mtp', 2))).toEqual([
      {
        code: 'speculation-unavailable',
        message:
          'Qwen3 32B has no multi-token-prediction layers; drafts known for it: eagle3 (RedHatAI/Qwen3-32B-speculator.eagle3); ngram and suffix need no draft',
        remedy: 'use --speculative eagle3:2',
      },
    ]))
  it('no draft known and none named', () => {
    const [reason] = refusal('sglang', 'yi-34b-chat', drafting('eagle3'))
    expect(reason?.message).toBe('no eagle3 draft is known for Yi 34B Chat, and without one it cannot start; no draft is known for it; ngram needs no draft')
    expect(reason?.remedy).toContain('--draft REPOSITORY')
    expect(refusal('sglang', 'yi-34b-chat', drafting('eagle3', 3, 'me/mine'))).toEqual([])
  })
  it.each([
    ['vllm', '0.19.0', 'dflash', 'gpt-oss-20b', 'use --engine-version 0.20.0 or later'],
    ['vllm', '0.10.2', 'suffix', 'gpt-oss-20b', 'use --engine-version 0.11.1 or later'],
    ['vllm', '0.11.0', 'mlp_speculator', 'llama-3-8b', 'use --engine-version 0.10.2'],
    ['sglang', '0.5.1', 'ngram', 'gpt-oss-20b', 'use --engine-version 0.5.3 or later'],
    ['sglang', '0.5.10', 'dflash', 'gpt-oss-20b', 'use --engine-version 0.5.11 or later'],
    ['trtllm', '1.2.0', 'pard', 'qwen3-8b', 'use --engine-version 1.3.0rc7 or later'],
  ] as const)('%s %s does not have %s', (engine, engineVersion, method, model, remedy) =>
    expect(refusal(engine, model, {engineVersion, ...drafting(method)})).toMatchObject([{remedy}]),
  )
  it.each([
    ['sglang', 'suffix'],
    ['trtllm', 'eagle'],
    ['trtllm', 'dspark'],
  ] as const)('%s has no %s at all', (engine, method) => expect(refusal(engine, 'qwen3.6-35b-a3b', drafting(method))[0]?.message).toMatch(/ does not have /))
  it.each([
    ['vllm', 'qwen3.6-27b', 'mtp'],
    ['sglang', 'deepseek-v3', 'mtp'],
    ['trtllm', 'deepseek-r1', 'mtp'],
    ['vllm', 'gemma-4-26b-a4b', 'mtp'],
    ['sglang', 'qwen3.6-27b', 'eagle'],
    ['vllm', 'yi-34b-chat', 'ngram'],
    ['trtllm', 'llama-3.1-8b', 'ngram'],
    ['trtllm', 'llama-3.1-8b', 'eagle3'],
  ] as const)('%s runs %s with %s', (engine, model, method) => expect(refusal(engine, model, drafting(method))).toEqual([]))
  it('a checkpoint without its draft layers', () => {
    const subject = subjectOf('qwen3.6-27b')
    const bare = {...subject, checkpoint: {...subject.checkpoint, draftIncluded: false}}
    expect(engines.vllm.support(bare, engines.vllm.resolve(bare, drafting('mtp'))).reasons[0]?.message).toMatch(/leaves out the multi-token-prediction layers/)
  })
})

describe('acceptance', () => {
  const speculation = {method: 'mtp', tokens: 3}
  it.each([
    [0.6, 0.6],
    [1, 1],
    [0, 0],
    // (2.94 - 1) / 3
    [2.94, 0.646_667],
    [4, 1],
  ])('%d is a share of %d', (given, share) => expect(acceptedShare(given, speculation)).toBeCloseTo(share, 6))
  it.each([4.01, 64])('%d is more than three drafted tokens give', (given) =>
    expect(() => acceptedShare(given, speculation)).toThrow('mean accepted length above 1 and up to 4'),
  )

  it('given: 1 + a x k tokens a step, and nothing to be uncertain of', () =>
    expect(acceptedLength([], {id: 'x'}, {acceptance: 0.6}, speculation)).toEqual({tokensPerStep: 1 + 0.6 * 3, spread: 0, source: 'given', published: []}))
  // A chance of 0.75 at each of three positions: 1 + 0.75 + 0.5625 + 0.421875.
  it('a chance: 1 + p + p^2 + p^3', () => expect(lengthOf({method: 'm', about: '', source: '', chance: 0.75}, 3)).toBeCloseTo(2.734_375, 9))
  // 1 + p = 1.5: p = 0.5; three tokens: 1.875.
  it('what is not published follows from the nearest that is', () =>
    expect(lengthOf({method: 'm', about: '', source: '', lengths: {1: 1.5}}, 3)).toBeCloseTo(1.875, 6))

  const rows = [
    {method: 'eagle3', model: 'a', draft: 'o/one', about: '', source: 's1', lengths: {3: 2}},
    {method: 'eagle3', model: 'b', draft: 'o/two', about: '', source: 's2', lengths: {3: 3}},
    {method: 'mtp', model: 'a', about: '', source: 's3', lengths: {3: 3.5}},
  ]
  const of = (model: string, method: string, draft?: string) => acceptedLength(rows, {id: model}, {}, {method, tokens: 3, draft})
  it('the draft itself, then the model, then the method', () => {
    expect(of('b', 'eagle3', 'O/Two')).toMatchObject({
      tokensPerStep: expect.closeTo(3, 9),
      source: 'assumed: public acceptance of this draft with 3 drafted tokens, 3 tokens a step',
    })
    expect(of('a', 'mtp').source).toBe('assumed: public acceptance of this model with 3 drafted tokens, 3.5 tokens a step')
    // The geometric mean of 2 and 3; a sample deviation of ln(1.5) / sqrt(2).
    const general = of('c', 'eagle3', 'o/three')
    expect(general.tokensPerStep).toBeCloseTo(Math.sqrt(6), 9)
    expect(general.spread).toBeCloseTo(Math.log(1.5) / Math.SQRT2, 9)
    expect(general.published).toEqual(['s1', 's2'])
  })
  it('a single figure of a method is trusted less than one of the model', () => {
    expect(of('c', 'mtp').spread).toBe(0.25)
    expect(of('a', 'mtp').spread).toBe(0.1)
  })
  it('nothing published: nothing is gained', () =>
    expect(of('a', 'dspark')).toMatchObject({tokensPerStep: 1, source: expect.stringMatching(/^assumed: no accepted length/)}))
})

describe('memory of a known draft', () => {
  // Llama 3.3 70B in SpecForge: q, k and v from 2 x 8,192 into (64 + 16) x 128, o back from 64 x 128, three matrices of 8,192 x 28,672, three
  // hidden states into one, a head of 32,000: 167.8 + 67.1 + 704.6 + 201.3 + 262.1 million. The repository has 2.81 GB.
  const shape = {layerCount: 1, hiddenSize: 8192, intermediateSize: 28_672, queryHeadCount: 64, kvHeadCount: 8, headDim: 128, vocabularySize: 32_000}
  it('is what the repository holds', () => {
    expect(shapeParameters('eagle3', shape)).toBe(167_772_160 + 67_108_864 + 704_643_072 + 201_326_592 + 262_144_000)
    expect(Math.abs((2 * shapeParameters('eagle3', shape)) / 2.81e9 - 1)).toBeLessThan(0.002)
  })
  it('is split over the ranks, and no longer an assumption', () => {
    const subject = subjectOf('llama-3.3-70b', '4xh100-sxm')
    const memory = engines.sglang.memory(subject, engines.sglang.resolve(subject, {tp: 4, ...drafting('eagle3')}))
    expect(memory.terms.find(({name}) => name === 'weights: draft model')).toMatchObject({
      // All but the matrix that joins three hidden states of 8,192 elements, which every rank holds (nn.Linear fc in sglang/srt/models/llama_eagle3.py).
      bytes: Math.round((2 * shapeParameters('eagle3', shape) - 2 * 3 * 8192 ** 2) / 4 + 2 * 3 * 8192 ** 2),
      kind: 'derived',
      because: 'lmsys/SGLang-EAGLE3-Llama-3.3-70B-Instruct-SpecForge: 1.4 billion parameters at 16 bits',
    })
  })
  // 8 heads of keys and values of 128 elements of two bytes in one layer beside the model's 80 of the same: 81/80.
  it('keeps one layer of cache: TensorRT-LLM', () => {
    const subject = subjectOf('llama-3.3-70b', '4xh100-sxm')
    const words = (request: DeploymentRequest) =>
      Number(/(\d+) bytes for a token/.exec(engines.trtllm.memory(subject, engines.trtllm.resolve(subject, {tp: 4, ...request})).terms.at(-1)!.because)?.[1])
    expect(words(drafting('eagle3', 3, 'lmsys/SGLang-EAGLE3-Llama-3.3-70B-Instruct-SpecForge')) / words({})).toBeCloseTo(81 / 80, 9)
  })
  it('Gemma 4 reads its own cache: the assistant adds weights alone', () => {
    const subject = subjectOf('gemma-4-31b', '1xh200-sxm')
    const memory = (request: DeploymentRequest) => engines.trtllm.memory(subject, engines.trtllm.resolve(subject, request))
    const term = memory(drafting('mtp')).terms.find(({name}) => name === 'weights: draft model')
    expect(term?.bytes).toBe(0.94e9)
    expect(memory(drafting('mtp')).terms.at(-1)?.because).toBe(memory({}).terms.at(-1)?.because)
  })
  it('a named draft of unknown size is assumed as before', () => {
    const subject = subjectOf('llama-3.3-70b', '4xh100-sxm')
    const memory = engines.vllm.memory(subject, engines.vllm.resolve(subject, {tp: 4, ...drafting('eagle3', 3, 'me/mine')}))
    expect(memory.terms.find(({name}) => name === 'weights: draft model')).toMatchObject({
      kind: 'assumed',
      because: expect.stringContaining('me/mine: an eagle3 draft of 1 layer'),
    })
  })
})

describe('start commands', () => {
  const tables = {vllm: flagTable('vllm'), sglang: flagTable('sglang'), trtllm: flagTable('trtllm')}
  it.each([
    ['vllm', 'qwen3-32b', '1xh200-sxm', {tp: 1, ...drafting('eagle3')}],
    ['vllm', 'gemma-4-31b', '1xh200-sxm', {tp: 1, ...drafting('mtp', 4)}],
    ['vllm', 'llama-3.1-8b', '1xh100-sxm', {tp: 1, ...drafting('ngram', 5)}],
    ['sglang', 'llama-3.3-70b', '4xh100-sxm', {tp: 4, ...drafting('eagle3')}],
    ['sglang', 'qwen3.5-27b', '2xh100-sxm', {tp: 2, ...drafting('dflash', 15)}],
    ['trtllm', 'gpt-oss-120b', '1xh200-sxm', {tp: 1, ...drafting('eagle3')}],
  ] as [keyof typeof engines, string, string, DeploymentRequest][])('%s, %s on %s', async (id, model, spec, request) => {
    const subject = subjectOf(model, spec)
    const deployment = engines[id].resolve(subject, request)
    const launch = engines[id].launch(subject, deployment)
    for (const {flag, value} of launch.flags) expect(checkFlag(tables[id], deployment.engineVersion, flag, value)?.message).toBeUndefined()
    await expect(shellText(launch)).toMatchFileSnapshot(`../golden/${id}-${deployment.speculative?.method}-${model}.sh`)
  })
})

describe('how vLLM checks several tokens of a sequence', () => {
  const verification = (model: string, gpu: string, request: DeploymentRequest) => {
    const subject = subjectOf(model, gpu)
    const deployment = engines.vllm.resolve(subject, {...drafting('mtp', 2), ...request})
    return engines.vllm.drafting(subject, deployment)?.verification
  }
  // Heads of 256 and blocks of 64 queries: 4 x 64 x 256 = 65,536 operations for a token of the context in a layer, at 1,024 x 2.5 GHz, 512 x 1.75 GHz (half speed) and
  // 2,048 x 1.41 GHz of a multiprocessor; on AMD 256 x 0.21 ns.
  it.each([
    ['1xrtx-pro-6000-blackwell-server', '0.33.0', 'bf16', 25.6e-9, '--kv-cache fp8'],
    ['1xrtx-3090', '0.33.0', 'bf16', 65_536 / 896e9, undefined],
    ['1xa100-80gb-sxm', '0.33.0', 'bf16', 65_536 / 2887.68e9, undefined],
    ['1xrtx-5090', '0.33.0', 'bf16', 65_536 / 1280e9, '--kv-cache fp8'],
    ['1xmi350x', '0.33.0', 'bf16', 53.76e-9, '--kv-cache fp8'],
    ['1xmi325x', '0.31.0', 'bf16', 53.76e-9, '--kv-cache fp8'],
  ])('on %s, vLLM %s, a cache in %s is walked', (gpu, engineVersion, kvCache, seconds, remedy) => {
    const found = verification('qwen3.5-27b', gpu, {engineVersion, kvCache})
    expect(found?.secondsPerContextToken).toBeCloseTo(seconds, 15)
    expect(found?.walkRemedy).toBe(remedy)
  })
  it.each([
    ['1xh100-sxm', 'bf16'],
    ['1xb200-sxm', 'bf16'],
    ['1xmi350x', 'fp8'],
    ['1xrtx-pro-6000-blackwell-server', 'fp8'],
  ])('on %s a cache in %s is not', (gpu, kvCache) => expect(verification('qwen3.5-27b', gpu, {engineVersion: '0.33.0', kvCache})).toBeUndefined())

  it('heads of more than 256 go to narrower blocks: 4 x 32 x 512 at 512 x 1.75 GHz', () =>
    expect(
      engines.vllm.drafting(
        subjectOf('gemma-4-31b', '2xrtx-3090'),
        engines.vllm.resolve(subjectOf('gemma-4-31b', '2xrtx-3090'), {...drafting('mtp', 2), engineVersion: '0.33.0', kvCache: 'bf16'}),
      )?.verification?.secondsPerContextToken,
    ).toBeCloseTo(65_536 / 896e9, 15))

  describe('waits for the number of accepted tokens', () => {
    const waits = (model: string, engineVersion: string, prefixCaching?: boolean) =>
      verification(model, '1xh100-sxm', {engineVersion, kvCache: 'bf16', ...(prefixCaching !== undefined && {prefixCaching})})?.hostSecondsPerStep
    it.each([
      ['0.17.0', true],
      ['0.21.0', true],
    ])('hybrid, vLLM %s, prefix caching %s', (version, caching) => expect(waits('qwen3.5-27b', version, caching)).toBe(6e-3))
    // Prefixes of hybrid models are shared unasked from 0.26.0 only; states are copied on the GPU from 0.22.0.
    it.each([
      ['0.17.0', undefined],
      ['0.21.0', false],
      ['0.22.0', true],
      ['0.33.0', true],
    ])('hybrid, vLLM %s, prefix caching %s: does not', (version, caching) => expect(waits('qwen3.5-27b', version, caching)).toBeUndefined())
    it('models without states do not', () => expect(waits('deepseek-r1-0528', '0.19.0', true)).toBeUndefined())
  })
})

describe('SGLang draws up the next step while one that checks drafts runs', () => {
  const waits = (engineVersion: string, method: string) =>
    engines.sglang.drafting(subjectOf('qwen3-8b'), engines.sglang.resolve(subjectOf('qwen3-8b'), {...drafting(method, 3, 'org/draft'), engineVersion}))
      ?.verification?.hostSecondsPerStep
  it.each([
    ['0.5.10.post1', 'eagle3', 2.2e-3],
    ['0.5.11', 'eagle3', undefined],
    ['0.5.12', 'dflash', 2.2e-3],
    ['0.5.13', 'dflash', undefined],
  ])('%s with %s: waits %s', (version, method, seconds) => expect(waits(version, method)).toBe(seconds))
})

describe('the eight layers of Inkling', () => {
  const {architecture, checkpoints} = catalogue.model('inkling')
  const wholeAt = (tokens: number) =>
    draftLayers(architecture, {method: 'mtp', tokens}).map(({mixers}) => mixers.every((mixer) => mixer.kind === 'full' && !mixer.window))

  // mtp_config.local_layer_ids is [0, 2, 4, 5, 6, 7]: the second and the fourth attend over the whole context.
  it('are built as many as tokens are drafted, two of them over the whole context', () => {
    expect(wholeAt(1)).toEqual([false])
    expect(wholeAt(2)).toEqual([false, true])
    expect(wholeAt(8)).toEqual([false, true, false, true, false, false, false, false])
    expect(wholeAt(12)).toHaveLength(8)
  })

  // 591,854,374,368 bytes of tensors in the NVFP4 files, where the experts of one layer are at 16 bits.
  it('complete the size of the files', () => {
    const checkpoint = checkpoints.find(({hfId}) => hfId === 'thinkingmachines/Inkling-NVFP4')!
    expect(checkpointBytes(architecture, checkpoint) / checkpoint.bytes!).toBeCloseTo(1, 2)
  })

  it('draft one token in vLLM until 0.27.1, and eight from 0.28.0', () => {
    const request = (engineVersion: string, tokens: number) => ({engineVersion, tp: 8, ...drafting('mtp', tokens)})
    expect(refusal('vllm', 'inkling', request('0.27.1', 8))[0]).toMatchObject({
      message: 'vLLM 0.27.1 drafts one token with the layers of Inkling, not 8',
      remedy: 'use --engine-version 0.28.0 or later, or --speculative mtp:1',
    })
    expect(refusal('vllm', 'inkling', request('0.27.1', 1))).toEqual([])
    expect(refusal('vllm', 'inkling', request('0.28.0', 8))).toEqual([])
  })
})

describe('drafters that stand in the place of multi-token prediction', () => {
  const {architecture, checkpoints} = catalogue.model('deepseek-v4.1-flash')

  // Three layers of 128 experts, three matrices of 5,120 x 2,304 each: 13.6e9 elements, the "14B" of the recipe. 510,313,353,565 bytes of files.
  it('DeepSeek V4.1 Flash has one of three layers, and with it the size of its files', () => {
    expect(draftLayers(architecture, {method: 'dspark', tokens: 5})).toHaveLength(3)
    expect(countParameters(architecture).draft / (3 * 128 * 3 * 5120 * 2304)).toBeCloseTo(1.05, 1)
    expect(checkpointBytes(architecture, checkpoints[0]!) / 510_313_353_565).toBeGreaterThan(0.985)
    expect(checkpointBytes(architecture, checkpoints[0]!) / 510_313_353_565).toBeLessThan(1.005)
  })

  it('drafts by DSpark and by nothing else of its own', () => {
    expect(refusal('vllm', 'deepseek-v4.1-flash', {engineVersion: '0.31.0', tp: 8, ...drafting('dspark', 5)})).toEqual([])
    expect(refusal('vllm', 'deepseek-v4.1-flash', {engineVersion: '0.31.0', tp: 8, ...drafting('mtp', 3)})[0]?.message).toMatch(
      /^deepseek-ai\/DeepSeek-V4\.1-Flash has a drafter in the place of multi-token-prediction layers; dspark runs the drafter of its checkpoint/,
    )
  })

  it('is named where another checkpoint of the model has it', () => {
    expect(refusal('sglang', 'deepseek-v4-flash', {engineVersion: '0.5.16', tp: 8, ...drafting('dspark', 5)})[0]).toMatchObject({
      message: 'deepseek-ai/DeepSeek-V4-Flash has no DSpark drafter; deepseek-ai/DeepSeek-V4-Flash-0731 has one',
      remedy: 'use deepseek-ai/DeepSeek-V4-Flash-0731, or --speculative mtp:5',
    })
  })

  // "DSpark requires num_speculative_tokens >= dspark_block_size" in 0.26.0 to 0.27.1 alone; the block of DeepSeek's has five.
  it.each([
    ['0.25.0', 3, false],
    ['0.26.0', 3, true],
    ['0.27.1', 5, false],
    ['0.28.0', 1, false],
  ])('in vLLM %s drafts %d tokens: refused %s', (engineVersion, tokens, refused) => {
    const subject = {...subjectOf('deepseek-v4-flash', '8xb200-sxm')}
    subject.checkpoint = subject.model.checkpoints.find(({hfId}) => hfId === 'deepseek-ai/DeepSeek-V4-Flash-0731')!
    const deployment = engines.vllm.resolve(subject, {engineVersion, tp: 8, ...drafting('dspark', tokens)})
    const reasons = engines.vllm.support(subject, deployment).reasons.filter(({code}) => code === 'speculation-unavailable')
    expect(reasons.map(({remedy}) => remedy)).toEqual(refused ? ['use --speculative dspark:5, or --engine-version 0.28.0 or later'] : [])
  })
})
