import {describe, expect, it} from 'vitest'
import {servefit} from './spawn.ts'

const lines = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

describe('batch', () => {
  it('answers in order, and one bad line spoils only itself', () => {
    const input = [
      '{"id": "a", "model": "llama-3.1-8b", "gpu": "1xh100-sxm"}',
      'not json',
      '{"id": "c", "model": "no-such-model", "gpu": "1xh100-sxm"}',
      '{"id": "d", "model": "llama-3.1-8b", "gpu": "1xh100-sxm", "tp": -1}',
      '{"id": "e", "model": "llama-3.1-8b", "gpu": "1xh100-sxm", "workload": {"inputTokens": 1000, "outputTokens": 100, "concurrency": 4}}',
      '{"id": "f", "model": "llama-3.1-8b", "gpu": "1xh100-sxm", "workload": {"inputTokens": 1e99, "outputTokens": 100}}',
      '[]',
      '',
      '{"id": "h", "model": "deepseek-v4-pro", "gpu": "1xrtx-5090"}',
    ].join('\n')
    const {code, stdout, stderr} = servefit(['batch', '-'], {input})
    expect(code).toBe(1)
    expect(stderr).toBe('')
    const results = lines(stdout)
    expect(results.map(({id, error, verdict}) => error?.code ?? `${id} ${verdict}`)).toEqual([
      'a fits',
      'JSON_INVALID',
      'MODEL_UNKNOWN',
      'SCENARIO_INVALID',
      'e fits',
      'SCENARIO_INVALID',
      'SCENARIO_INVALID',
      'h does-not-fit',
    ])
    expect(results[3]).toMatchObject({id: 'd', error: {path: 'tp'}})
    expect(results[5].error.path).toBe('workload.inputTokens')
    // A scenario without a workload has no performance; one with it has.
    expect(results[0].performance).toBeUndefined()
    expect(results[4].performance.tpotMs.low).toBeLessThan(results[4].performance.tpotMs.high)
    expect(results[7].performance).toBeUndefined()
  })

  it('exits 0 when no line was an error, whatever the verdicts', () => {
    expect(servefit(['batch', '-'], {input: '{"model": "deepseek-v4-pro", "gpu": "1xrtx-5090"}\n'}).code).toBe(0)
  })

  it('an empty input is no error', () => {
    expect(servefit(['batch', '-'])).toMatchObject({code: 0, stdout: ''})
  })

  it('gives what check gives', () => {
    const check = JSON.parse(servefit(['check', 'gpt-oss-20b', '--gpu', '1xrtx-4090', '--input', '1000', '--output', '200', '--users', '4', '--json']).stdout)
    const [batch] = lines(
      servefit(['batch', '-'], {
        input: '{"model": "gpt-oss-20b", "gpu": "1xrtx-4090", "workload": {"inputTokens": 1000, "outputTokens": 200, "concurrency": 4}}',
      }).stdout,
    )
    expect(batch).toEqual(check)
  })
})
