import {describe, expect, it, test} from 'vitest'
import {layoutReasons} from '../../src/engines/divisibility.ts'
import {vllmLayout} from '../../src/engines/vllm/layout.ts'
import {adviseOn} from '../../src/planner/answer/advice.ts'
import {type Answer, answer} from '../../src/planner/answer/answer.ts'
import {layoutsFor} from '../../src/planner/answer/layouts.ts'
import type {Scenario} from '../../src/planner/scenario/scenario.ts'
import {machineFromSpec, servingGroups} from '../../src/planner/world/machines.ts'
import {renderCheck} from '../../src/render/check.ts'
import {plannerContext} from './plan-context.ts'

const context = plannerContext()
const {catalogue} = context

const ask = (scenario: Scenario & {model: string}): Promise<Answer> =>
  answer(context, {...scenario, workload: {inputTokens: 1024, outputTokens: 512, concurrency: 1, ...scenario.workload}})
const codesOf = ({best}: Answer) => best.reasons.map(({code}) => code)
const sizes = (model: string, spec: string, concurrency?: number) =>
  layoutsFor(catalogue.model(model).architecture, machineFromSpec(catalogue, spec), {}, concurrency).map(({tp, pp, dp}) => `${tp} ${pp} ${dp}`)

describe('cards that heads do not divide over', () => {
  it('take pipeline stages, also where NVLink joins them', () => {
    // 96 query heads and 8 KV heads: four of seven at most by heads. Seven are prime.
    expect(sizes('glm-4.6', '7xa100-80gb-sxm')).toContain('1 7 1')
    // 64 and 8: two by heads, three times.
    expect(sizes('qwen3-32b', '6xh100-sxm')).toEqual(expect.arrayContaining(['2 3 1', '1 6 1', '2 1 3']))
  })
  test.each([
    // 355 billion weights in 8 bits are 331 GiB: 83 for each of four cards, which have 79.
    ['zai-org/GLM-4.6-FP8', '7xa100-80gb-sxm', 3, 5],
    // 106 billion in 16 bits are 199 GiB: 99 for each of two.
    ['zai-org/GLM-4.5-Air', '3xa100-80gb-sxm', 1, 3],
  ])('%s on %s fits so', async (model, gpu, concurrency, least) => {
    const {best} = await ask({model, gpu, workload: {inputTokens: 1024, outputTokens: 512, concurrency}})
    expect(best.verdict).toBe('fits')
    const {tp, pp, dp} = best.deployment
    expect(tp * pp * dp).toBeGreaterThanOrEqual(least)
    // By stages alone every card takes part.
    const staged = await ask({model, gpu, pp: Number(gpu[0]), workload: {inputTokens: 1024, outputTokens: 512, concurrency}})
    expect(staged.best.verdict).toBe('fits')
  })
  it('never fit one user less well than several', async () => {
    for (const engine of ['vllm', 'sglang', 'trtllm'])
      for (const gpu of ['3xa100-80gb-sxm', '5xh100-sxm', '7xa100-80gb-sxm'])
        for (const model of ['zai-org/GLM-4.5-Air', 'zai-org/GLM-4.6-FP8', 'qwen3-235b-a22b']) {
          // The same build: for one user 8 bits that are only tight come before 4 bits that fit, for more only what holds them all.
          const at = async (concurrency: number) =>
            (await ask({model, gpu, engine, weights: 'fp8', workload: {inputTokens: 1024, outputTokens: 512, concurrency}})).best.verdict
          const [one, seven] = [await at(1), await at(7)]
          if (seven === 'fits') expect(one, `${model} on ${gpu} by ${engine}`).toBe('fits')
        }
  })
  it('split experts only evenly', () => {
    // 1,536 columns: 512 for each of three, 219.4 for each of seven.
    const {architecture, checkpoints} = catalogue.model('glm-4.6')
    const over = (dp: number, ep = 1) => layoutReasons(architecture, checkpoints[0]!, vllmLayout({tp: 1, dp, ep} as never), 1).map(({code}) => code)
    expect(over(3)).toEqual([])
    expect(over(7)).toEqual(['tp-not-divisible'])
    expect(over(7, 7)).toEqual([])
  })
  it('that share experts are not called replicas', async () => {
    const answered = await ask({model: 'qwen3-235b-a22b', gpu: '3xrtx-pro-6000-blackwell-ws', dp: 3, weights: 'fp8'})
    const text = renderCheck(answered, {changes: [], holders: [], fitting: [], next: []}, {columns: 200, colour: false} as never)
    expect(text).toContain('data parallel 3 with the experts shared among all ranks')
    expect(text).not.toContain('replica')
  })
})

