import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {servefit} from './spawn.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'servefit-test-'))
  writeFileSync(join(folder, 'binary.json'), Buffer.from([0x7b, 0, 1, 2, 3, 0xff]))
  writeFileSync(join(folder, 'broken.json'), '{"num_hidden_layers": 32, ')
  writeFileSync(join(folder, 'thin.json'), '{"model_type": "llama", "num_hidden_layers": 32}')
  writeFileSync(join(folder, 'machine.json'), '{"gpus": "many"}')
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))

/** Wrong input: the arguments, and what the one message must name. */
const WRONG: {title: string; args: () => string[]; names: RegExp; suggests?: string}[] = [
  {title: 'unknown model', args: () => ['check', 'qwen3-23b', '--gpu', '1xrtx-4090'], names: /"qwen3-23b"/, suggests: 'qwen3-32b'},
  {title: 'unknown repository', args: () => ['check', 'Qwen/Qwen3-32B-AWK', '--gpu', '1xrtx-4090', '--offline'].slice(0, 4), names: /Qwen\/Qwen3-32B-AWK/},
  {title: 'unknown GPU', args: () => ['check', 'qwen3-32b', '--gpu', '2xrtx-4900'], names: /"rtx-4900"/, suggests: 'rtx-4090'},
  {title: 'card by figures without a bandwidth', args: () => ['check', 'qwen3-32b', '--gpu', '2xcard:memory=20GiB'], names: /needs bandwidth/},
  {title: 'unknown slice', args: () => ['check', 'qwen3-32b', '--gpu', 'h100-sxm:2g.21gb'], names: /"2g\.21gb".*2g\.20gb/, suggests: 'h100-sxm:2g.20gb'},
  {title: 'unknown link', args: () => ['check', 'qwen3-32b', '--gpu', '2xrtx-4090', '--link', 'nvlnk'], names: /"nvlnk"/, suggests: 'nvlink'},
  {title: 'link that the cards lack', args: () => ['check', 'qwen3-32b', '--gpu', '2xrtx-4090', '--link', 'nvlink'], names: /RTX 4090 has no NVLink/},
  {title: 'link of a machine', args: () => ['check', 'qwen3-32b', '--machine', 'dgx-h200', '--link', 'p2p'], names: /Link p2p applies to cards/},
  {title: 'unknown machine', args: () => ['check', 'qwen3-32b', '--machine', 'dgx-h20'], names: /"dgx-h20"/, suggests: 'dgx-h200'},
  {title: 'unknown engine', args: () => ['check', 'qwen3-32b', '--gpu', '1xrtx-4090', '--engine', 'vlm'], names: /"vlm"/, suggests: 'vllm'},
  {title: 'unknown weight format', args: () => ['check', 'qwen3-32b', '--gpu', '1xrtx-4090', '--weights', 'awq4'], names: /"awq4"/},
  {title: 'unknown cache format', args: () => ['check', 'qwen3-32b', '--gpu', '1xrtx-4090', '--kv-cache', 'fp9'], names: /"fp9"/, suggests: 'fp8'},
  {title: 'malformed count', args: () => ['check', 'qwen3-32b', '--gpu', 'twoxrtx-4090'], names: /twoxrtx-4090/},
  {title: 'zero GPUs', args: () => ['check', 'qwen3-32b', '--gpu', '0xrtx-4090'], names: /0xrtx-4090/},
  {title: 'negative number', args: () => ['check', 'qwen3-32b', '--gpu', '1xrtx-4090', '--concurrency=-3'], names: /--concurrency -3/},
  {title: 'absurd number', args: () => ['check', 'qwen3-32b', '--gpu', '1xrtx-4090', '--tp', '99999999'], names: /--tp 99999999/},
  {title: 'fraction beyond one', args: () => ['check', 'qwen3-32b', '--gpu', '1xrtx-4090', '--gpu-memory-utilization', '1.5'], names: /1\.5/},
  {title: 'bare GB', args: () => ['check', 'qwen3-32b', '--gpu', '1xrtx-4090', '--cpu-offload-bytes', '8GB'], names: /8GB/},
  {title: 'unknown flag', args: () => ['check', 'qwen3-32b', '--gpuu', '1xrtx-4090'], names: /--gpuu/},
  {title: 'unknown command', args: () => ['chek', 'qwen3-32b'], names: /chek/, suggests: 'check'},
  {title: 'no model', args: () => ['check'], names: /MODEL/},
  {title: 'missing file', args: () => ['check', './nowhere/config.json', '--gpu', '1xrtx-4090'], names: /nowhere\/config\.json/},
  {title: 'binary file', args: () => ['check', join(folder, 'binary.json'), '--gpu', '1xrtx-4090'], names: /binary\.json/},
  {title: 'malformed file', args: () => ['check', join(folder, 'broken.json'), '--gpu', '1xrtx-4090'], names: /broken\.json/},
  {
    title: 'config with missing fields',
    args: () => ['check', join(folder, 'thin.json'), '--gpu', '1xrtx-4090'],
    names: /thin\.json.*(hidden_size|vocab_size|num_attention_heads)/,
  },
  {title: 'machine file of another shape', args: () => ['check', 'qwen3-32b', '--machine', join(folder, 'machine.json')], names: /machine\.json.*gpus/},
  {title: 'batch file that is not there', args: () => ['batch', './nowhere.jsonl'], names: /nowhere\.jsonl/},
  {title: 'unknown schema', args: () => ['schema', 'scenarios'], names: /scenarios/},
]

describe('wrong input gives exit 2 and one clear message', () => {
  for (const {title, args, names, suggests} of WRONG)
    it(title, () => {
      const text = servefit(args())
      expect(text.code, text.stderr + text.stdout).toBe(2)
      expect(text.stdout).toBe('')
      expect(text.stderr).toMatch(names)
      expect(text.stderr).toMatch(/^servefit: /)
      expect(text.stderr).not.toMatch(/\bat .*:\d+:\d+/)
      expect(text.stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(2)
      const json = servefit([...args(), '--json'])
      expect(json.code).toBe(2)
      const {error} = JSON.parse(json.stdout)
      expect(error.message).toMatch(names)
      expect(error.code).toMatch(/^[A-Z_]+$/)
      if (suggests) expect(error.suggestions).toContain(suggests)
    })
})

describe('"does it fit?" sets the exit code, in text and in JSON', () => {
  for (const form of [[], ['--json']]) {
    it(`yes is 0 ${form}`, () => expect(servefit(['check', 'llama-3.1-8b', '--gpu', '1xh100-sxm', ...form]).code).toBe(0))
    it(`no is 1 ${form}`, () => expect(servefit(['check', 'deepseek-v4-pro', '--gpu', '2xrtx-4090', ...form]).code).toBe(1))
    it(`unsupported is 1 ${form}`, () => expect(servefit(['check', 'llama-3.1-8b', '--gpu', '1xapple-m4-pro', ...form]).code).toBe(1))
  }
})

describe('a reader that goes away is no error', () => {
  it('ends quietly when the pipe is closed', () => {
    const {code, stderr} = servefit(['gpus'])
    expect(code).toBe(0)
    expect(stderr).toBe('')
  })
})
