import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {logLines} from '../../src/verify/log-lines.ts'
import {releaseByLines} from '../../src/verify/release-lines.ts'
import {readLog} from '../../src/verify/read-log.ts'

const GIB = 1024 ** 3
const fixture = (name: string) => readFileSync(join(import.meta.dirname, '..', 'fixtures', 'verify', name), 'utf8')
const STARTED = 'INFO: Application startup complete.'
const vllm = (...lines: string[]) => readLog([['INFO 06-02 13:31:44 [api_server.py:1] vLLM API server version 0.22.0', ...lines].join('\n')])

describe('the same log in other clothes', () => {
  const plain = fixture('vllm-0.11.1-qwen3-8b-rtx-4090.log')
    .replaceAll(/\u001B\[[0-9;]*m/g, '')
    .trimEnd()
    .split('\n')
  const time = (index: number) => `2026-05-08T09:31:${String(index % 60).padStart(2, '0')}.123456789Z`
  const half = (line: string) => Math.floor(line.length / 2)
  const WRAPPINGS: Record<string, (line: string, index: number) => string> = {
    'compose prefix': (line) => `vllm-1  | ${line}`,
    ANSI: (line) => line.replace(/^(INFO|WARNING)/, '\u001B[32m$1\u001B[0m').replace(/^(\([^)]*\))/, '\u001B[0;36m$1\u001B[0;0m'),
    journald: (line) => `May 08 09:31:40 gpu-host vllm.sh[3065331]: ${line}`,
    'journald, ISO time': (line) => `2026-05-08T09:31:40+0000 gpu-host vllm@8000[7]: ${line}`,
    'journald, colours as it writes them': (line) => `May 08 09:31:40 gpu-host vllm[7]: #033[0;36m${line}#033[0m`,
    'kubectl with times and prefix': (line, index) => `[pod/vllm-0/server] ${time(index)} ${line}`,
    CRI: (line, index) => `${time(index)} stderr F ${line}`,
    'CRI in pieces': (line, index) => `${time(index)} stderr P ${line.slice(0, half(line))}\n${time(index)} stderr F ${line.slice(half(line))}`,
    'docker JSON': (line, index) => JSON.stringify({log: `\u001B[32m${line}\u001B[0m\n`, stream: 'stderr', time: time(index)}),
    'docker JSON in pieces': (line, index) =>
      [line.slice(0, half(line)), `${line.slice(half(line))}\n`].map((log) => JSON.stringify({log, stream: 'stderr', time: time(index)})).join('\n'),
    'journal as JSON': (line) => JSON.stringify({MESSAGE: line, _PID: '7'}),
    CRLF: (line) => `${line}\r`,
    'compose around docker times': (line, index) => `vllm-1  | ${time(index)} ${line}`,
  }
  const bare = readLog([plain.join('\n')])

  it('says something to begin with', () => {
    expect(bare).toMatchObject({engineVersion: '0.11.1', model: 'Qwen/Qwen3-8B', outcome: 'started', figures: {kvCacheTokens: 39536}})
  })
  for (const [name, wrap] of Object.entries(WRAPPINGS)) it(name, () => expect(readLog([plain.map(wrap).join('\n')])).toEqual(bare))

  it('keeps no floods of empty messages', () => {
    expect(logLines('y\n'.repeat(1_000_000))).toEqual([])
  })
})

describe('a pasted line or two', () => {
  it.each([
    ['INFO 02-11 07:40:45 model_runner.py:1115] Loading model weights took 13.9476 GB'],
    [
      "ValueError: The model's max seq len (131072) is larger than the maximum number of tokens that can be stored in KV cache (81536). Try increasing `gpu_memory_utilization`",
    ],
  ])('%s', (line) => expect(readLog([line]).engine).toBe('vllm'))
})

describe('pools of SGLang', () => {
  // pool_configurator.py: layers with a window have a pool of their own, a part of the other's.
  const lines = [
    '[2026-01-31 13:50:39 TP1] Use sliding window memory pool. full_layer_tokens=375360, swa_layer_tokens=300288',
    '[2026-01-31 13:50:39 TP1] KV Cache is allocated. #tokens: 300288, K size: 8.38 GB, V size: 5.59 GB',
    '[2026-01-31 13:50:40 TP1] KV Cache is allocated. #tokens: 375360, K size: 2.00 GB, V size: 1.00 GB',
  ]
  const GIB = 1024 ** 3

  it('are added up, and the full layers decide', () => {
    expect(readLog([lines.join('\n')]).figures).toEqual({kvCacheTokens: 375360, kvCacheBytes: Math.round((8.38 + 5.59 + 3) * GIB)})
  })

  it('say nothing of their sum where one of them is missing', () => {
    expect(readLog([lines.slice(0, 2).join('\n')]).figures).toEqual({kvCacheTokens: 375360})
  })
})

