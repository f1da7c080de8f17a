import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {openCatalogue} from '../../src/catalogue/catalogue.ts'
import type {DeploymentRequest} from '../../src/core/deployment.ts'
import {engineOf as openEngine, type Context} from '../../src/planner/world/context.ts'
import {machineFromSpec} from '../../src/planner/world/machines.ts'
import {answer} from '../../src/planner/answer/answer.ts'
import type {Scenario} from '../../src/planner/scenario/scenario.ts'

const catalogue = openCatalogue(join(import.meta.dirname, '..', '..', 'dist', 'data'))
const nobody = () => Promise.reject(new Error('not asked here'))
const context: Context = {catalogue, engines: new Map(), detect: nobody, readMachine: nobody, readModel: nobody}

/** Refusals of a layout on eight H200 a node, as code and remedy. */
function refusals(engineId: string, id: string, request: DeploymentRequest, nodes = 1) {
  const engine = openEngine(context, engineId)
  const model = catalogue.model(id)
  const machine = machineFromSpec(catalogue, '8xh200-sxm', nodes)
  const subject = {model, checkpoint: model.checkpoints[0]!, machine, gpu: machine.gpus[0]!}
  return engine.support(subject, engine.resolve(subject, request)).reasons.map(({code, remedy}) => `${code}: ${remedy}`)
}

// Qwen3-235B-A22B has 128 experts.
describe('expert parallelism', () => {
  // TensorRT-LLM, mapping.py: moe_tp_size x moe_ep_size = tp_size. SGLang, parallel_state.py: moe_tp_size = tp // ep.
  it.each(['trtllm', 'sglang'])('%s: groups inside the tensor-parallel ranks', (engine) => {
    const asked = (tp: number, ep: number) => refusals(engine, 'qwen3-235b-a22b', {tp, ep})
    expect(asked(4, 8)).toEqual(['ep-not-divisible: use --ep 4, or --tp 8'])
    expect(asked(8, 3)).toEqual(['ep-not-divisible: use --ep 2'])
    expect(asked(4, 2)).toEqual([])
    expect(asked(8, 8)).toEqual([])
  })

  // SGLang, fused_moe_triton/layer.py: "assert num_experts % self.moe_ep_size == 0"; TensorRT-LLM, mapping.py ep_experts: experts // ep each.
  it.each(['trtllm', 'sglang'])('%s: as many experts on each', (engine) => {
    expect(refusals(engine, 'qwen3-235b-a22b', {tp: 6, ep: 6})).toContain('ep-not-divisible: use --ep 2')
    expect(refusals(engine, 'qwen3-235b-a22b', {tp: 6, ep: 2}).filter((reason) => reason.startsWith('ep'))).toEqual([])
  })

  // vLLM, fused_moe/layer.py determine_expert_map: the remainder goes to some ranks.
  it('vLLM deals 128 experts out to 6 GPUs', () =>
    expect(refusals('vllm', 'qwen3-235b-a22b', {tp: 6, ep: 6}).filter((reason) => reason.startsWith('ep'))).toEqual([]))

  // vLLM, docs/serving/expert_parallel_deployment.md: a switch; EP = TP x DP.
  it('vLLM is told that it is a switch', async () => {
    const warnings = async (scenario: Partial<Scenario>) =>
      (await answer(context, {model: 'qwen3-235b-a22b', gpu: '8xh200-sxm', engine: 'vllm', ...scenario})).best.warnings.filter(
        ({code}) => code === 'expert-parallel-size',
      )
    expect((await warnings({tp: 8, ep: 4})).map(({message}) => message)).toEqual([
      'expert parallelism has no size in vLLM, it is on or off: experts are spread over all 8 GPUs, not over 4',
    ])
    expect(await warnings({tp: 8, ep: 8})).toEqual([])
    expect(await warnings({tp: 8})).toEqual([])
  })
})

