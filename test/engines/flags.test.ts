import {describe, expect, it} from 'vitest'
import {checkFlag, findFlag, legalChoices} from '../../src/engines/flags.ts'
import {flagTable} from './launch-fixtures.ts'

const vllm = flagTable('vllm')
const sglang = flagTable('sglang')
const trtllm = flagTable('trtllm')

describe('options by version', () => {
  it.each([
    [vllm, '0.28.0', '--tensor-parallel-size', 8],
    [vllm, '0.28.0', '-tp', 8],
    [vllm, '0.28.0', '--tensor_parallel_size', 8],
    [vllm, '0.28.0', '--max-model-len', '32k'],
    [vllm, '0.28.0', '--speculative-config.method', 'mtp'],
    [vllm, '0.28.0', '--speculative-config', '{"method":"mtp"}'],
    [vllm, '0.28.0', '--kv-cache-dtype', 'fp8'],
    [vllm, '0.28.0', '--tool-call-parser', 'one_of_a_plugin'],
    [vllm, '0.12.0', '--task', 'generate'],
    [sglang, '0.5.18', '--tp-size', 8],
    [sglang, '0.5.18', '--enable-dp-attention', true],
    [trtllm, '1.3.0rc24', '--tp_size', 8],
    [trtllm, '0.20.0', '--tp_size', 8],
    [trtllm, '1.3.0rc24', 'kv_cache_config.dtype', 'fp8'],
    [trtllm, '1.3.0rc24', 'cuda_graph_config', null],
    [trtllm, '1.3.0rc24', 'enable_attention_dp', true],
  ] as const)('%#: legal', (table, version, name, value) => {
    expect(checkFlag(table, version, name, value)).toBeUndefined()
  })

  it.each([
    [vllm, '0.28.0', '--tensor-paralel-size', 8, 'flag-unknown', '--tensor-parallel-size'],
    [vllm, '0.27.1', '--task', 'generate', 'flag-gone', undefined],
    [vllm, '0.8.0', '--data-parallel-size', 2, 'flag-too-new', undefined],
    [vllm, '0.28.0', '--tensor-parallel-size', 'two', 'value-illegal', undefined],
    [vllm, '0.28.0', '--kv-cache-dtype', 'fp9', 'value-illegal', 'fp8'],
    [vllm, '0.28.0', '--enforce-eager', 'yes', 'value-illegal', undefined],
    [vllm, '0.28.0', '--speculative-config', '{method', 'value-illegal', undefined],
    [vllm, '0.28.0', '--gpu-memory-utilization', 'half', 'value-illegal', undefined],
    [vllm, '0.28.0', '--served-model-name', true, 'value-illegal', undefined],
    [sglang, '0.5.18', '--mem-fraction', 0.8, 'flag-unknown', '--mem-fraction-static'],
    [sglang, '0.5.11', '--tool-call-parser', 'kimi_k3', 'value-illegal', undefined],
    [trtllm, '0.20.0', '--config', 'x.yaml', 'flag-too-new', '--extra_llm_api_options'],
    [trtllm, '1.3.0rc24', 'kv_cache_config.dtpye', 'fp8', 'flag-unknown', 'kv_cache_config.dtype'],
  ] as const)('%#: %s', (table, version, name, value, code, suggestion) => {
    const problem = checkFlag(table, version, name, value)
    expect(problem?.code).toBe(code)
    if (suggestion !== undefined) expect(problem?.suggestions).toContain(suggestion)
  })

  it.each([
    // vLLM 0.12.0 config/model.py: "replace this option with --runner pooling --convert"; 0.11.2 engine/arg_utils.py: "use --mm-processor-cache-gb 0 instead".
    [vllm, '0.13.0', '--task', '--runner', '--convert'],
    [vllm, '0.13.0', '--disable-mm-preprocessor-cache', '--mm-processor-cache-gb=0', undefined],
    [vllm, '0.10.2', '--enable-reasoning', '--reasoning-parser', '--reasoning-parser alone'],
    [vllm, '0.18.0', '--swap-space', '--kv-offloading-size', 'computes requests again'],
    [vllm, '0.28.0', '--calculate-kv-scales', undefined, 'read from the checkpoint'],
    // SGLang 0.5.4 server_args.py: "--enable-ep-moe is deprecated. Please set --ep-size".
    [sglang, '0.5.23', '--enable-ep-moe', '--ep-size', undefined],
  ] as const)('%#: says what took the place of %s', (table, version, name, instead, words) => {
    const problem = checkFlag(table, version, name, '1')
    expect(problem?.suggestions?.[0]).toBe(instead)
    if (words !== undefined) expect(problem?.message).toContain(words)
  })

  it.each(
    [...vllm.flags.map((row) => [vllm, row] as const), ...sglang.flags.map((row) => [sglang, row] as const)].filter(([, {until, instead}]) => until && instead),
  )('%#: what takes the place of an option is an option of that release', (table, {name, until}) => {
    const [offered] = findFlag(table, table.release!, name).problem?.suggestions ?? []
    expect(until).not.toBe(table.release)
    if (offered !== undefined) expect(findFlag(table, table.release!, /^--[\w-]+/.exec(offered)![0]).problem).toBeUndefined()
  })

  it('does not offer what is gone too', () => {
    // SGLang: --piecewise-cuda-graph-compiler became --cuda-graph-tc-compiler, which was last in 0.5.21.
    expect(findFlag(sglang, '0.5.21', '--piecewise-cuda-graph-compiler').problem?.suggestions).toEqual(['--cuda-graph-tc-compiler'])
    expect(findFlag(sglang, '0.5.23', '--piecewise-cuda-graph-compiler').problem).toEqual({
      code: 'flag-gone',
      message: '--piecewise-cuda-graph-compiler was last in sglang 0.5.19',
    })
  })

  it('does not take prefixes for names, though one engine does: they break when an option is added', () => {
    expect(findFlag(sglang, '0.5.18', '--speculative-algo').problem?.suggestions).toContain('--speculative-algorithm')
  })

  it('offers the choices that a version has', () => {
    const {row} = findFlag(sglang, '0.5.11', '--tool-call-parser')
    expect(legalChoices(row!, '0.5.11')).not.toContain('kimi_k3')
    expect(legalChoices(row!, '0.5.18')).toContain('kimi_k3')
  })
})
