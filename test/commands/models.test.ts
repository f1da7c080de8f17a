import {describe, expect, it} from 'vitest'
import {parseParameters} from '../../src/cli/quantities.ts'
import {processorSeconds, servefit} from './spawn.ts'

interface Row {
  id: string
  totalParams: number
  activeParams: number
  contextTokens: number
  licence?: string
  checkpoints: {weights: string}[]
  fit?: {verdict: string; contextTokens: number; weights: string; outputTokensPerSecondPerUser: number; tp: number; pp: number; dp: number}
}

const models = (...args: string[]): Row[] => (JSON.parse(servefit(['models', ...args, '--json']).stdout) as {models: Row[]}).models

describe('models that turn texts into vectors', () => {
  it('are listed where nothing else is asked for, with their own speed', () => {
    const {code, stdout} = servefit(['models', 'embedding', '--fits', '--gpu', 'l4', '--json'])
    const {models} = JSON.parse(stdout) as {models: {id: string; fit: {textsPerSecond?: number; outputTokensPerSecond?: number}}[]}
    expect(code).toBe(0)
    const ids = models.map(({id}) => id)
    expect(ids).toEqual(expect.arrayContaining(['bge-m3', 'qwen3-embedding-8b', 'nomic-embed-text-v1.5']))
    // It writes, though one of its aliases embeds.
    expect(ids).not.toContain('qwen3-vl-8b-instruct')
    for (const {fit} of models) {
      expect(fit.textsPerSecond).toBeGreaterThan(0)
      expect(fit.outputTokensPerSecond).toBeUndefined()
    }
  })

  it('are not among the others', () => {
    const {stdout} = servefit(['models', 'qwen3', '--fits', '--gpu', 'l4', '--limit', '0', '--json'])
    expect((JSON.parse(stdout) as {models: {id: string}[]}).models.map(({id}) => id).filter((id) => /embedding|reranker/.test(id))).toEqual([])
  })

  // By Little's law a text of a closed loop of N users takes about N / (texts a second), once batches are full.
  it('say what a load does to one text', () => {
    const {stdout} = servefit(['check', 'qwen3-embedding-8b', '--gpu', 'rtx-4090', '--users', '32', '--input', '512'])
    const [, texts] = /Throughput\s+([\d.]+) texts\/s/.exec(stdout)!
    const [, seconds] = /Load\s+32 users: each text takes ([\d.]+) s/.exec(stdout)!
    expect((Number(seconds) * Number(texts)) / 32).toBeGreaterThan(0.8)
    expect((Number(seconds) * Number(texts)) / 32).toBeLessThan(1.2)
  })
})

describe('models', () => {
  const all = models()

  it('filters by size, licence, modality, context, family and precision', () => {
    expect(models('--min-params', '30b', '--max-params', '40b').map(({id}) => id)).toEqual(
      all.filter(({totalParams}) => totalParams >= 30e9 && totalParams <= 40e9).map(({id}) => id),
    )
    expect(models('--max-active', '4b').map(({id}) => id)).toEqual(all.filter(({activeParams}) => activeParams <= 4e9).map(({id}) => id))
    expect(models('--licence', 'apache').map(({id}) => id)).toEqual(all.filter(({licence}) => licence?.startsWith('Apache')).map(({id}) => id))
    expect(models('--weights', 'nvfp4').every(({checkpoints}) => checkpoints.some(({weights}) => weights === 'nvfp4'))).toBe(true)
    expect(models('--min-context', '500k').every(({contextTokens}) => contextTokens >= 131_072)).toBe(true)
    const vision = models('--modality', 'vision').map(({id}) => id)
    expect(vision.length).toBeGreaterThan(5)
    expect(vision).not.toContain('qwen3-32b')
    const qwen = models('--family', 'qwen3').map(({id}) => id)
    expect(qwen).toContain('qwen3-32b')
    expect(qwen).not.toContain('llama-3.1-8b-instruct')
    expect(models('--family', 'qwen3', '--max-params', '1m')).toEqual([])
  })

  it('takes sizes as models are named, and refuses the rest', () => {
    expect(['600m', '32B', '1.6t', '7000000000'].map((text) => parseParameters(text, 'max-params'))).toEqual([600e6, 32e9, 1.6e12, 7e9])
    for (const text of ['32', '32g', '-1b', '', 'b']) expect(() => parseParameters(text, 'max-params'), text).toThrow('such as 600m')
  })
})

