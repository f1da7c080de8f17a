import * as fc from 'fast-check'
import {parse} from 'yaml'
import {expect, it} from 'vitest'
import type {DeploymentRequest} from '../../../src/core/deployment.ts'
import {answer, isYes} from '../../../src/planner/answer/index.ts'
import {toResult} from '../../../src/planner/answer/result.ts'
import type {Scenario} from '../../../src/planner/scenario/index.ts'
import {answerSpelled, type Documents} from '../../../src/planner/words/index.ts'
import {startableOf} from '../../../src/render/launch/startable-from.ts'
import {writeFormat} from '../../../src/render/launch/formats.ts'
import {plannerContext} from '../../planner/plan-context.ts'

const context = plannerContext()
const documents: Documents = {
  read: () => Promise.reject(new Error('no file here')),
  parse: async (text) => parse(text) as unknown,
  text: () => Promise.reject(new Error('no file here')),
}
const workload = {inputTokens: 512, outputTokens: 128, concurrency: 2}

const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, {nil: undefined, freq: 3})
const common = {
  maxModelLen: maybe(fc.constantFrom(4096, 16_384, 32_768)),
  maxNumSeqs: maybe(fc.constantFrom(8, 64, 200)),
  maxNumBatchedTokens: maybe(fc.constantFrom(2048, 4096, 16_384)),
  enforceEager: maybe(fc.boolean()),
  kvCache: maybe(fc.constantFrom('auto', 'fp8')),
  prefixCaching: maybe(fc.boolean()),
  blockTokens: maybe(fc.constantFrom(32, 64)),
  lora: maybe(fc.constantFrom({count: 2, maxRank: 32}, {count: 4, maxRank: 16, targets: ['q_proj', 'v_proj']})),
  graphs: maybe(fc.constantFrom({maxBatch: 16}, {sizes: [1, 2, 8]})),
  stateFormat: maybe(fc.constantFrom('fp32', 'bf16')),
}
const ENGINES: Record<string, {versions: string[]; fields: fc.Arbitrary<DeploymentRequest>}> = {
  vllm: {
    versions: ['0.11.0', '0.17.0', '0.24.0', '0.28.0'],
    fields: fc.record({
      ...common,
      gpuMemoryUtilization: maybe(fc.constantFrom(0.8, 0.95)),
      cpuOffloadBytes: maybe(fc.constantFrom(2 ** 31, 4 * 2 ** 30)),
      kvCacheBytes: maybe(fc.constantFrom(4 * 2 ** 30, 8 * 2 ** 30)),
      multimodal: maybe(fc.constantFrom({languageOnly: true}, {limits: {image: 1, video: 0}})),
      speculative: maybe(fc.constantFrom({method: 'ngram', tokens: 3})),
    }) as fc.Arbitrary<DeploymentRequest>,
  },
  sglang: {
    versions: ['0.5.3', '0.5.10', '0.5.14', '0.5.18', '0.5.23'],
    fields: fc.record({
      ...common,
      gpuMemoryUtilization: maybe(fc.constantFrom(0.7, 0.85)),
      kvCacheTokens: maybe(fc.constantFrom(40_000)),
      windowPoolRatio: maybe(fc.constantFrom(0.5)),
      statePoolRatio: maybe(fc.constantFrom(1.5)),
      stateSlots: maybe(fc.constantFrom(120)),
      admission: maybe(fc.constantFrom({maxQueuedRequests: 16})),
      speculative: maybe(fc.constantFrom({method: 'ngram', tokens: 4})),
    }) as fc.Arbitrary<DeploymentRequest>,
  },
  trtllm: {
    versions: ['1.0.0', '1.2.0', '1.3.0rc24', '1.4.0rc1'],
    fields: fc.record({
      ...common,
      gpuMemoryUtilization: maybe(fc.constantFrom(0.75, 0.95)),
      kvCacheTokens: maybe(fc.constantFrom(40_000)),
      kvCacheBytes: maybe(fc.constantFrom(8 * 2 ** 30)),
    }) as fc.Arbitrary<DeploymentRequest>,
  },
}
const MODELS = ['Qwen/Qwen3-8B', 'Qwen/Qwen3-32B-AWQ', 'openai/gpt-oss-20b', 'Qwen/Qwen3-30B-A3B', 'google/gemma-3-12b-it', 'Qwen/Qwen3.6-35B-A3B-FP8']
const GPUS = ['1xh100-sxm', '2xa100-80gb-sxm', '2xrtx-4090', '4xl40s']

/** What config writes for an answer. */
const written = (answered: Awaited<ReturnType<typeof answer>>): string =>
  writeFormat('command', startableOf(context.catalogue, answered))
    .map(({text}) => text)
    .join('')

it.each(Object.keys(ENGINES))('what config writes for %s is read back as the same deployment, and written the same again', async (engine) => {
  const {versions, fields} = ENGINES[engine]!
  let started = 0
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...MODELS),
      fc.constantFrom(...GPUS),
      fc.constantFrom(...versions),
      fields,
      fc.constantFrom(undefined, 1, 2),
      async (model, gpu, engineVersion, request, tp) => {
        const given = Object.fromEntries(Object.entries({...request, tp}).filter(([, value]) => value !== undefined))
        const asked = {model, gpu, engine, engineVersion, workload, ...given} as Scenario
        const answered = await answer(context, asked)
        if (!isYes(answered.best)) return
        // TensorRT-LLM has no replicas of its own: its command starts one of them.
        if (engine === 'trtllm' && answered.best.deployment.dp > 1) return
        started++
        const command = written(answered)
        const {answered: again, command: report} = await answerSpelled(
          context,
          {model: '', gpu, engineVersion, workload, command: [command]} as Scenario,
          documents,
        )
        expect(report!.flags.filter(({effect}) => effect === 'wrong')).toEqual([])
        const {replaced: _replaced, ...before} = toResult(answered.best).deployment
        const {engineFlags: _passed, replaced: _none, ...after} = toResult(again.best).deployment
        expect(withoutDefaults(after), command).toEqual(withoutDefaults(before))
        expect(toResult(again.best).memory, command).toEqual(toResult(answered.best).memory)
        expect(written(again)).toBe(command)
      },
    ),
    {numRuns: 120, seed: 7},
  )
  expect(started).toBeGreaterThan(25)
})

/** What asks for nothing is not written: it is the same as being absent. */
function withoutDefaults(deployment: Record<string, unknown> | object): Record<string, unknown> {
  const {prefixCaching, graphs, ...rest} = deployment as Record<string, unknown>
  // SGLang and TensorRT-LLM have a switch for off alone.
  const isOn = prefixCaching === true && rest.engine !== 'vllm'
  // TensorRT-LLM says in one place that there are no graphs, and which.
  const hasGraphs = graphs !== undefined && !(rest.engine === 'trtllm' && rest.enforceEager)
  return {...rest, ...(hasGraphs && {graphs}), ...(prefixCaching !== undefined && !isOn && {prefixCaching})}
}
