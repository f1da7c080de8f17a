import {afterEach, describe, expect, it, vi} from 'vitest'
import {Assault, printable} from '../../src/build/attack/assault.ts'
import {ACTING, ESCAPES} from '../../src/build/attack/hostile.ts'
import {hostileLine} from '../../src/build/attack/illegal.ts'
import {asked} from '../../src/build/attack/main.ts'
import {randomOf} from '../../src/core/simulator/random.ts'

const SCENARIO = {model: 'qwen3-8b', gpu: '1xh100-sxm', engine: 'vllm'}

afterEach(() => void vi.restoreAllMocks())

describe('npm run attack', () => {
  it('takes a seed, minutes and parts, ten minutes of all where none are given', () => {
    expect(asked(['--seed', '7', '--minutes', '2'])).toMatchObject({seed: 7, minutes: 2})
    expect(asked([])?.minutes).toBe(10)
    expect(asked([])?.parts.map(({name}) => name)).toEqual(['scenarios', 'files', 'hub', 'terminals', 'saves', 'artifacts', 'batch'])
    expect(asked(['--part', 'hub'])?.parts.map(({name}) => name)).toEqual(['hub'])
    for (const wrong of [['--seed', 'x'], ['--seed', '-1'], ['--minutes', '0'], ['--minutes', 'soon'], ['--part', 'constructor'], ['--fast'], ['7']])
      expect(asked(wrong), wrong.join(' ')).toBeUndefined()
  })

  it('asks the same under the same seed, and something else under another', () => {
    const lines = (seed: number) => Array.from({length: 200}, (_, number) => hostileLine(randomOf(seed, number), SCENARIO))
    expect(lines(1)).toEqual(lines(1))
    expect(lines(2)).not.toEqual(lines(1))
    // Most are JSON with something wrong in it; some are none.
    const isJson = (line: string) => {
      try {
        return JSON.parse(line) !== undefined
      } catch {
        return false
      }
    }
    const whole = lines(1).filter(isJson)
    expect(whole.length).toBeGreaterThan(170)
    expect(whole.length).toBeLessThan(200)
    // What is drawn for a field may be what it held.
    expect(whole.filter((line) => line === JSON.stringify(SCENARIO)).length).toBeLessThan(5)
  })

  it('counts every finding, and shows three of a kind by what reproduces them, harmless in a terminal', () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {})
    const assault = new Assault({root: '.', part: 'files', seed: 1, seconds: 60})
    assault.count('read', 2)
    expect(assault.summary()).toMatch(/^files +no finding; 2 read$/)
    for (let number = 0; number < 10; number++) assault.found({what: `${number}.5 s of processor time`, reproduce: `file ${ESCAPES}`})
    assault.found({what: 'another', reproduce: 'x'})
    expect(assault.findings).toBe(11)
    expect(assault.summary()).toMatch(/11 findings of 2 kinds/)
    expect(printed).toHaveBeenCalledTimes(4)
    for (const [text] of printed.mock.calls) expect(String(text)).not.toMatch(ACTING)
  })

  it('writes what acts on a terminal by its number', () => {
    expect(printable('a\u001B[2J\u009B\u202E\uFEFFé\nb')).toBe('a\\u001b[2J\\u009b\\u202e\\ufeffé\nb')
  })
})
