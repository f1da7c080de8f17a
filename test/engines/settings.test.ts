import {describe, expect, it} from 'vitest'
import type {Launch} from '../../src/engines/engine.ts'
import {parseSetting, withSettings} from '../../src/engines/launch/settings.ts'
import {flagTable} from './launch-fixtures.ts'

const vllm: Launch = {
  program: ['vllm', 'serve', 'm'],
  environment: [],
  flags: [
    {flag: '--max-num-seqs', value: 256, because: 'computed'},
    {flag: '--enforce-eager', value: true, because: 'computed'},
  ],
}
const trtllm: Launch = {
  program: ['trtllm-serve', 'm'],
  environment: [],
  flags: [],
  file: {flag: '--config', name: 'x.yaml', content: {kv_cache_config: {dtype: 'fp8', tokens_per_block: 64}}, because: {'kv_cache_config.dtype': 'computed'}},
}

const set = (launch: Launch, engine: string, version: string, ...texts: string[]): Launch =>
  withSettings(launch, texts.map(parseSetting), flagTable(engine), version)
const flagsOf = ({flags}: Launch): string[] => flags.map(({flag, value, because}) => `${flag}${value === true ? '' : `=${value}`} (${because})`)

describe('options set by hand', () => {
  it('take the place of what was computed, by any of their names', () => {
    for (const text of ['max-num-seqs=16', '--max-num-seqs=16'])
      expect(flagsOf(set(vllm, 'vllm', '0.28.0', text))).toEqual(['--max-num-seqs=16 (set by hand)', '--enforce-eager (computed)'])
  })

  it('go last where they are new, with every value kept as it was typed', () => {
    expect(flagsOf(set(vllm, 'vllm', '0.28.0', 'served-model-name=a=b c', 'seed=1')).slice(2)).toEqual([
      '--served-model-name=a=b c (set by hand)',
      '--seed=1 (set by hand)',
    ])
  })

  it('turn switches on, off, or into their opposite', () => {
    expect(flagsOf(set(vllm, 'vllm', '0.28.0', 'enforce-eager=false'))).toEqual(['--max-num-seqs=256 (computed)'])
    expect(flagsOf(set(vllm, 'vllm', '0.28.0', 'enable-prefix-caching=false')).at(-1)).toBe('--no-enable-prefix-caching (set by hand)')
    expect(flagsOf(set(vllm, 'vllm', '0.28.0', 'enable-prefix-caching')).at(-1)).toBe('--enable-prefix-caching (set by hand)')
  })

  it("reach the fields of TensorRT-LLM's file, and leave the launch that was given alone", () => {
    const changed = set(trtllm, 'trtllm', '1.3.0rc24', 'kv_cache_config.dtype=auto', 'kv_cache_config.enable_block_reuse=false', 'stream_interval=4')
    expect(changed.file?.content).toEqual({kv_cache_config: {dtype: 'auto', tokens_per_block: 64, enable_block_reuse: false}, stream_interval: 4})
    expect(changed.file?.because['kv_cache_config.dtype']).toBe('set by hand')
    expect(trtllm.file?.content).toEqual({kv_cache_config: {dtype: 'fp8', tokens_per_block: 64}})
  })

  it.each([
    ['vllm', '0.28.0', 'max-num-seq=16', 'SETTING_UNKNOWN', '--max-num-seqs'],
    ['vllm', '0.28.0', 'kv-cache-dtype=fp9', 'SETTING_ILLEGAL', 'fp8'],
    ['vllm', '0.28.0', 'max-num-seqs=many', 'SETTING_ILLEGAL', undefined],
    ['vllm', '0.28.0', 'enforce-eager=maybe', 'SETTING_ILLEGAL', undefined],
    ['vllm', '0.10.0', 'nnodes=2', 'SETTING_UNKNOWN', undefined],
    ['vllm', '0.28.0', 'tensor-parallel-size=4', 'SETTING_PLANNED', undefined],
    ['vllm', '0.28.0', 'tensor_parallel_size=4', 'SETTING_PLANNED', undefined],
    ['sglang', '0.5.18', 'tp-size=4', 'SETTING_PLANNED', undefined],
    ['trtllm', '1.3.0rc24', 'tensor_parallel_size=4', 'SETTING_PLANNED', undefined],
    ['trtllm', '1.3.0rc24', 'kv_cache_config.dtpye=fp8', 'SETTING_UNKNOWN', 'kv_cache_config.dtype'],
    ['vllm', '0.28.0', 'hf-token=hf_x', 'SETTING_SECRET', undefined],
    ['vllm', '0.28.0', 'api-key=x', 'SETTING_SECRET', undefined],
    ['sglang', '0.5.18', 'admin-api-key=x', 'SETTING_SECRET', undefined],
    ['vllm', '0.28.0', '=x', 'SETTING_INVALID', undefined],
    ['vllm', '0.28.0', 'a b=x', 'SETTING_INVALID', undefined],
    ['vllm', '0.28.0', '__proto__.x=1', 'SETTING_UNKNOWN', undefined],
    ['trtllm', '1.3.0rc24', '__proto__.x=1', 'SETTING_UNKNOWN', undefined],
  ])('%s %s: %s is refused', (engine, version, text, code, suggestion) => {
    expect(() => set(engine === 'trtllm' ? trtllm : vllm, engine, version, text)).toThrow(
      expect.objectContaining({code, ...(suggestion !== undefined && {suggestions: expect.arrayContaining([suggestion])})}),
    )
  })
})