describe('how a start ended', () => {
  it('does not fail an hour later', () => {
    const report = vllm(
      '(EngineCore pid=2) INFO 06-02 13:32:35 [kv_cache_utils.py:1733] GPU KV cache size: 275,328 tokens',
      STARTED,
      'CUDA Error: out of memory at /workspace/csrc/cumem_allocator.cpp:139',
      '(EngineCore pid=2) ERROR 06-02 14:31:01 [core.py:1365] Invocation of wake_up method failed',
    )
    expect(report).toMatchObject({outcome: 'started', later: {during: 'wake-up', message: expect.stringContaining('out of memory')}})
    expect(report.refusal).toBeUndefined()
    expect(vllm(STARTED, 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.50 GiB.')).toMatchObject({
      outcome: 'started',
      later: {during: 'serving'},
    })
    // Without a word that it came up, the same lines are a start that failed.
    expect(vllm('torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.50 GiB.')).toMatchObject({
      outcome: 'out-of-memory',
      refusal: {neededBytes: 1.5 * GIB},
    })
  })

  it("waits for SGLang's own word: its front end is up before the engine is known to work", () => {
    const lines = [
      '[2026-11-20 08:00:41 TP0] max_total_num_tokens=166700, max_running_requests=2048, context_len=40960, available_gpu_mem=2.86 GB',
      '[2026-11-20 08:00:42] INFO:     Application startup complete.',
      '[2026-11-20 08:00:43 TP0] Scheduler hit an exception: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.',
    ]
    expect(readLog([lines.join('\n')]).outcome).toBe('out-of-memory')
    expect(readLog([[lines[0], '[2026-11-20 08:00:43] The server is fired up and ready to roll!', lines[2]].join('\n')])).toMatchObject({
      outcome: 'started',
      later: {during: 'serving', neededBytes: 2 * GIB},
    })
  })

  it('reads fewer recurrent states than sequences, with both counts', () => {
    expect(
      vllm(
        'ValueError: max_num_seqs (256) exceeds available Mamba cache blocks (174). Each decode sequence requires one Mamba cache block, so CUDA graph capture',
      ),
    ).toMatchObject({outcome: 'kv-too-small', refusal: {maxNumSeqs: 256, availableBlocks: 174}})
  })

  for (const line of [
    'ValueError: No valid attention backend found for cuda with AttentionSelectorConfig(head_size=80). Reasons: {FLASH_ATTN: [head_size not supported]}.',
    'RuntimeError: CUDA error: no kernel image is available for execution on the device',
    'NotImplementedError: No compressed-tensors compatible scheme was found for layer_name=model.layers.0',
    'ValueError: The quantization method fp8 is not supported for the current GPU. Minimum capability: 89. Current capability: 86.',
    "ValueError: type fp8e4nv not supported in this architecture. The supported fp8 dtypes are ('fp8e4b15', 'fp8e5')",
  ])
    it(`reads what is not supported: ${line.slice(0, 60)}`, () => {
      expect(vllm(line)).toMatchObject({outcome: 'unsupported', refusal: {message: line}})
      // Caught on the way: the server came up all the same.
      expect(vllm(line, STARTED).outcome).toBe('started')
    })

  it('takes the last of several starts that came to an end', () => {
    const opening = (maxModelLen: number) => [
      'INFO 06-02 13:31:44 [api_server.py:1] vLLM API server version 0.22.0',
      `INFO 06-02 13:31:45 [utils.py:1] non-default args: {'model': 'Qwen/Qwen3-8B', 'max_model_len': ${maxModelLen}}`,
    ]
    const refused =
      "ValueError: To serve at least one request with the models's max seq len (40960), (5.62 GiB KV cache is needed, which is larger than the available KV cache memory (4.63 GiB)."
    const report = readLog([
      [...opening(40960), refused, ...opening(16384), 'INFO [kv_cache_utils.py:1] GPU KV cache size: 33,712 tokens', STARTED, ...opening(999)].join('\n'),
    ])
    expect(report).toMatchObject({starts: 3, outcome: 'started', settings: {maxModelLen: 16384}, figures: {kvCacheTokens: 33712}})
    // Two nodes of one start print two openings before either ends.
    expect(readLog([[...opening(16384), ...opening(16384), refused].join('\n')])).not.toHaveProperty('starts')
  })
})

