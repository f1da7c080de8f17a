import {execFile, execFileSync, spawn} from 'node:child_process'
import {mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import axe from 'axe-core'
import type {Browser} from 'playwright-core'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {asked, asking, commandOf, fileUrl, hosted, jsonOf, launched, opened, problemOf, root, type Watched} from './browser.ts'

const command = join(root, 'bin', 'run.js')

let browser: Browser
let host: {url: string; close(): void}
let watched: Watched

beforeAll(async () => {
  browser = await launched()
  host = await hosted()
  watched = await opened(browser, host.url)
})

afterAll(async () => {
  await browser?.close()
  host?.close()
})

/** Numbers that look random and are the same in every run (Park and Miller's generator). */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 48_271) % 2_147_483_647
    return state % below
  }
}

const MODELS = [
  'qwen3-32b',
  'llama-3.1-8b-instruct',
  'gpt-oss-120b',
  'deepseek-v3.2',
  'Qwen/Qwen3-32B-AWQ',
  'qwen3.6-35b-a3b',
  'mistral-small-3.2-24b',
  'gemma-3-27b-it',
]
const PLACES = [
  'gpu=1xrtx-4090',
  'gpu=2xrtx-3090',
  'gpu=8xh200-sxm',
  'gpu=4xh100-sxm',
  'gpu=1xgb10',
  'gpu=2xrtx-4090,1xrtx-3090',
  'gpu=2xcard:memory=20GiB,bandwidth=760GB/s,capability=8.6',
  'machine=dgx-h200',
  'gpu=8xmi300x',
]
const LOADS = [
  '',
  'concurrency=1',
  'concurrency=8&input-tokens=2k&output-tokens=500',
  'concurrency=64',
  'request-rate=2.5',
  'concurrency=max',
  'max-model-len=4096&concurrency=2',
]
const OPTIONS = [
  '',
  'engine=sglang',
  'engine=trtllm',
  'kv-cache=fp8',
  'slo-ttft-ms=1000&slo-tpot-ms=40',
  'enforce-eager=yes',
  'gpu-memory-utilization=0.8',
  'engine-version=0.20.0',
  'tp=1',
  'weights=fp8',
]
const VIEWS = ['check', 'check', 'check', 'check', 'check', 'check', 'plan', 'plan', 'compare', 'capacity']

/** Thirty questions over models, machines, loads, settings and views. */
function questions(): string[] {
  const random = randomNumbers(20_261_129)
  const one = (list: readonly string[]) => list[random(list.length)]!
  return Array.from({length: 30}, (_, index) => {
    const view = VIEWS[index % VIEWS.length]!
    const load = view === 'capacity' ? 'concurrency=40' : one(LOADS)
    const option = view === 'check' || view === 'compare' ? one(OPTIONS) : ''
    return [view === 'check' ? '' : `view=${view}`, `model=${one(MODELS)}`, one(PLACES), load, option].filter(Boolean).join('&')
  })
}

/** The command that a link is like. */
function wordsOf(link: string): string {
  const words = [...new URLSearchParams(link)]
  const view = words.find(([name]) => name === 'view')?.[1] ?? 'check'
  const flags = words
    .filter(([name]) => name !== 'view')
    .map(([name, value]) => (value === 'yes' ? `--${name}` : name === 'model' && view !== 'capacity' ? `'${value}'` : `--${name} '${value}'`))
  return `servefit ${view} ${flags.join(' ')}`
}

/** What the command line prints for a command that the page showed. */
function printed(shown: string): Promise<{document: Record<string, unknown>; status: number}> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, ['-e', RUN_WORDS, command, shown], {maxBuffer: 1 << 28}, (error, out) => {
      try {
        resolve({document: JSON.parse(out) as Record<string, unknown>, status: typeof error?.code === 'number' ? error.code : 0})
      } catch (problem) {
        reject(new Error(`${shown}\n${(problem as Error).message}`))
      }
    })
  })
}

