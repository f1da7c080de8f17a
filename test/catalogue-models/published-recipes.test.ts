import {expect, it, test} from 'vitest'
import {checkpointBytes} from '../../src/core/weights.ts'
import {catalogued} from './model-files.ts'

/**
 * Which NVFP4 files quantise activations too (W4A4) and which keep 16 bits (W4A16), and what stands beside, by NVIDIA Model Optimizer's
 * modelopt_recipes/published_checkpoints.md, whose pairs of file and recipe are checked against the files' own headers there.
 */
const checkpoint = (id: string, hfId: string) => catalogued(id).checkpoints.find((entry) => entry.hfId === hfId)!

test.each([
  ['qwen3.8-27b', 'nvidia/Qwen3.8-27B-NVFP4', 'nvfp4', undefined], // nvfp4-fp8_attn-kv_none
  ['qwen3.6-27b', 'nvidia/Qwen3.6-27B-NVFP4', 'nvfp4-weight-only', 'fp8'], // w4a16_nvfp4-fp8_attn-kv_fp8_cast
  ['qwen3.6-35b-a3b', 'nvidia/Qwen3.6-35B-A3B-NVFP4', 'nvfp4-weight-only', 'fp8'],
  ['nemotron-3.5-lightning-30b-a3b', 'nvidia/NVIDIA-Nemotron-3.5-Lightning-30B-A3B-NVFP4', 'nvfp4-weight-only', 'fp8'], // w4a16_nvfp4_4o6
  ['nemotron-3-super-120b-a12b', 'nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-NVFP4', 'nvfp4', 'fp8'], // nvfp4-mse
  ['deepseek-v4-flash', 'nvidia/DeepSeek-V4-Flash-NVFP4-W4A16', 'nvfp4-weight-only', undefined],
  ['muse-glimmer-30b', 'nvidia/Muse-Glimmer-30B-NVFP4', 'nvfp4-weight-only', undefined], // w4a16_nvfp4_4o6_mixed
  ['deepseek-r1', 'nvidia/DeepSeek-R1-FP4', 'nvfp4', undefined], // nvfp4_mlp_only-kv_fp16
  ['deepseek-r1-0528', 'nvidia/DeepSeek-R1-0528-FP4-v2', 'nvfp4', 'fp8'], // nvfp4_omlp_only-kv_fp8_cast
])('%s: %s is in %s, its cache in %s', (id, hfId, format, cache) => {
  const {formats, kvCache} = checkpoint(id, hfId)
  expect([formats.default, kvCache]).toEqual([format, cache])
})

// mlp_only leaves attention alone, omlp_only takes its output projection, the rest by each recipe's own list.
test.each([
  ['deepseek-r1-0528', 'nvidia/DeepSeek-R1-0528-FP4', {attention: 'bf16'}],
  ['deepseek-r1-0528', 'nvidia/DeepSeek-R1-0528-FP4-v2', {attention: 'bf16', 'attention.output': 'nvfp4'}],
  ['qwen3-235b-a22b-instruct-2507', 'nvidia/Qwen3-235B-A22B-Instruct-2507-NVFP4', {attention: 'bf16', 'attention.output': 'nvfp4'}],
  [
    'qwen3-next-80b-a3b-instruct',
    'nvidia/Qwen3-Next-80B-A3B-Instruct-NVFP4',
    {linear: 'bf16', 'linear.out': 'nvfp4', attention: 'bf16', 'attention.output': 'nvfp4'},
  ],
  ['mistral-medium-3.5-128b', 'nvidia/Mistral-Medium-3.5-128B-NVFP4', {attention: 'fp8'}],
  ['kimi-k3', 'nvidia/Kimi-K3-NVFP4', {attention: 'fp8-block', linear: 'fp8-block', 'shared-experts': 'bf16'}],
  ['step-3.7-flash', 'stepfun-ai/Step-3.7-Flash-NVFP4', {attention: 'bf16', mlp: 'bf16', 'shared-experts': 'bf16'}],
])('%s: %s keeps its parts as %o', (id, hfId, parts) => {
  expect(checkpoint(id, hfId).formats).toMatchObject(parts)
})

// 21,904,998,400 bytes in the recipe of vLLM 0.33.0.
it('sizes the files of Qwen3.8 27B by its formats to a thousandth', () => {
  const entry = checkpoint('qwen3.8-27b', 'nvidia/Qwen3.8-27B-NVFP4')
  expect(Math.abs(checkpointBytes(catalogued('qwen3.8-27b').architecture, entry) / entry.bytes! - 1)).toBeLessThan(0.001)
})
