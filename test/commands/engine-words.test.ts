import {mkdtempSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {normalisedArgv, partedArgv} from '../../src/cli/argv.ts'
import type {Result} from '../../src/planner/answer/index.ts'
import {type CommandReport, inEngineWords} from '../../src/planner/words/index.ts'
import {servefit} from './spawn.ts'

const folder = mkdtempSync(join(tmpdir(), 'servefit-words-'))
const file = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
/** Any of the documents: a test looks at the one that it asked for. */
type Answered = Result & {command: CommandReport; error: {code: string; suggestions?: string[]}; rows: {weights: string}[]}

const json = (args: string[]) => {
  const {code, stdout} = servefit(args)
  return {code, ...(JSON.parse(stdout) as Answered)}
}

describe('words of a command line', () => {
  it('names of flags take underscores, values and an engine’s own words keep theirs', () => {
    expect(normalisedArgv(['check', 'my_model', '--max_model_len', 'a_b', '--kv_cache=x_y'])).toEqual([
      'check',
      'my_model',
      '--max-model-len',
      'a_b',
      '--kv-cache=x_y',
    ])
    expect(normalisedArgv(['config', '--set', '--max_batch_size=4'])).toEqual(['config', '--set', '--max_batch_size=4'])
    expect(normalisedArgv(['check', '--', 'trtllm-serve', 'm', '--tp_size', '2'])).toEqual(['check', '--', 'trtllm-serve', 'm', '--tp_size', '2'])
  })

  it('a --json that ends an engine’s command is ours', () => {
    expect(normalisedArgv(['check', '--', 'vllm', 'serve', 'm', '--json'])).toEqual(['check', '--json', '--', 'vllm', 'serve', 'm'])
    expect(partedArgv(['--gpu', 'x', '--', 'vllm'])).toEqual({own: ['--gpu', 'x'], command: ['vllm']})
  })
})

describe('check -- COMMAND', () => {
  it('accounts for every flag, says what is printed, and hides keys', () => {
    const {code, stdout} = servefit([
      'check',
      '--gpu',
      '2xh100-sxm',
      '--',
      'vllm',
      'serve',
      'Qwen/Qwen3-32B',
      '-tp',
      '2',
      '--port',
      '8001',
      '--api-key',
      'sk-secret',
    ])
    expect(code).toBe(0)
    expect(stdout).toMatch(/Counted\s+-tp 2/)
    expect(stdout).toMatch(/No effect\s+--port \(how the server is reached\)/)
    expect(stdout).toMatch(/Log will say\s+GPU KV cache size: [\d,]+ tokens/)
    expect(stdout).not.toContain('sk-secret')
    // A command to copy stands on one line where nobody watches.
    expect(stdout.split('\n').filter((line) => line.length > 80 && !/^ {2}(?:Next| {4}) {12}servefit /.test(line))).toEqual([])
  })

  it('exits with 2 where the engine would refuse the line, in text and JSON', () => {
    const args = ['check', '--gpu', '1xh100-sxm', '--', 'vllm', 'serve', 'Qwen/Qwen3-8B', '--max-model-lenn', '5']
    const {code, stderr} = servefit(args)
    expect(code).toBe(2)
    expect(stderr).toContain('Did you mean --max-model-len?')
    expect(json([...args, '--json'])).toMatchObject({code: 2, error: {code: 'COMMAND_REFUSED', suggestions: ['--max-model-len']}})
  })

  it('reads a compose file, a script and one text', () => {
    const compose = file(
      'compose.yaml',
      'services:\n  llm:\n    image: vllm/vllm-openai:v0.12.0\n    command: [--model, Qwen/Qwen3-8B, --max-model-len, "4096"]\n',
    )
    const script = file('serve.sh', '#!/bin/sh\nTP=1\nvllm serve Qwen/Qwen3-8B \\\n  -tp $TP --max-model-len 4096\n')
    const text = 'vllm serve Qwen/Qwen3-8B --max-model-len 4096'
    const [a, b, c] = [compose, script, text].map((word) => json(['check', '--gpu', '1xh100-sxm', '--', word, '--json']))
    expect(a!.deployment).toMatchObject({engineVersion: '0.12.0', maxModelLen: 4096})
    expect(b!.memory).toEqual(c!.memory)
    expect(b!.deployment).toEqual(c!.deployment)
  })

  it('takes what stands before it instead, and the model too', () => {
    const result = json([
      'check',
      'qwen3-8b',
      '--gpu',
      '1xh100-sxm',
      '--max-model-len',
      '2048',
      '--',
      'vllm',
      'serve',
      '/models/mine',
      '--max-model-len',
      '4096',
      '--json',
    ])
    expect(result.deployment.maxModelLen).toBe(2048)
    expect(result.command.replaced.map(({field}) => field)).toEqual(['model', 'maxModelLen'])
  })

  it('says in the words of the engine what would do', () => {
    const result = json(['check', '--gpu', '1xrtx-4090', '--', 'vllm', 'serve', 'Qwen/Qwen3-8B', '--json'])
    expect(result.code).toBe(1)
    expect(result.command.change!.flags).toMatch(/^--max-model-len \d+$/)
    expect(inEngineWords('sglang', '--max-model-len 4096')).toBe('--context-length 4096')
    expect(inEngineWords('vllm', '--kv-cache fp8')).toBe('--kv-cache-dtype fp8')
  })

  it('says where -- was forgotten', () => {
    expect(servefit(['check', 'vllm', 'serve', 'Qwen/Qwen3-8B']).stderr).toContain('put -- before it')
  })
})

describe('config', () => {
  it('writes a command again, in another format', () => {
    const {stdout} = servefit([
      'config',
      '--gpu',
      '2xh100-sxm',
      '--',
      'vllm',
      'serve',
      'Qwen/Qwen3-32B',
      '-tp',
      '2',
      '--seed',
      '3',
      '--served-model-name',
      'a',
      'b',
    ])
    expect(stdout).toContain('--seed 3')
    expect(stdout).toContain('--served-model-name a b')
  })

  it('says of options that are set that they are not counted', () => {
    const {stderr} = servefit(['config', 'qwen3-8b', '--gpu', '1xh100-sxm', '--set', 'disable-custom-all-reduce', '--set', 'seed=3'])
    expect(stderr).toContain('--disable-custom-all-reduce: set by hand, and its memory and speed are not counted')
  })
})

describe("the engines' own spellings as flags", () => {
  it('set the same fields', () => {
    const ours = json([
      'check',
      'qwen3-8b',
      '--gpu',
      '2xh100-sxm',
      '--tp',
      '2',
      '--kv-cache',
      'fp8',
      '--max-model-len',
      '8192',
      '--max-num-seqs',
      '64',
      '--gpu-memory-utilization',
      '0.8',
      '--cpu-offload-bytes',
      '2GiB',
      '--no-prefix-caching',
      '--json',
    ])
    const theirs = json([
      'check',
      'qwen3-8b',
      '--gpu',
      '2xh100-sxm',
      '--tensor_parallel_size',
      '2',
      '--kv-cache-dtype',
      'fp8_e4m3',
      '--context-length',
      '8192',
      '--max-running-requests',
      '64',
      '--mem-fraction-static',
      '0.8',
      '--cpu-offload-gb',
      '2',
      '--disable-radix-cache',
      '--json',
    ])
    expect({...theirs.deployment, kvCache: 'fp8'}).toEqual(ours.deployment)
    expect(theirs.memory).toEqual(ours.memory)
  })

  it('say how drafts are made', () => {
    const {deployment} = json([
      'check',
      'qwen3-32b',
      '--gpu',
      '2xh100-sxm',
      '--speculative-config',
      '{"method": "ngram", "num_speculative_tokens": 3}',
      '--json',
    ])
    expect(deployment.speculative).toEqual({method: 'ngram', tokens: 3})
  })

  it('choose a format by its method, and list the right ones for a wrong word', () => {
    expect(json(['check', 'qwen3-32b', '--gpu', '1xrtx-4090', '--quantization', 'awq', '--json']).deployment.weights).toBe('awq-int4')
    expect(servefit(['compare', 'qwen3-32b', '--gpu', '1xh100-sxm', '--weights', 'int5']).stderr).toContain('it has bf16')
    const rows = json(['compare', 'qwen3-32b', '--gpu', '1xh100-sxm', '--weights', 'awq', '--json']).rows
    expect(new Set(rows.map(({weights}) => weights))).toEqual(new Set(['awq-int4']))
  })
})