/** Runs the words as a shell splits them, without a shell between. */
const RUN_WORDS = `
const {spawnSync} = require('node:child_process')
const [, program, shown] = process.argv
const words = spawnSync('sh', ['-c', 'for word in ' + shown.replace(/^servefit /, '') + '; do printf "%s\\\\0" "$word"; done'], {encoding: 'utf8'}).stdout.split('\\0').slice(0, -1)
const {stdout, status} = spawnSync(process.execPath, [program, ...words, '--json', '--offline', '--no-corrections'], {encoding: 'utf8', maxBuffer: 1 << 28})
process.stdout.write(stdout)
process.exitCode = status
`

describe('the numbers of the page are those of the command line', () => {
  for (const [index, link] of questions().entries())
    it(`${index + 1}: ${link}`, async () => {
      const {page} = watched
      await asked(page, link)
      const problem = await problemOf(page)
      if (problem !== undefined) {
        // Refused alike: there is no answer to show a command beside, so the link says what was asked.
        const refused = await printed(wordsOf(link))
        expect(refused.status).toBe(2)
        expect((refused.document.error as {code: string}).code).toBe(problem)
        return
      }
      const {document, status} = await printed(await commandOf(page))
      const own = await jsonOf(page)
      const expected = link.includes('view=compare') ? (document as {rows: Record<string, unknown>[]}).rows : document
      if (Array.isArray(expected)) {
        // The page adds the words of the quality column to each row.
        const plain = (own as Record<string, unknown>[]).map(({qualityShort: _short, qualityWords: _words, ...row}) => row)
        expect(told(plain)).toEqual(told(expected))
        return
      }
      // The page says of every answer which data it was made from.
      const {dataVersion, ...shown} = own as Record<string, unknown>
      expect(dataVersion).toMatch(/^[0-9a-f]{12}$/)
      const {dataVersion: _version, ...plainly} = expected
      expect(told(shown)).toEqual(told(plainly))
      if ('verdict' in expected) {
        expect(await page.locator('[data-verdict]').getAttribute('data-verdict')).toBe(expected.verdict)
        expect(status).toBe(expected.verdict === 'fits' || expected.verdict === 'tight' ? 0 : 1)
        const {performance} = expected as {performance?: {tpotMs: {estimate: number}}}
        if (performance && !link.includes('max')) expect(await page.locator('.facts').textContent()).toContain(speed(1000 / performance.tpotMs.estimate))
      }
    })
})

/**
 * Numbers to ten digits: the last ones of a power or a logarithm depend on who computes it (ECMA-262, 21.3.2: implementation-approximated), and the
 * browser's engine is another than Node's.
 */
const told = (value: unknown): unknown => JSON.parse(JSON.stringify(value, (_, one: unknown) => (typeof one === 'number' ? Number(one.toPrecision(10)) : one)))

/** Three figures, as people read a speed: 1,234, 56, 7.8. */
const speed = (value: number): string => `${value >= 100 ? Math.round(value).toLocaleString('en-US') : value >= 10 ? value.toFixed(0) : value.toFixed(1)} tok/s`

it('a fleet is weighed against others, with spares and a limit of use, as the command weighs it', async () => {
  const {page} = watched
  await asked(
    page,
    'view=capacity&model=gpt-oss-120b&gpu=1xh100-sxm&concurrency=500&think-seconds=60&spare=1&max-utilisation=0.7&beside=2xrtx-pro-6000;+dgx-spark',
  )
  const shown = await commandOf(page)
  expect(shown).toMatch(/--spare 1 --max-utilisation 0.7 --gpu 2xrtx-pro-6000 --machine dgx-spark$/)
  const {document} = await printed(shown)
  expect((document.options as unknown[]).length).toBe(3)
  expect(told(await jsonOf(page))).toEqual(told(document))
})

