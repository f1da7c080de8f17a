import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {reachedInWords} from '../../src/planner/answer/limits.ts'
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

  it('keeps quoted names whole, and takes out all of a quoted value', () => {
    // No release is built for the P40, so another card is named; nobody types its name without a blank.
    const refused = servefit(['check', 'mistral 7b', '--gpu', 'tesla p40'])
    expect(refused.code).toBe(1)
    expect(refused.stdout).toMatch(/Next {12}servefit check 'mistral 7b' --gpu 1x[\w-]+\n/)
  })

  it.each([
    // vLLM 0.19.1 is the newest release that is built for compute capability 7.0.
    [['qwen2.5-7b', '--gpu', 'v100'], '--engine-version 0.19.1'],
    // Turing keeps no FP8 cache.
    [['qwen3-8b', '--gpu', '1xrtx-2080-ti-22gb', '--kv-cache', 'fp8'], 'without --kv-cache'],
  ])('of %j is the flag that the refusal names, not other hardware', (args, flags) => {
    const refused = servefit(['check', ...args])
    expect(refused.stdout).toMatch(/^ {2}unsupported/m)
    expect(refused.stdout.replaceAll(/\s+/g, ' ')).toContain(`Would help ${flags}`)
    const ran = servefit(nextOf(refused.stdout))
    expect([ran.stderr, ran.code]).toEqual(['', 0])
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

describe('the next command', () => {
  it('keeps words with spaces whole, those that it replaces among them', () => {
    const refused = servefit(['check', 'qwen3.6 35b', '--gpu', '3060 12gb'])
    expect(refused.code).toBe(1)
    expect(refused.stdout).toMatch(/^ {2}Next +servefit check 'qwen3\.6 35b' --gpu \S+$/m)
    const slow = servefit(['check', 'qwen3 8b', '--gpu', 'RTX 4090', '--request-rate', '50'])
    expect(slow.stdout.replaceAll(/\s+/g, ' ')).toContain("servefit capacity --model 'qwen3 8b' --gpu 'RTX 4090' --request-rate 50")
  })
})

describe('what is promised comes true', () => {
  const changes = (stdout: string) =>
    [
      ...stdout
        .slice(stdout.indexOf('  Would help'), stdout.indexOf('  Next '))
        .replace('Would help', '')
        .matchAll(/(--[a-z-]+ \S+)\s+(fits|tight)(?: as \S+)?,\s+([\d,]+)\s+tokens/g),
    ].map(([, flags, verdict, tokens]) => ({flags: flags!.split(' '), verdict, tokens: Number(tokens!.replaceAll(',', ''))}))

  it.each([
    ['qwen3-8b', '--gpu', '1xrtx-4090', '--engine', 'sglang', '--max-num-batched-tokens', '32768'],
    ['llama-3.3-70b', '--gpu', '8xl4', '--users', '16', '--tp', '3'],
    ['qwen3-14b', '--gpu', '1xrtx-3060-12gb'],
    ['llama-3.3-70b', '--gpu', '2xrtx-3090', '--max-model-len', '32k'],
  ])('%s %s %s', (...args) => {
    const refused = servefit(['check', ...args])
    expect(refused.code, refused.stderr).toBe(1)
    const promised = changes(refused.stdout)
    expect(promised.length).toBeGreaterThan(0)
    for (const {flags, verdict, tokens} of promised) {
      const kept = [...args]
      const at = kept.indexOf(flags[0]!)
      if (at >= 0) kept.splice(at, 2)
      const ran = JSON.parse(servefit(['check', ...kept, ...flags, '--json']).stdout)
      expect({verdict: ran.verdict, tokens: ran.deployment.maxModelLen}, flags.join(' ')).toEqual({verdict, tokens})
    }
  })

  it('keeps the context that was asked for where something else does it', () => {
    const refused = servefit(['check', 'llama-3.3-70b', '--gpu', '2xrtx-3090', '--max-model-len', '32k'])
    expect(nextOf(refused.stdout).join(' ')).toContain('--max-model-len 32000')
    // With the fewer sequences and the larger share that the planner would take, more than the engine's own settings hold.
    expect(refused.stdout).toMatch(/holds one request of 2,\d{3} tokens\s+\(\d\d,\d{3} with\s+--max-num-seqs 32/)
  })

  it('names the nearest size that the machine has, in the reason as in what would do', () => {
    const {stdout} = servefit(['check', 'qwen3-32b', '--gpu', '4xl40s', '--tp', '3'])
    expect(stdout).toContain('use --tp 4')
    expect(nextOf(stdout)).toEqual(['check', 'qwen3-32b', '--gpu', '4xl40s', '--tp', '4'])
    expect(servefit(nextOf(stdout)).code).toBe(0)
  })

  it('a context for requests longer than the model by itself serves', () => {
    const {stdout} = servefit(['check', 'qwen3-8b', '--gpu', 'l4', '--input', '40k', '--output', '2k'])
    expect(stdout).toContain('42,000 are')
    expect(nextOf(stdout)).toContain('42000')
    expect(servefit(nextOf(stdout)).code).toBe(0)
  })

  it('drops a limit on sequences before it turns users away', () => {
    const {stdout} = servefit(['check', 'qwen3-8b', '--gpu', '1xl40s', '--max-num-seqs', '4', '--users', '16', '--slo-ttft-ms', '500'])
    const next = nextOf(stdout)
    expect(next.slice(0, next.indexOf('servefit'))).toEqual(['check', 'qwen3-8b', '--gpu', '1xl40s', '--users', '16', '--slo-ttft-ms', '500'])
  })

  it('no number of machines is proposed where not one user keeps the limit', () => {
    for (const users of ['8', 'max']) {
      const {code, stdout} = servefit(['check', 'qwen3-8b', '--gpu', 'l4', '--users', users, '--slo-ttft-ms', '1'])
      expect(code).toBe(1)
      expect(stdout).not.toContain('servefit capacity')
    }
  })
})

describe('a load that nobody asked about', () => {
  it('is cut to the context that was asked for', () => {
    // Two thirds of 1,000 tokens and a third.
    const {code, stdout} = servefit(['check', 'qwen3-8b', '--gpu', '1xl40s', '--max-model-len', '1000', '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({verdict: 'fits', workload: {inputTokens: 667, outputTokens: 333}})
    const prompt = servefit(['check', 'qwen3-8b', '--gpu', '1xl40s', '--max-model-len', '1000', '--input', '900', '--json'])
    expect(JSON.parse(prompt.stdout).workload).toMatchObject({inputTokens: 900, outputTokens: 100})
  })
  it('but not what was asked', () => {
    const {code, stdout} = servefit(['check', 'qwen3-8b', '--gpu', '1xl40s', '--max-model-len', '1000', '--input', '1024', '--output', '512', '--json'])
    expect(code).toBe(1)
    expect(JSON.parse(stdout).reasons[0].code).toBe('request-exceeds-context')
  })
})

describe('limits', () => {
  it('a percentile needs one', () => {
    const {code, stderr} = servefit(['check', 'qwen3-8b', '--gpu', '1xl40s', '--slo-percentile', '95'])
    expect(code).toBe(2)
    expect(stderr).toContain('--slo-percentile 95 means nothing without a limit')
  })
  it('as many users as they allow, where memory would hold more', () => {
    const ask = (users: string) => JSON.parse(servefit(['check', 'Qwen/Qwen3-8B', '--gpu', '2xl40s', '--users', users, '--slo-tpot-ms', '25', '--json']).stdout)
    const most = ask('max')
    expect(most.verdict).toBe('tight')
    expect(most.performance.tpotMs.estimate).toBeLessThanOrEqual(25)
    // The number is the one that a question with it says yes to, and a tenth more breaks the limit.
    expect(ask(String(most.workload.concurrency)).verdict).toBe('tight')
    expect(ask(String(Math.ceil(1.1 * most.workload.concurrency))).verdict).toBe('too-slow')
  })
  it('a limit on sequences that leaves requests waiting is told', () => {
    const result = JSON.parse(servefit(['check', 'qwen3-8b', '--gpu', '1xl40s', '--max-num-seqs', '4', '--users', '16', '--json']).stdout)
    expect(result.verdict).toBe('tight')
    expect(result.warnings[0]).toMatchObject({
      code: 'concurrency-exceeds-sequences',
      message: expect.stringContaining('--max-num-seqs 4 lets 4 requests run at once'),
    })
  })
  it('what reads like the limit and is beyond it says so', () => {
    expect(reachedInWords({name: 'tpotMs', limit: 20, estimate: 20.3, high: 33})).toBe(
      'time per token just over 20 ms expected, up to 33 ms; the limit is 20 ms',
    )
  })
  it('a share of memory that no scenario may hold is not echoed', () => {
    const args = ['check', 'qwen3-8b', '--gpu', '1xrtx-4090', '--engine', 'sglang', '--max-num-batched-tokens', '32768', '--json']
    expect(JSON.parse(servefit(args).stdout).deployment.gpuMemoryUtilization).toBeUndefined()
  })
})