describe('one more card', () => {
  const order = ['fits', 'tight', 'too-slow', 'does-not-fit', 'unsupported']
  test.each(
    ['vllm', 'sglang'].flatMap((engine) =>
      [
        ['zai-org/GLM-4.5-Air', 'rtx-4090'],
        ['Qwen/Qwen3-235B-A22B-FP8', 'l40s'],
        ['meta-llama/Llama-3.3-70B-Instruct', 'rtx-3090'],
      ].map(([model, gpu]) => [engine, model!, gpu!] as const),
    ),
  )('costs no verdict and no quarter of the speed: %s, %s on %s', async (engine, model, gpu) => {
    const answers = []
    for (let count = 1; count <= 16; count++)
      answers.push((await ask({model, gpu: `${count}x${gpu}`, engine, workload: {inputTokens: 1024, outputTokens: 512, concurrency: 4}})).best)
    let compared = 0
    for (const [index, best] of answers.slice(1).entries()) {
      const before = answers[index]!
      const words = `${index + 2} cards`
      expect(order.indexOf(best.verdict), words).toBeLessThanOrEqual(order.indexOf(before.verdict))
      if (best.verdict !== before.verdict || !best.performance || !before.performance) continue
      compared += 1
      expect(best.performance.tpotMs.estimate, words).toBeLessThan(1.25 * before.performance.tpotMs.estimate)
    }
    expect(compared).toBeGreaterThanOrEqual(4)
  })
  it('leaves one of several nodes to serve alone where that is better', async () => {
    // SGLang keeps replicas on one node: two of four cards on one, rather than one over two nodes.
    const at = async (gpu: string) =>
      (await ask({model: 'Qwen/Qwen3-235B-A22B-FP8', gpu, engine: 'sglang', workload: {inputTokens: 1024, outputTokens: 512, concurrency: 4}})).best
    expect((await at('16xa100-80gb-sxm')).performance!.tpotMs).toEqual((await at('8xa100-80gb-sxm')).performance!.tpotMs)
  })
})

describe('a layout that is asked for', () => {
  test.each([
    ['deepseek-v2-lite', '6xa100-80gb-sxm', 5],
    ['kimi-k2.5', '8xh200-sxm', 3],
    // 128 heads over 3.
    ['deepseek-v3.2', '8xh200-sxm', 3],
  ])('%s on %s with --tp %i is refused, not replaced', async (model, gpu, tp) => {
    const answered = await ask({model, gpu, tp})
    expect(answered.best.deployment).toMatchObject({tp, dp: 1, dpAttention: false})
    expect(codesOf(answered)).toContain('tp-not-divisible')
  })
  it('is said to be started differently where vLLM has other words for it', async () => {
    const {best} = await ask({model: 'deepseek-v3.2', gpu: '8xh200-sxm', tp: 8, dpAttention: true})
    expect(best.deployment).toMatchObject({tp: 1, dp: 8, dpAttention: true})
    expect(best.warnings.map(({code}) => code)).toContain('attention-ranks')
    const unsized = await ask({model: 'deepseek-v3.2', gpu: '8xh200-sxm', dpAttention: true})
    expect(unsized.best.warnings.map(({code}) => code)).not.toContain('attention-ranks')
  })
})