describe('what a tool printed is pasted', () => {
  const folder = join(root, 'test', 'fixtures', 'detect')
  const names = readdirSync(folder, {recursive: true, encoding: 'utf8'})
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort()
  const LOAD = {inputTokens: 1024, outputTokens: 512, concurrency: 1}

  it(`each of ${names.length} captured outputs gives what --machine FILE gives`, async () => {
    const scenarios = names.map((name) => JSON.stringify({id: name, model: 'qwen3-8b', machine: join(folder, name), workload: LOAD})).join('\n')
    const place = mkdtempSync(join(tmpdir(), 'servefit-browser-'))
    let lines: string
    try {
      writeFileSync(join(place, 'scenarios.jsonl'), scenarios)
      lines = batchOf(join(place, 'scenarios.jsonl'))
    } finally {
      rmSync(place, {recursive: true, force: true})
    }
    const results = new Map(
      lines
        .trim()
        .split('\n')
        .map((line) => [(JSON.parse(line) as {id: string}).id, JSON.parse(line) as Record<string, unknown>]),
    )
    expect(results.size).toBe(names.length)
    const {page} = watched
    await asked(page, 'model=qwen3-8b&gpu=1xh100-sxm&concurrency=1')
    await page.locator('label', {hasText: /^Paste$/}).click()
    const area = page.locator('textarea[name=pasted]')
    let answered = 0
    for (const name of names) {
      const text = readFileSync(join(folder, name), 'utf8')
      if (text.trim() === '') continue
      await asking(page, () => area.fill(text))
      const expected = results.get(name)!
      const problem = await problemOf(page)
      if ('error' in expected) {
        expect(problem, name).toBe((expected.error as {code: string}).code)
        continue
      }
      expect(problem, name).toBeUndefined()
      const {id: _id, dataVersion: _other, ...result} = expected
      const {dataVersion: _version, ...own} = (await jsonOf(page)) as Record<string, unknown>
      expect(told(own), name).toEqual(told(result))
      answered += 1
    }
    // Most of them tell of GPUs; a log of a processor or a failure does not.
    expect(answered).toBeGreaterThan(30)
  }, 240_000)
})

function batchOf(file: string): string {
  try {
    return execFileSync(process.execPath, [command, 'batch', file], {env: {...process.env, HF_HUB_OFFLINE: '1'}, encoding: 'utf8', maxBuffer: 1 << 28})
  } catch (error) {
    return (error as {stdout: string}).stdout
  }
}

describe('a link shows the same', () => {
  it('after a question that was put together by hand', async () => {
    const {page, faults} = await opened(browser, host.url)
    const model = page.getByRole('combobox', {name: 'Model or repository'})
    await model.click()
    await model.fill('gpt oss 120')
    await asking(page, async () => {
      await model.press('ArrowDown')
      await model.press('Enter')
    })
    expect(await model.inputValue()).toBe('gpt-oss-120b')
    await asking(page, () => page.getByLabel('Number', {exact: true}).fill('4'))
    const card = page.getByRole('combobox', {name: 'Card'})
    await card.click()
    await card.fill('h100 sxm')
    await asking(page, async () => {
      await card.press('ArrowDown')
      await card.press('Enter')
    })
    await asking(page, () => page.getByLabel('Users at once').fill('32'))
    await asking(page, () => page.getByRole('radio', {name: 'compose'}).check({force: true}))
    const address = page.url()
    expect(address).toContain('gpu=4xh100-sxm')
    const again = await opened(browser, address)
    expect(await jsonOf(again.page)).toEqual(await jsonOf(page))
    expect(await again.page.locator('figcaption').first().textContent()).toContain('compose.yaml')
    expect(again.page.url()).toBe(address)
    expect([...faults, ...again.faults]).toEqual([])
    await page.context().close()
    await again.page.context().close()
  })

  it('with a pasted machine in it', async () => {
    const text = readFileSync(join(root, 'test', 'fixtures', 'detect', 'nvidia-q-x-tesla-t4.xml'), 'utf8')
    const {page, faults} = await opened(browser, `${host.url}#model=qwen3-8b`)
    expect(await problemOf(page)).toBe('MACHINE_MISSING')
    await page.locator('label', {hasText: /^Paste$/}).click()
    await asking(page, () => page.locator('textarea[name=pasted]').fill(text))
    const again = await opened(browser, page.url())
    expect(await again.page.locator('textarea[name=pasted]').inputValue()).toBe(text)
    expect(await jsonOf(again.page)).toEqual(await jsonOf(page))
    expect([...faults, ...again.faults]).toEqual([])
    await page.context().close()
    await again.page.context().close()
  })

  it('from a file, without a server', async () => {
    const link = '#model=qwen3-32b&gpu=2xrtx-4090&concurrency=8'
    const [local, served] = [await opened(browser, `${fileUrl}${link}`), await opened(browser, `${host.url}${link}`)]
    expect(await jsonOf(local.page)).toEqual(await jsonOf(served.page))
    expect(local.faults).toEqual([])
    await local.page.context().close()
    await served.page.context().close()
  })
})

