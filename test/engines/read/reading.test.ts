import {describe, expect, it} from 'vitest'
import {programOfDocument} from '../../../src/engines/launch/read/compose.ts'
import {engineOfImage, readProgram} from '../../../src/engines/launch/read/program.ts'
import {fieldOf, readCommand} from '../../../src/engines/launch/read/read-command.ts'
import {readShell} from '../../../src/engines/launch/read/shell.ts'
import {wholeNumber} from '../../../src/engines/launch/read/reading.ts'
import {flagTable} from '../launch-fixtures.ts'

const tables = Object.fromEntries(['vllm', 'sglang', 'trtllm'].map((engine) => [engine, flagTable(engine)]))
const read = (text: string, version: string, options: {unsure?: boolean; files?: Record<string, unknown>} = {}) => {
  const program = readProgram([text])
  return readCommand(program, {table: tables[program.engine]!, version, ...options})
}

describe('shell text', () => {
  it('keeps quoted words whole and joins lines', () => {
    const {commands} = readShell("A=1 vllm serve 'a b' \\\n  --x \"c 'd'\" # a remark\n")
    expect(commands).toEqual([{words: ['vllm', 'serve', 'a b', '--x', "c 'd'"], environment: {A: '1'}}])
  })

  it('fills in what the text sets, and names what it does not', () => {
    const {commands, unknown} = readShell('TP=4\nvllm serve m -tp $TP --port ${PORT:-8000} --seed $SEED')
    expect(commands[0]!.words).toEqual(['vllm', 'serve', 'm', '-tp', '4', '--port', '8000', '--seed', '$SEED'])
    expect(unknown).toEqual(['SEED'])
  })

  it('holds exported variables for the lines below, and takes redirections for no words', () => {
    const {commands} = readShell('export VLLM_USE_V1=1\nvllm serve m > log.txt 2>&1 &')
    expect(commands).toEqual([{words: ['vllm', 'serve', 'm'], environment: {VLLM_USE_V1: '1'}}])
  })

  it('reads files of here-documents', () => {
    const {commands, files} = readShell("cat > extra.yml <<'EOF'\na: 1\nEOF\ntrtllm-serve m --config extra.yml")
    expect(files).toEqual({'extra.yml': 'a: 1\n'})
    expect(commands.at(-1)!.words[0]).toBe('trtllm-serve')
  })

  it('ends on text that is cut', () => {
    for (const text of ['vllm serve "m', "vllm serve 'm", 'vllm serve m \\', 'cat > a <<EOF\nb', '$', '${', "$'a"]) expect(() => readShell(text)).not.toThrow()
  })
})

describe('images', () => {
  it.each([
    ['vllm/vllm-openai:v0.11.0', {engine: 'vllm', version: '0.11.0'}],
    ['vllm/vllm-openai:latest', {engine: 'vllm'}],
    ['vllm/vllm-openai:v0.16.0-cu130', {engine: 'vllm', version: '0.16.0'}],
    ['rocm/vllm-dev:nightly', {engine: 'vllm'}],
    ['docker.io/lmsysorg/sglang:v0.5.5.post1-cu129-amd64', {engine: 'sglang', version: '0.5.5.post1'}],
    ['lmsysorg/sglang:v0.5.18-rocm720-mi35x', {engine: 'sglang', version: '0.5.18'}],
    ['nvcr.io/nvidia/tensorrt-llm/release:1.3.0rc18', {engine: 'trtllm', version: '1.3.0rc18'}],
    ['nvcr.io/nvidia/vllm:25.09-py3', {engine: 'vllm'}],
    ['localhost:5000/vllm/vllm-openai:v0.12.0@sha256:abc', {engine: 'vllm', version: '0.12.0'}],
  ])('%s', (image, known) => {
    expect(engineOfImage(image)).toEqual(known)
  })

  it('takes no other image for an engine', () => {
    expect(engineOfImage('ghcr.io/open-webui/open-webui:main')).toBeUndefined()
  })
})

describe('numbers', () => {
  it('are decimal with small letters and binary with large ones, in vLLM alone', () => {
    expect(wholeNumber('32k', true)).toBe(32_000)
    expect(wholeNumber('32K', true)).toBe(32_768)
    expect(wholeNumber('1.5m', true)).toBe(1_500_000)
    expect(wholeNumber('32k', false)).toBeUndefined()
    expect(read('sglang serve --model-path m --context-length 32k', '0.5.18').refused[0]!.message).toContain('a whole number')
  })
})