describe('a release by where its messages stand', () => {
  const table = {
    messages: [
      {file: 'gpu_worker.py', text: 'Available KV cache memory', lines: {'0.25.0': 538, '0.25.1': 538, '0.26.0': 560}},
      {file: 'core.py', text: 'Initializing a', lines: {'0.25.0': 114, '0.25.1': 114, '0.26.0': 116}},
      {file: 'kv_cache_utils.py', text: 'KV cache size', lines: {'0.25.0': 2146, '0.25.1': 2146, '0.26.0': 2177}},
    ],
  }
  const at = (worker: number, core: number, utils: number) => [
    {file: 'gpu_worker.py', line: worker, text: 'Available KV cache memory: 16.57 GiB'},
    {file: 'core.py', line: core, text: 'Initializing a V1 LLM engine'},
    {file: 'kv_cache_utils.py', line: utils, text: 'GPU KV cache size: 857,331 tokens'},
  ]

  it('is the one that most of them stand nearest to', () => {
    expect(releaseByLines(table, at(538, 114, 2146))).toEqual({release: '0.25.0', seen: 3, nearest: 3, exact: 3})
    // 560 and 116 stand where 0.26.0 has them; 2,150 is 4 from 0.25.0 and 27 from 0.26.0.
    expect(releaseByLines(table, at(560, 116, 2150))).toEqual({release: '0.26.0', seen: 3, nearest: 2, exact: 2})
    expect(releaseByLines(table, at(560, 116, 2150), (release) => release !== '0.26.0')).toMatchObject({release: '0.25.0', exact: 0})
    expect(releaseByLines(table, [{file: 'other.py', line: 1, text: 'KV cache size'}])).toBeUndefined()
  })

  it('is read with or without the folders in front', () => {
    for (const path of ['', 'v1/worker/'])
      expect(vllm(`(EngineCore pid=2) INFO 06-02 13:32:35 [${path}gpu_worker.py:466] Available KV cache memory: 37.81 GiB`).sourceLines).toContainEqual({
        file: 'gpu_worker.py',
        line: 466,
        text: 'Available KV cache memory: 37.81 GiB',
      })
  })
})