describe('advice is a button', () => {
  it('that asks what it advises, and can be taken back', async () => {
    const {page, faults} = await opened(browser, `${host.url}#model=Qwen/Qwen3-32B&gpu=2xrtx-4090`)
    expect(await page.locator('[data-verdict]').getAttribute('data-verdict')).toBe('does-not-fit')
    const before = page.url()
    await asking(page, () => page.locator('.advice .apply').first().click())
    expect(await page.locator('[data-verdict]').getAttribute('data-verdict')).toMatch(/^(fits|tight)$/)
    await asking(page, () => page.goBack())
    expect(page.url()).toBe(before)
    expect(faults).toEqual([])
    await page.context().close()
  })

  it('and a plan can be taken', async () => {
    const {page, faults} = await opened(browser, `${host.url}#view=plan&model=qwen3-32b&gpu=2xrtx-4090`)
    const plan = ((await jsonOf(page)) as {plans: {deployment: {tp: number; kvCache: string; engine: string}; verdict: string}[]}).plans[0]!
    await asking(page, () => page.getByRole('button', {name: 'Take plan 1', exact: true}).click())
    const {deployment} = (await jsonOf(page)) as {deployment: {tp: number; kvCache: string; engine: string}}
    expect(deployment).toMatchObject({tp: plan.deployment.tp, kvCache: plan.deployment.kvCache, engine: plan.deployment.engine})
    expect(faults).toEqual([])
    await page.context().close()
  })
})

describe('a machine without a model', () => {
  it('is told what fits it, as the command tells it, and one of them can be looked at', async () => {
    const {page, faults} = await opened(browser, `${host.url}#view=models&gpu=1xrtx-4090&words=coding&max-model-len=32k&concurrency=2`)
    const shown = await commandOf(page)
    expect(shown).toBe('servefit models coding --fits --gpu 1xrtx-4090 --concurrency 2 --min-context 32k --limit 30')
    const expected = JSON.parse(execFileSync(process.execPath, [command, ...shown.split(' ').slice(1), '--json'], {encoding: 'utf8', maxBuffer: 1 << 28}))
    const own = (await jsonOf(page)) as {models: {id: string; fit: {verdict: string}}[]; dataVersion: string}
    expect(told(own)).toEqual(told(expected))
    expect(own.models.length).toBeGreaterThan(3)
    const [first] = own.models
    await asking(page, () => page.locator('main .apply').first().click())
    expect(await page.locator('[data-verdict]').getAttribute('data-verdict')).toBe(first!.fit.verdict)
    expect(page.url()).toContain(`model=${first!.id}&`)
    expect(faults).toEqual([])
    await page.context().close()
  })

  it('is asked for a model, with a way to find one', async () => {
    const {page, faults} = await opened(browser, `${host.url}#gpu=1xrtx-4090`)
    expect(await problemOf(page)).toBe('MODEL_MISSING')
    await asking(page, () => page.getByRole('button', {name: 'Which models fit this machine?'}).click())
    expect(Number(await page.locator('[data-models]').getAttribute('data-models'))).toBe(30)
    await asking(page, () => page.getByRole('button', {name: 'Show all that fit'}).click())
    expect(Number(await page.locator('[data-models]').getAttribute('data-models'))).toBeGreaterThan(100)
    expect(faults).toEqual([])
    await page.context().close()
  })
})