describe('attention data parallelism', () => {
  // server_args.py: "assert self.tp_size % self.dp_size == 0".
  it('SGLang: divides the tensor-parallel ranks', () => {
    const asked = (tp: number, dp?: number) => refusals('sglang', 'qwen3-235b-a22b', {tp, dp, dpAttention: true})
    expect(asked(8, 3)).toEqual(['dp-not-divisible: use --dp 2'])
    expect(asked(4, 8)).toEqual(['dp-not-divisible: use --dp 4'])
    expect(asked(8, 4)).toEqual([])
    expect(asked(8)).toEqual([])
  })

  // server_args.py _handle_data_parallelism: with dp_size 1 it is switched off.
  it('SGLang: none on one rank', () => {
    const engine = openEngine(context, 'sglang')
    const model = catalogue.model('qwen3-8b')
    const machine = machineFromSpec(catalogue, '1xh200-sxm')
    const {dp, dpAttention} = engine.resolve({model, checkpoint: model.checkpoints[0]!, machine, gpu: machine.gpus[0]!}, {tp: 1, dpAttention: true})
    expect({dp, dpAttention}).toEqual({dp: 1, dpAttention: false})
  })

  // llm_args.py enable_attention_dp: over all ranks.
  it('TensorRT-LLM: over all ranks', () => {
    const asked = (dp: number) => refusals('trtllm', 'qwen3-235b-a22b', {tp: 8, dp, dpAttention: true})
    expect(asked(4)).toEqual(['dp-not-divisible: leave --dp out'])
    expect(asked(8)).toEqual([])
    expect(asked(1)).toEqual([])
  })
})

describe('nodes and stages of SGLang', () => {
  // server_args.py check_server_args: "multi-node data parallel is not supported unless dp attention!"; "(tp_size * pp_size) % nnodes == 0".
  it('replicas stay on one node', () => {
    expect(refusals('sglang', 'qwen3-8b', {tp: 8, dp: 2}, 2)).toEqual(['dp-over-nodes: start one server on each node, or use --dp-attention'])
    expect(refusals('sglang', 'qwen3-8b', {tp: 4, dp: 2}, 2)).toEqual([])
    expect(refusals('sglang', 'deepseek-v3', {tp: 16, dp: 16, dpAttention: true}, 2)).toEqual([])
  })
  it('ranks spread evenly', () => {
    expect(refusals('sglang', 'qwen3-8b', {tp: 1, pp: 9}, 2)).toEqual(['nodes-uneven: use a multiple of 2 GPUs in total'])
    expect(refusals('sglang', 'qwen3-8b', {tp: 1, pp: 12}, 2)).toEqual([])
  })
  // server_args.py: no --pp-size in 0.4.6; from 0.4.10 not with speculative decoding.
  it('stages have come, and do not draft', () => {
    const asked = (engineVersion: string, more: DeploymentRequest = {}) => refusals('sglang', 'llama-3.1-8b', {engineVersion, tp: 1, pp: 2, ...more})
    expect(asked('0.4.6')).toEqual(['engine-too-old: use --engine-version 0.4.6.post2 or later, or --pp 1'])
    expect(asked('0.4.6.post2')).toEqual([])
    expect(asked('0.5.18', {speculative: {method: 'ngram', tokens: 4}})).toEqual(['speculation-unavailable: leave --speculative out, or use --pp 1'])
  })
})

describe('places of a batch under vLLM', () => {
  // config/vllm.py _set_max_num_scheduled_tokens: 8,192 - (16 - 1) x 1,024 is nothing; 15 x 546 = 8,190 leave two.
  it('drafted blocks leave none from 0.17 to 0.27', () => {
    const asked = (engineVersion: string, maxNumSeqs: number) =>
      refusals('vllm', 'qwen3-8b', {
        engineVersion,
        tp: 1,
        maxNumBatchedTokens: 8192,
        maxNumSeqs,
        speculative: {method: 'dflash', tokens: 16, draft: 'z-lab/Qwen3-8B-DFlash-b16'},
      })
    expect(asked('0.26.0', 1024)).toEqual(['batch-too-small: use --max-num-seqs 546, or --max-num-batched-tokens 30720'])
    expect(asked('0.26.0', 546)).toEqual([])
    expect(asked('0.28.0', 1024)).toEqual([])
  })
})
