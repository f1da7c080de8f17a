import {describe, expect, it} from 'vitest'
import {twoVersions} from '../../src/cli/argv.ts'
import {servefit} from './spawn.ts'

const json = (...args: string[]) => JSON.parse(servefit([...args, '--json']).stdout)

describe('diff --engine-version: what an upgrade changes', () => {
  it('cache and defaults, as check says of both releases', () => {
    const {code, stdout} = servefit(['diff', '--engine-version', '0.5.18', '0.5.23', 'qwen3-8b', '--gpu', '1xrtx-4090', '--engine', 'sglang', '--json'])
    const upgrade = JSON.parse(stdout)
    const before = json('check', 'qwen3-8b', '--gpu', '1xrtx-4090', '--engine', 'sglang', '--engine-version', '0.5.18')
    const after = json('check', upgrade.hfId, '--gpu', '1xrtx-4090', '--engine', 'sglang', '--engine-version', '0.5.23')
    expect(upgrade).toMatchObject({kind: 'upgrade', engine: 'sglang', from: '0.5.18', to: '0.5.23', dataVersion: before.dataVersion})
    const cache = upgrade.figures.find(({key}: {key: string}) => key === 'kvCacheTokens')
    expect([cache.before, cache.after]).toEqual([before.memory.kvCacheTokens, after.memory.kvCacheTokens])
    // SGLang 0.5.20: cards of 20 to 35 GiB have chunks of 4,096 tokens instead of 2,048 (arg_groups/memory_hook.py).
    expect(upgrade.defaults).toContainEqual({name: 'maxNumBatchedTokens', before: 2048, after: 4096})
    expect(upgrade.options.deprecated).toContainEqual({name: '--enable-dp-attention', instead: expect.stringContaining('--attn-dp-size')})
    expect(upgrade.options.came).toContain('--enable-kv-cache-sharding')
    expect(cache.effect).toBe('worse')
    expect(code).toBe(1)
  })

  it('options that are gone, and the same the other way round', () => {
    const upgrade = json('diff', '--engine-version', '0.28.0', '0.33.0', 'qwen3-32b', '--gpu', '2xrtx-4090', '--users', '8')
    // Gone from vLLM 0.30 (vllm/engine/arg_utils.py).
    expect(upgrade.options.gone).toContainEqual({name: '--enable-bf16x3-router-gemm'})
    expect(upgrade.layout).toMatchObject({tp: 2})
    // Held: the checkpoint of the first answer is that of the second.
    expect(upgrade.after.model.hfId).toBe(upgrade.before.model.hfId)
    const back = json('diff', '--engine-version', '0.33.0', '0.28.0', upgrade.hfId, '--gpu', '2xrtx-4090', '--users', '8', '--tp', '2')
    expect(back.options.came).toContain('--enable-bf16x3-router-gemm')
    expect(back.figures.map(({key, before, after}: {key: string; before: unknown; after: unknown}) => [key, after, before])).toEqual(
      expect.arrayContaining(
        upgrade.figures
          .filter(({key}: {key: string}) => key === 'kvCacheTokens')
          .map(({key, before, after}: {key: string; before: unknown; after: unknown}) => [key, before, after]),
      ),
    )
  })

  it('in words, and exits with 0 within the tolerance', () => {
    const {code, stdout} = servefit([
      'diff',
      'qwen3-8b',
      '--engine-version',
      '0.5.18',
      '0.5.23',
      '--gpu',
      '1xrtx-4090',
      '--engine',
      'sglang',
      '--tolerance',
      '90%',
    ])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^Qwen\/Qwen3-8B\S* on RTX 4090 \(24 GiB\), SGLang 0\.5\.18 -> 0\.5\.23$/m)
    expect(stdout).toContain('maxNumBatchedTokens: 2048 -> 4096')
  })

  it('what cannot be asked is wrong input', () => {
    const refused = (...args: string[]) => {
      const {code, stderr} = servefit(['diff', ...args])
      expect(code).toBe(2)
      return stderr
    }
    expect(refused('--engine-version', '0.28.0', 'qwen3-8b', '--gpu', '1xrtx-4090')).toContain('expected two releases')
    expect(refused('--engine-version', '0.28.0', '0.28.0', 'qwen3-8b', '--gpu', '1xrtx-4090')).toContain('expected two releases')
    expect(refused('--engine-version', '0.28.0', '9.9.9', 'qwen3-8b', '--gpu', '1xrtx-4090')).toContain('9.9.9')
    expect(refused('--engine-version', '0.28.0', '0.33.0', '--gpu', '1xrtx-4090')).toContain('Missing MODEL')
    expect(refused('one.json')).toContain('Missing AFTER')
  })

  it('both releases are read behind one flag', () => {
    expect(twoVersions(['--engine-version', '0.28.0', '0.33.0', 'm'])).toEqual(['--engine-version', '0.28.0', '--engine-version', '0.33.0', 'm'])
    expect(twoVersions(['m', '--engine-version=0.28.0', 'v0.33.0'])).toEqual(['m', '--engine-version=0.28.0', '--engine-version', 'v0.33.0'])
    expect(twoVersions(['--engine-version', '0.28.0', 'qwen3-8b'])).toEqual(['--engine-version', '0.28.0', 'qwen3-8b'])
    expect(twoVersions(['a.json', 'b.json'])).toEqual(['a.json', 'b.json'])
  })
})