describe('what a sentence names can be pressed', () => {
  it('a flag with its value is asked with', async () => {
    const {page, faults} = await opened(browser, `${host.url}#view=capacity&model=qwen3-32b&machine=dgx-h100&concurrency=400`)
    const machines = async () => ((await jsonOf(page)) as {options: {periods: {machines: number}[]}[]}).options[0]!.periods[0]!.machines
    const before = await machines()
    await asking(page, () => page.getByRole('button', {name: '--spare 1'}).click())
    expect(await page.locator('input[name=spare]').inputValue()).toBe('1')
    expect(await machines()).toBe(before + 1)
    await asking(page, () => page.getByRole('button', {name: '--slo none'}).click())
    expect(page.url()).toContain('slo=none')
    expect(faults).toEqual([])
    await page.context().close()
  })

  it('one without is shown where it is set', async () => {
    const {page, faults} = await opened(browser, `${host.url}#view=capacity&model=qwen3-32b&machine=dgx-h100&concurrency=400`)
    await page.getByRole('button', {name: '--slo', exact: true}).click()
    expect(await page.evaluate(() => document.activeElement?.getAttribute('name'))).toBe('slo')
    expect(faults).toEqual([])
    await page.context().close()
  })

  it('unequal cards of a pasted text are asked about together', async () => {
    const {page, faults} = await opened(browser, `${host.url}#model=qwen3-32b`)
    await page.locator('label', {hasText: /^Paste$/}).click()
    const text = 'index, name, memory.total [MiB]\n0, NVIDIA GeForce RTX 4090, 24564 MiB\n1, NVIDIA GeForce RTX 3090, 24576 MiB\n'
    await asking(page, () => page.locator('textarea[name=pasted]').fill(text))
    expect(await page.locator('.found').textContent()).toBe('Read: RTX 3090 (24 GiB)')
    await asking(page, () => page.getByRole('button', {name: '--gpu 1xrtx-4090,1xrtx-3090'}).click())
    const {hardware} = (await jsonOf(page)) as {hardware: {cards: {gpu: string; count: number}[]}}
    expect(hardware.cards.map(({gpu, count}) => `${count}x${gpu}`).sort()).toEqual(['1xrtx-3090', '1xrtx-4090'])
    expect(faults).toEqual([])
    await page.context().close()
  })
})

describe('on a phone', () => {
  it('the answer is told while it lies below the question', async () => {
    const {page, faults} = await opened(browser, `${host.url}#model=qwen3-32b&gpu=2xrtx-4090&concurrency=8`, {viewport: {width: 390, height: 844}})
    const peek = page.locator('.peek')
    await peek.waitFor()
    expect(await peek.textContent()).toContain((await page.locator('.headline').textContent()) ?? 'no headline')
    await peek.click()
    await peek.waitFor({state: 'detached'})
    expect(await page.locator('main').evaluate((main) => Math.abs(main.getBoundingClientRect().top) < 100)).toBe(true)
    expect(faults).toEqual([])
    await page.context().close()
  })
})

describe('hostile names stay text', () => {
  const HOSTILE = '<img src=x onerror="window.hit=1">'

  it('from a link', async () => {
    const {page, faults} = await opened(
      browser,
      `${host.url}#model=${encodeURIComponent(HOSTILE)}&gpu=${encodeURIComponent(`1x${HOSTILE}`)}&engine=${encodeURIComponent(HOSTILE)}&format=${encodeURIComponent(HOSTILE)}`,
    )
    expect(await page.locator('main').textContent()).toContain('<img')
    expect(await page.evaluate(() => [document.querySelectorAll('img').length, (window as {hit?: number}).hit])).toEqual([0, undefined])
    expect(faults).toEqual([])
    await page.context().close()
  })

  it('from a pasted text', async () => {
    const {page, faults} = await opened(browser, `${host.url}#model=qwen3-8b`)
    await page.locator('label', {hasText: /^Paste$/}).click()
    const row = `index, name, memory.total [MiB]\n0, NVIDIA ${HOSTILE} \u001b[31m\u202e, 24564 MiB\n`
    await asking(page, () => page.locator('textarea[name=pasted]').fill(row))
    const text = (await page.locator('main').textContent()) ?? ''
    expect(text).toContain('<img')
    // The command and the JSON repeat what is quoted; neither shows a character that acts on a terminal.
    expect(text).not.toMatch(/[\u001b\u202e]/)
    expect(await page.evaluate(() => [document.querySelectorAll('img').length, (window as {hit?: number}).hit])).toEqual([0, undefined])
    expect(faults).toEqual([])
    await page.context().close()
  })
})

interface Violation {
  id: string
  impact?: string | null
  nodes: {target: unknown; failureSummary?: string}[]
}