describe('what the engine itself would refuse', () => {
  it.each([
    ['vllm serve m --tensor-paralel-size 2', '0.28.0', '--tensor-parallel-size'],
    ['vllm serve m --swap-space 4', '0.28.0', '--kv-offloading-size'],
    ['vllm serve m --disable-log-requests', '0.28.0', '--no-enable-log-requests'],
    ['vllm serve m --task embed', '0.28.0', '--runner'],
    ['vllm serve m --mem-fraction-static 0.8', '0.28.0', '--gpu-memory-utilization'],
    ['vllm serve m --kv-cache-dtype fp9', '0.28.0', 'fp8'],
    ['sglang serve --model-path m --max-model-len 8', '0.5.18', '--context-length'],
    ['sglang serve --model-path m --tp_size 2', '0.5.18', '--tp-size'],
    ['trtllm-serve m --tp-size 2', '1.3.0rc24', '--tp_size'],
    ['trtllm-serve m --max-num-tokens 8', '1.3.0rc24', '--max_num_tokens'],
  ])('%s: %s leads to %s', (text, version, meant) => {
    const {refused, flags} = read(text, version)
    expect(refused).toHaveLength(1)
    expect(refused[0]!.suggestions).toContain(meant)
    expect(flags.filter(({effect}) => effect === 'wrong')).toHaveLength(1)
  })

  it('values that are missing, switches with values, words too many', () => {
    expect(read('vllm serve m --max-model-len --port 1', '0.28.0').refused[0]!.message).toContain('expects a value')
    expect(read('vllm serve m --enforce-eager=true', '0.28.0').refused[0]!.message).toContain('takes no value')
    expect(read('vllm serve m other', '0.28.0').refused[0]!.message).toContain('no further arguments: other')
    expect(read('vllm serve m -tp 0', '0.28.0').refused).toHaveLength(1)
    expect(read('vllm serve m --gpu-memory-utilization 1.5', '0.28.0').refused).toHaveLength(1)
    expect(read('vllm serve m -tp $TP', '0.28.0').refused[0]!.message).toContain('variable $TP')
  })

  it('the model as a flag of vllm serve in 0.11.0, not later, and not of the module', () => {
    expect(read('vllm serve --model m', '0.11.0').refused).toHaveLength(1)
    expect(read('vllm serve --model m', '0.14.0')).toMatchObject({refused: [], request: {model: 'm'}})
    expect(read('python3 -m vllm.entrypoints.openai.api_server --model m', '0.11.0')).toMatchObject({refused: [], request: {model: 'm'}})
  })

  it('an option of a release that is not known may be newer: it is told and not refused', () => {
    const {refused, flags} = read('vllm serve m --brand-new 3', '0.28.0', {unsure: true})
    expect(refused).toEqual([])
    expect(flags[0]).toMatchObject({effect: 'wrong', value: '3'})
  })

  it('beginnings of names that several options share', () => {
    expect(read('sglang serve --model-path m --speculative-num 3', '0.5.18').refused[0]!.message).toContain('could be any of')
    expect(read('sglang serve --model-path m --tp 2', '0.5.18').request.tp).toBe(2)
  })

  it("deals out to the ranks of attention what is asked of SGLang's whole server", () => {
    const ranks = {tp: 8, dp: 8, dpAttention: true, maxNumSeqs: 64, maxNumBatchedTokens: 1024}
    const limits = '--max-running-requests 512 --chunked-prefill-size 8192'
    expect(read(`sglang serve --model-path m --tp-size 8 --attn-dp-size 8 ${limits}`, '0.5.23').request).toMatchObject(ranks)
    expect(read(`sglang serve --model-path m --tp-size 8 --dp-size 8 --enable-dp-attention ${limits}`, '0.5.21').request).toMatchObject(ranks)
    expect(read(`sglang serve --model-path m --tp-size 2 --dp-size 8 ${limits}`, '0.5.23').request).toMatchObject({dp: 8, maxNumSeqs: 512})
    expect(read('sglang serve --model-path m --attn-dp-size 8', '0.5.21').refused[0]!.message).toContain('0.5.22')
  })
})

