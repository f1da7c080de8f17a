import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {servefit} from './spawn.ts'

const GiB = 1024 ** 3

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'servefit-test-'))
  // Only what a plan needs; 4 GiB are held by others.
  writeFileSync(
    join(folder, 'desktop.json'),
    JSON.stringify({schemaVersion: 1, gpus: [{index: 0, name: 'NVIDIA GeForce RTX 3090', vendor: 'nvidia', memoryBytes: 24 * GiB, freeBytes: 20 * GiB}]}),
  )
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))

/** What the answer says to run next; words wrap at the width of the screen. */
function nextOf(stdout: string): string[] {
  const words = stdout.slice(stdout.lastIndexOf('  Next ')).replace('  Next ', '').trim().split(/\s+/)
  expect(words.shift()).toBe('servefit')
  return words
}

describe('what a refusal says to run', () => {
  it.each([
    ['qwen3-32b', '--gpu', 'rtx-4090', '--weights', 'bf16'],
    ['llama-3.3-70b-instruct', '--gpu', '1xh100-sxm', '--weights', 'fp8', '--max-model-len', '100000', '--engine', 'vllm'],
    ['deepseek-v3.2', '--gpu', '4xh100-sxm'],
    ['kimi-k2', '--gpu', '8xh100-sxm'],
  ])('%s %s %s starts', (...args) => {
    const refused = servefit(['check', ...args])
    expect(refused.code, refused.stderr).toBe(1)
    const next = nextOf(refused.stdout)
    expect(next[0]).toBe('check')
    const ran = servefit(next)
    expect(ran.stderr).toBe('')
    expect(ran.code, next.join(' ')).toBe(0)
  })

  it('replaces the share of memory that was asked for by one that is free', () => {
    const machine = join(folder, 'desktop.json')
    const refused = servefit(['check', 'qwen3-8b', '--machine', machine, '--gpu-memory-utilization', '0.9'])
    expect(refused.code).toBe(1)
    // 20 of the 23.5 to 24 GiB that the runtime sees: between 0.83 and 0.85.
    const next = nextOf(refused.stdout)
    expect(next.filter((word) => word === '--gpu-memory-utilization')).toHaveLength(1)
    expect(Number(next.at(-1))).toBeGreaterThanOrEqual(0.83)
    expect(Number(next.at(-1))).toBeLessThanOrEqual(0.85)
    expect(servefit(next).code).toBe(0)
    // Unasked, the planner takes the share that is free.
    expect(servefit(['check', 'qwen3-8b', '--machine', machine]).code).toBe(0)
  })
})

describe('sparse attention', () => {
  // vLLM: FlashMLA sparse for capabilities 9 and 10, FlashInfer's kernel for 12; nothing for 8.
  const codes = (gpu: string, version: string): string[] => {
    const {stdout} = servefit(['check', 'deepseek-v3.2', '--gpu', gpu, '--engine', 'vllm', '--engine-version', version, '--json'])
    return (JSON.parse(stdout) as {reasons: {code: string}[]}).reasons.map(({code}) => code).filter((code) => code === 'attention-unsupported')
  }
  it.each([
    ['8xa100-80gb-sxm', '0.28.0', true],
    ['8xh100-sxm', '0.28.0', false],
    ['8xb200-sxm', '0.23.0', false],
    ['8xrtx-4090', '0.28.0', true],
    ['8xrtx-pro-6000-blackwell-server', '0.24.0', false],
    ['8xmi300x', '0.28.0', false],
  ])('on %s with %s: refused %s', (gpu, version, refused) => expect(codes(gpu, version)).toEqual(refused ? ['attention-unsupported'] : []))
})

describe('more arrivals than are served', () => {
  const ask = (rate: string) =>
    JSON.parse(
      servefit([
        'check',
        'qwen3-8b',
        '--gpu',
        'rtx-4090',
        '--engine',
        'vllm',
        '--request-rate',
        rate,
        '--input-tokens',
        '1024',
        '--output-tokens',
        '512',
        '--json',
      ]).stdout,
    ) as {verdict: string; reasons: {code: string}[]; performance: {outputTokensPerSecond: {estimate: number}}}
  it('is said when, and only when, the answers fall behind the arrivals', () => {
    const few = ask('0.5')
    expect(few.performance.outputTokensPerSecond.estimate).toBeCloseTo(0.5 * 512, 6)
    expect(few.verdict).toBe('fits')
    const many = ask('50')
    expect(many.performance.outputTokensPerSecond.estimate).toBeLessThan(50 * 512)
    expect(many).toMatchObject({verdict: 'too-slow', reasons: [{code: 'overloaded'}]})
  })
})