describe('expert parallelism', () => {
  test.each([{ep: 8}, {ep: 8, tp: 8}, {ep: 8, tp: 1}, {ep: 8, dp: 2}])(
    '%o is refused where a model has no experts, and left out is a way on',
    async (layout) => {
      const answered = await ask({model: 'qwen3-32b', gpu: '8xb200-sxm', ...layout})
      expect(answered.best.verdict).toBe('unsupported')
      expect(codesOf(answered)).toEqual(['no-experts'])
      expect(adviseOn(context, answered, 'qwen3-32b --gpu 8xb200-sxm --ep 8').next).toEqual(['servefit check qwen3-32b --gpu 8xb200-sxm'])
    },
  )
  test.each([
    // Three does not go into eight; two does.
    [{model: 'qwen3-30b-a3b', gpu: '8xb200-sxm', tp: 8, ep: 3, engine: 'trtllm'}, '--ep 2'],
    // Plain replicas of eight on eight cards; attention over the eight.
    [{model: 'deepseek-v3.2', gpu: '8xh200-sxm', tp: 8, dp: 8, engine: 'sglang'}, '--dp-attention'],
  ])('the remedy is what would do: %o', async (scenario, flags) => {
    const answered = await ask(scenario)
    expect(answered.best.verdict).toBe('unsupported')
    expect(answered.best.reasons[0]!.remedy).toContain(flags)
    const {changes} = adviseOn(context, answered, `${scenario.model} --gpu ${scenario.gpu} --tp 8`)
    expect(changes[0]).toMatchObject({kind: 'layout', flags})
  })
})

describe('more cards than NVLink joins', () => {
  test.each([
    // Eight at most on a board: full ones, or boards of four; what makes neither is left out.
    ['16xh100-sxm', 1, 2, 8],
    ['24xmi300x', 1, 3, 8],
    ['12xh100-sxm', 1, 3, 4],
    ['9xb200-sxm', 1, 1, 8],
    ['32xh100-sxm', 2, 8, 8],
    // As many boxes as nodes: those are the nodes that were meant.
    ['16xh100-sxm', 2, 2, 8],
    ['32xh100-sxm', 4, 4, 8],
    // 72 in a rack.
    ['144xgb200', 1, 2, 72],
  ])('%s by %i is %i nodes of %i, and says so', (spec, nodes, nodeCount, size) => {
    const machine = machineFromSpec(catalogue, spec, nodes)
    expect(machine).toMatchObject({nodeCount, gpus: {length: size}, link: {kind: spec.includes('mi300x') ? 'xgmi' : 'nvlink'}})
    expect(machine.networkBytesPerSecondPerGpu).toBe(nodeCount > 1 ? 12.5e9 : undefined)
    expect(machine.notes).toEqual([expect.stringContaining(nodeCount === 1 ? 'one node of 8' : `${nodeCount} nodes of ${size}`)])
  })
  test.each(['8xh100-sxm', '16xrtx-4090', '16xh100-pcie', '4xrtx-3090'])('%s is one machine', (spec) => {
    const machine = machineFromSpec(catalogue, spec)
    expect(machine).toMatchObject({nodeCount: 1, gpus: {length: Number.parseInt(spec, 10)}})
    expect(machine.notes).toBeUndefined()
  })
  it('a machine that is given for a GPU is told from one', () => {
    expect(() => machineFromSpec(catalogue, 'p5.48xlarge')).toThrow('No GPU named "p5.48xlarge" in the catalogue, but a machine goes by such a name')
  })
  it('are one machine where PCIe is said to join them', () => {
    expect(machineFromSpec(catalogue, '16xh100-sxm', 1, 'pcie')).toMatchObject({nodeCount: 1, gpus: {length: 16}, link: {kind: 'pcie-host'}})
    expect(machineFromSpec(catalogue, '16xh100-sxm', 1, 'nvlink')).toMatchObject({nodeCount: 2, gpus: {length: 8}, link: {kind: 'nvlink'}})
  })
  it('serve one user as quickly as one box does', async () => {
    const [eight, nine, sixteen] = await Promise.all(['8xb200-sxm', '9xb200-sxm', '16xb200-sxm'].map((gpu) => ask({model: 'qwen3-32b', gpu})))
    for (const more of [nine!, sixteen!]) {
      expect(more.best.performance!.tpotMs).toEqual(eight!.best.performance!.tpotMs)
      expect(more.best.warnings.map(({code}) => code)).toContain('machine-assumed')
    }
    const idle = sixteen!.best.warnings.find(({code}) => code === 'gpus-idle')!.message
    // Two replicas serve one user as one does: a gain is not told by the same number twice.
    expect(idle).toMatch(/^8 of 16 GPUs are idle.*be no faster in total at this load$/)
  })
})