describe('what a part of a log says', () => {
  it('takes the length that concurrency was reckoned with', () => {
    expect(
      readLog(['INFO [kv_cache_utils.py:642] Maximum concurrency for 32,768 tokens per request: 2.51x\nINFO [x] GPU KV cache size: 82,128 tokens']),
    ).toMatchObject({
      settings: {maxModelLen: 32768},
      figures: {maxConcurrency: 2.51},
    })
  })

  it('counts the ranks that it shows as the least there are', () => {
    const {seen, settings} = readLog([
      '(VllmWorker TP0 pid=102) INFO 08-07 19:06:31 [gpu_model_runner.py:2537] Graph capturing finished in 9 secs, took 1.21 GiB',
    ])
    expect(seen).toEqual({tp: 1})
    expect(settings).toEqual({})
  })

  it('reads the cache of other devices, and what the log is of', () => {
    expect(readLog(['INFO [kv_cache_utils.py:1148] XPU KV cache size: 51,040 tokens, Maximum concurrency for 8,192 tokens per request: 6.23x'])).toMatchObject({
      device: 'xpu',
      settings: {maxModelLen: 8192},
      figures: {kvCacheTokens: 51040, maxConcurrency: 6.23},
    })
    expect(vllm('INFO [kv_cache_utils.py:1148] GPU + host KV cache size: 51,040 tokens').figures.kvCacheTokens).toBe(51040)
    for (const line of [
      'INFO [__init__.py:216] Automatically detected platform cpu.',
      'INFO [cpu_model_runner.py:60] Starting to load model',
      'INFO [x] CPU KV cache size: 51,040 tokens',
    ])
      expect(vllm(line).device, line).toBe('cpu')
    expect(readLog(["[2026-11-20 08:00:01] server_args=ServerArgs(model_path='Qwen/Qwen3-8B', device='cpu', tp_size=1)"]).device).toBe('cpu')
  })

  it('finds the name of the card in that of the file of tuned kernels', () => {
    for (const [file, name] of [
      ['E=128,N=768,device_name=NVIDIA_H100_80GB_HBM3.json', 'NVIDIA H100 80GB HBM3'],
      [
        'E=128,N=384,device_name=NVIDIA_RTX_PRO_6000_Blackwell_Max-Q_Workstation_Edition,dtype=fp8_w8a8.json',
        'NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition',
      ],
      ['N=2048,K=7168,device_name=AMD_Instinct_MI300X,dtype=fp8_w8a8,block_shape=[128, 128].json', 'AMD Instinct MI300X'],
    ] as const)
      expect(vllm(`WARNING Config file not found at /opt/vllm/configs/${file}`).deviceName).toBe(name)
  })

  it('reads the share of memory where the engine prints it in a sentence', () => {
    const share = (line: string) => vllm(line).settings.gpuMemoryUtilization
    expect(share('INFO [worker.py:267] the current vLLM instance can use total_gpu_memory (79.15GiB) x gpu_memory_utilization (0.70) = 55.09GiB')).toBe(0.7)
    expect(share('INFO [x] Free memory on device (93.87/95.59 GiB) on startup. Desired GPU memory utilization is (0.88, 84.12 GiB).')).toBe(0.88)
    expect(share('ValueError: Free memory on device cuda:0 (27.28/31.86 GiB) on startup is less than desired GPU memory utilization (0.97, 30.9 GiB).')).toBe(
      0.97,
    )
  })

  it("knows the format of SGLang's cache by the type of its tensors where nobody asked for one", () => {
    const format = (asked: string, type: string) =>
      readLog([
        `[2026-08-01 23:37:38] server_args=ServerArgs(model_path='a/b', kv_cache_dtype='${asked}')\n[2026-08-01 23:40:01] KV Cache is allocated. dtype: torch.${type}, #tokens: 148717, K size: 10.21 GB, V size: 10.21 GB`,
      ]).settings.kvCache
    expect([format('auto', 'bfloat16'), format('auto', 'float8_e4m3fn'), format('auto', 'uint8'), format('fp8_e5m2', 'bfloat16')]).toEqual([
      'bf16',
      'fp8',
      undefined,
      'fp8',
    ])
  })

  it("takes what SGLang's weights used from what was free, where it prints no more", () => {
    const text = [
      '[2025-02-04 05:21:40 TP0] Load weight begin. avail mem=22.76 GB',
      '[2025-02-04 05:29:17 TP0] Load weight end. type=Qwen2ForCausalLM, avail mem=8.37 GB',
    ]
    // 22.76 less 8.37.
    expect(readLog([text.join('\n')]).figures.weightsBytes! / GIB).toBeCloseTo(14.39, 6)
  })

  it('tells no quantisation from one that is not told', () => {
    const config = (value: string) =>
      vllm(
        `INFO [core.py:112] Initializing a V1 LLM engine (v0.22.0) with config: model='Qwen/Qwen3-8B', dtype=torch.bfloat16, max_seq_len=8192, quantization=${value}, device_config=cuda`,
      )
    expect(config('None').quantization).toBeNull()
    expect(config('bitsandbytes').quantization).toBe('bitsandbytes')
    expect(vllm(STARTED).quantization).toBeUndefined()
    expect(vllm('INFO [loader.py:1155] Loading weights with BitsAndBytes quantization. May take a while ...').quantization).toBe('bitsandbytes')
    // ServerArgs are printed before SGLang has looked into the checkpoint.
    expect(readLog(["[2026-11-20 08:00:01] server_args=ServerArgs(model_path='Qwen/Qwen3-8B', quantization=None)"]).quantization).toBeUndefined()
  })

  it('knows what only embeds', () => {
    const config = (more: string) =>
      vllm(`INFO [core.py:1] Initializing a V1 LLM engine (v0.22.0) with config: model='Qwen/Qwen3-Embedding-8B', ${more}, max_seq_len=8192`)
    expect(config("pooler_config=PoolerConfig(pooling_type='LAST', normalize=None)").settings.runner).toBe('pooling')
    expect(config('pooler_config=None').settings.runner).toBeUndefined()
    expect(vllm("INFO [api_server.py:1] Supported tasks: ['embed', 'encode']").settings.runner).toBe('pooling')
    expect(vllm("INFO [api_server.py:1] Supported tasks: ['generate']").settings.runner).toBeUndefined()
  })
})