describe('models --fits', () => {
  it('gives what fits with context and speed, and agrees with check', () => {
    const rows = models('--fits', '--gpu', '1xrtx-4090')
    expect(rows.length).toBeGreaterThan(20)
    for (const {id, fit, contextTokens} of rows) {
      expect(fit!.contextTokens, id).toBeLessThanOrEqual(contextTokens)
      expect(fit!.outputTokensPerSecondPerUser, id).toBeGreaterThan(0)
      expect(['fits', 'tight'], id).toContain(fit!.verdict)
    }
    for (const {id, fit} of [rows[0]!, rows[3]!, rows[10]!, rows[25]!, rows.at(-1)!]) {
      const checked = JSON.parse(servefit(['check', id, '--gpu', '1xrtx-4090', '--json']).stdout)
      expect({verdict: checked.verdict, weights: checked.deployment.weights}, id).toEqual({verdict: fit!.verdict, weights: fit!.weights})
      expect(checked.memory.largestMaxModelLen, id).toBeGreaterThanOrEqual(fit!.contextTokens)
      expect(1000 / checked.performance.tpotMs.estimate, id).toBeCloseTo(fit!.outputTokensPerSecondPerUser, 0)
    }
    expect(rows.map(({id}) => id)).not.toContain('deepseek-v3')
  })

  it('shows the best as text, says that there are more, and gives all where they are asked for', () => {
    const all = models('--fits', '--gpu', '1xrtx-4090').map(({id}) => id)
    const shown = (...args: string[]) => servefit(['models', '--fits', '--gpu', '1xrtx-4090', ...args]).stdout.split('\n')
    const [title, , , ...rows] = shown()
    expect(title).toBe('RTX 4090 (24 GiB): the best 30 of the models that fit (--limit 0: all)')
    expect(all.length).toBeGreaterThan(30)
    expect(rows.filter((row) => row !== '')).toHaveLength(30)
    expect(shown('--limit', '3').filter((row) => row !== '')).toHaveLength(2 + 3)
    expect(shown('--limit', '0').filter((row) => row !== '')).toHaveLength(2 + all.length)
    expect(models('--fits', '--gpu', '1xrtx-4090', '--limit', '5').map(({id}) => id)).toEqual(all.slice(0, 5))
    expect(models('--fits', '--gpu', '1xrtx-4090', '--limit', '40').map(({id}) => id)).toEqual(all.slice(0, 40))
  })

  it('answers as check does for each that it shows', () => {
    for (const {id, fit} of models('--fits', '--gpu', '2xrtx-3090', '--limit', '6')) {
      const {deployment} = JSON.parse(servefit(['check', id, '--gpu', '2xrtx-3090', '--json']).stdout)
      expect({weights: deployment.weights, tp: deployment.tp, dp: deployment.dp}, id).toEqual({weights: fit!.weights, tp: fit!.tp, dp: fit!.dp})
    }
  })

  it('puts what one can wait for before what one cannot', () => {
    const speeds = models('--fits', '--gpu', '8xh200-sxm').map(({fit}) => fit!.outputTokensPerSecondPerUser)
    const firstSlow = speeds.findIndex((speed) => speed < 8)
    expect(firstSlow === -1 || speeds.slice(firstSlow).every((speed) => speed < 8)).toBe(true)
  })

  it('reaches the context that is asked for, in the format that is asked for', () => {
    for (const {fit} of models('--fits', '--gpu', '1xrtx-4090', '--min-context', '64k', '--weights', 'fp8')) {
      expect(fit!.contextTokens).toBeGreaterThanOrEqual(64_000)
      expect(fit!.weights).toMatch(/^fp8/)
    }
  })

  it('is a question with an exit code, and keeps to the terminal', () => {
    const none = servefit(['models', '--fits', '--gpu', '1xrtx-4090', '--min-params', '1t'])
    expect(none).toMatchObject({code: 1, stdout: 'No catalogued model that matches these filters fits RTX 4090 (24 GiB).\n'})
    const {code, stdout} = servefit(['models', '--fits', '--gpu', '1xrtx-4090'], {env: {COLUMNS: '80'}})
    expect(code).toBe(0)
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
  })

  it('judges the whole catalogue in a few times of what a start takes', () => {
    // Processor time, which other programs take nothing of.
    expect(processorSeconds(['models', '--fits', '--gpu', '8xh200-sxm']) / processorSeconds(['gpus', 'rtx-4090'])).toBeLessThan(40)
  })
})