describe('unequal cards', () => {
  const groupsOf = (spec: string) =>
    servingGroups(machineFromSpec(catalogue, spec)).map(({gpus}) =>
      gpus
        .map(({accelerator}) => accelerator.id)
        .sort()
        .join(' '),
    )
  it('serve in powers of two across kinds, where no kind has as many alone', () => {
    expect(groupsOf('2xrtx-5090,3xrtx-3090')).toContain('rtx-3090 rtx-3090 rtx-5090 rtx-5090')
    // Two of the smaller are as good as one of each.
    expect(groupsOf('1xrtx-5090,2xrtx-3090')).toEqual(['rtx-3090 rtx-3090 rtx-5090', 'rtx-3090 rtx-3090', 'rtx-5090'])
  })
  it('are joined at the rate of the slower one, whichever is named first', () => {
    // PCIe 5 x16 of one, PCIe 4 x16 of the other.
    for (const spec of ['1xrtx-5090,1xrtx-3090', '1xrtx-3090,1xrtx-5090'])
      expect(machineFromSpec(catalogue, spec).link).toEqual({kind: 'pcie-host', bytesPerSecondPerDirection: 31.5e9})
  })
  it('serve alone where both together gain nothing', async () => {
    const {best} = await ask({model: 'llama-3.3-70b', gpu: '1xrtx-pro-6000-blackwell-ws,1xa40', weights: 'fp8'})
    expect(best.machine.gpus.map(({accelerator}) => accelerator.id)).toEqual(['rtx-pro-6000-blackwell-ws'])
    const idle = best.warnings.find(({code}) => code === 'gpus-idle')!.message
    expect(idle).not.toMatch(/(\S+ tok\/s) instead of \1/)
  })
  it('that do not serve together are told with why, and with what they would do', async () => {
    const idle = async (scenario: Scenario) => (await ask(scenario)).best.warnings.find(({code}) => code === 'gpus-idle')?.message
    const makers = await idle({model: 'qwen3-32b', gpu: '1xh100-sxm,1xmi300x'})
    expect(makers).toContain('vLLM does not share a model among cards of different makers')
    // Whichever of the two does not serve could serve beside the other.
    const [card] = ['1xh100-sxm', '1xmi300x'].filter((gpu) => makers!.includes(gpu === '1xh100-sxm' ? 'server on H100' : 'server on Instinct MI300X'))
    const {performance, deployment} = (await ask({model: 'qwen3-32b', gpu: card, weights: 'fp8-block'})).best
    const [, speed, context] = /a second server on [^(]+ could run beside this one \(([\d.]+) tok\/s, ([\d,]+) tokens of context\)/.exec(makers!)!
    expect(Number(speed)).toBeCloseTo(performance!.outputTokensPerSecond.estimate, 1)
    expect(context).toBe(deployment.maxModelLen.toLocaleString('en'))
    // Refused on one card too: of the other one something is to be said all the same.
    expect(await idle({model: 'Qwen/Qwen3-32B', gpu: '1xrtx-4090,1xrtx-3090', engine: 'trtllm'})).toMatch(
      /left out: over all cards together it is not supported: TensorRT-LLM is not known to run one model over unequal cards/,
    )
  })
})