describe('what is accounted for', () => {
  it('the last of a flag that is given twice', () => {
    const {flags, request} = read('vllm serve m -tp 2 --tensor-parallel-size 4', '0.28.0')
    expect(request.tp).toBe(4)
    expect(flags[0]).toMatchObject({effect: 'ignored-here', because: 'given again later, and the last one counts'})
  })

  it('keys are never shown and never passed on', () => {
    const reading = read('HF_TOKEN=hf_secret vllm serve m --api-key sk-secret --port 1', '0.28.0')
    expect(JSON.stringify(reading)).not.toContain('secret')
    expect(reading.passedOn).toEqual({'--port': '1'})
    expect(reading.environment).toEqual([{name: 'HF_TOKEN', effect: 'ignored-here', because: 'how the model is found, and how the server runs'}])
  })

  it('what could move a number and does not is told apart from what cannot', () => {
    const {flags} = read('vllm serve m --moe-backend triton --port 1 --seed 0', '0.28.0')
    expect(flags.map(({flag, uncounted = false}) => [flag, uncounted])).toEqual([
      ['--moe-backend', true],
      ['--port', false],
      ['--seed', false],
    ])
  })

  it('options of a file of vLLM, below those of the line', () => {
    const files = {'c.yaml': {'max-model-len': 4096, 'tensor-parallel-size': 2, 'enforce-eager': true}}
    expect(read('vllm serve m --config c.yaml -tp 4', '0.28.0', {files}).request).toMatchObject({maxModelLen: 4096, tp: 4, enforceEager: true})
  })

  it('fields of a file of TensorRT-LLM that do not exist', () => {
    const {refused} = read('trtllm-serve m --config c.yaml', '1.3.0rc24', {files: {'c.yaml': {kv_cache_config: {free_gpu_memory_fracton: 0.8}}}})
    expect(refused[0]!.suggestions[0]).toBe('kv_cache_config.free_gpu_memory_fraction')
  })
})

describe('fields of options', () => {
  it.each([
    ['vllm', '--max-model-len', '5', 'maxModelLen'],
    ['vllm', '--enable-lora', true, 'lora'],
    ['vllm', '--speculative-config', '{"method":"mtp"}', 'speculative'],
    ['sglang', '--mem-fraction-static', '0.5', 'gpuMemoryUtilization'],
    ['vllm', '--seed', '1', undefined],
  ])('%s %s', (engine, name, value, field) => {
    expect(fieldOf(engine, name, value)).toBe(field)
  })
})

describe('compose files and manifests', () => {
  const compose = {
    services: {
      llm: {image: 'vllm/vllm-openai:v0.12.0', command: '--model ${MODEL:-Qwen/Qwen3-8B} --max-model-len 4096', environment: ['HF_TOKEN=x']},
      other: {image: 'lmsysorg/sglang:v0.5.18', command: ['python3', '-m', 'sglang.launch_server', '--model-path', 'Qwen/Qwen3-4B']},
      web: {image: 'nginx'},
    },
  }

  it('a service is chosen by its name', () => {
    expect(programOfDocument(compose, 'c.yaml', 'llm')).toMatchObject({
      engine: 'vllm',
      version: '0.12.0',
      args: ['--model', 'Qwen/Qwen3-8B', '--max-model-len', '4096'],
    })
    expect(programOfDocument(compose, 'c.yaml', 'other')).toMatchObject({engine: 'sglang', version: '0.5.18', entry: 'sglang-module'})
    expect(() => programOfDocument(compose, 'c.yaml')).toThrow(/starts 2 servers: name one behind the file \(llm, other\)/)
    expect(() => programOfDocument(compose, 'c.yaml', 'web')).toThrow(/no server "web": expected llm, other/)
    expect(() => programOfDocument({services: {web: {image: 'nginx'}}}, 'c.yaml')).toThrow(/starts no vLLM/)
  })

  it('a pod has its command and its arguments apart', () => {
    const pod = {
      spec: {
        template: {spec: {containers: [{name: 'v', image: 'vllm/vllm-openai:v0.16.0', args: ['Qwen/Qwen3-8B', '-tp', '2'], env: [{name: 'A', value: '1'}]}]}},
      },
    }
    expect(programOfDocument([{kind: 'Service'}, pod], 'p.yaml')).toMatchObject({engine: 'vllm', args: ['Qwen/Qwen3-8B', '-tp', '2'], environment: {A: '1'}})
  })
})