const LOOKS = [
  {name: 'wide-light', viewport: {width: 1280, height: 900}, colorScheme: 'light'},
  {name: 'wide-dark', viewport: {width: 1280, height: 900}, colorScheme: 'dark'},
  {name: 'phone-light', viewport: {width: 390, height: 844}, colorScheme: 'light'},
  {name: 'phone-dark', viewport: {width: 390, height: 844}, colorScheme: 'dark'},
] as const

describe('everybody can use it', () => {
  const links = [
    'model=qwen3-32b&gpu=2xrtx-4090&concurrency=8&input-tokens=2k&output-tokens=500',
    'model=Qwen/Qwen3-32B&gpu=2xrtx-4090',
    'view=models&gpu=2xrtx-4090',
    'view=plan&model=qwen3-32b&gpu=2xrtx-4090',
    'view=compare&model=qwen3-32b&gpu=2xrtx-4090',
    'view=capacity&model=qwen3-32b&machine=dgx-h100&concurrency=400&growth=5%25/month',
    'model=no-such-model&gpu=2xrtx-4090',
  ]
  for (const {name, viewport, colorScheme} of LOOKS)
    it(`${name}: axe finds nothing serious in any view, and nothing is wider than the screen`, async () => {
      const {page, faults} = await opened(browser, `${host.url}#${links[0]}`, {viewport, colorScheme})
      for (const [index, link] of links.entries()) {
        if (index > 0) await asked(page, link)
        await page.evaluate(() => {
          for (const details of document.querySelectorAll('details')) details.open = true
        })
        await page.evaluate(axe.source)
        const violations = await page.evaluate(async () => {
          const {axe: tool} = window as unknown as {axe: {run(): Promise<{violations: Violation[]}>}}
          return (await tool.run()).violations
        })
        const serious = violations.filter(({impact}) => impact === 'serious' || impact === 'critical')
        expect(
          serious.map(
            ({id, nodes}) =>
              `${link} ${id}: ${nodes
                .map(({target, failureSummary}) => `${target} ${failureSummary}`)
                .slice(0, 3)
                .join('; ')}`,
          ),
        ).toEqual([])
        expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth), link).toBeLessThanOrEqual(0)
      }
      expect(faults).toEqual([])
      // PICTURES=1 renews the pictures of the documentation.
      if (process.env.PICTURES) {
        const fresh = await opened(browser, `${host.url}#${links[0]}`, {viewport, colorScheme})
        await fresh.page.screenshot({path: join(root, 'docs', 'page', `${name}.png`)})
        await fresh.page.context().close()
      }
      await page.context().close()
    })

  it('by the keyboard alone', async () => {
    const {page, faults} = await opened(browser, `${host.url}#${links[0]}`)
    await page.keyboard.press('Tab')
    const reached: string[] = []
    for (let step = 0; step < 40; step++) {
      reached.push(await page.evaluate(() => document.activeElement?.getAttribute('name') ?? document.activeElement?.textContent ?? ''))
      await page.keyboard.press('Tab')
    }
    expect(reached).toEqual(expect.arrayContaining(['Best plan', 'model', 'gpu', 'concurrency', 'input-tokens', 'format', 'copy']))
    expect(faults).toEqual([])
    await page.context().close()
  })
})

describe('servefit web', () => {
  it('serves the page to this computer, behind its path alone', async () => {
    const child = spawn(process.execPath, [command, 'web', '--no-detect'], {stdio: ['ignore', 'pipe', 'ignore']})
    try {
      const url = await new Promise<string>((resolve) => child.stdout.once('data', (line: Buffer) => resolve(line.toString('utf8').trim())))
      const {page, faults} = await opened(browser, `${url}#model=qwen3-32b&gpu=2xrtx-4090`)
      expect(await page.locator('[data-verdict]').getAttribute('data-verdict')).toBe('fits')
      expect(faults).toEqual([])
      await page.context().close()
      expect((await fetch(new URL('/', url))).status).toBe(404)
    } finally {
      child.kill()
    }
  })
})

it('nothing went wrong on the way', () => {
  expect(watched.faults).toEqual([])
})
