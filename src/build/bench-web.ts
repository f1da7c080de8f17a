import {existsSync, readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {pathToFileURL} from 'node:url'
import {brotliCompressSync, gzipSync} from 'node:zlib'
import type {Page} from 'playwright-core'
import type {Task} from './task.ts'

/** Of the first load, compressed as hosts do it, with the data that every question reads and one model's. */
const MOST_FIRST_BYTES = 400_000
/** From a change to its answer on the screen, in the middle of many. */
const MOST_ANSWER_MS = 100
const CHANGES = 40

const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(0)} kB`
const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!

/** Sizes of the built page, and the times of its answers where there is a browser; exits with 1 when a bound is broken. */
export async function main({root}: Task): Promise<number> {
  const folder = join(root, 'dist', 'web')
  let broken = sizes(folder)
  if (!existsSync(CHROMIUM)) {
    console.log('no Chromium here: times are not measured')
    return broken
  }
  const {chromium} = await import('playwright-core')
  const browser = await chromium.launch({executablePath: CHROMIUM, args: ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run']})
  try {
    const page = await browser.newPage({viewport: {width: 1280, height: 900}})
    const began = performance.now()
    await page.goto(`${pathToFileURL(join(folder, 'index.html')).href}#model=qwen3-32b&gpu=2xrtx-4090&concurrency=1`)
    await page.waitForSelector('main[aria-busy=false]')
    console.log(`first answer      ${(performance.now() - began).toFixed(0).padStart(6)} ms after the page is asked for`)
    for (const [title, link] of QUESTIONS) {
      const times = await changeTimes(page, link)
      const middle = median(times)
      const bound = link.startsWith('view=') ? undefined : MOST_ANSWER_MS
      if (bound !== undefined && middle > bound) broken = 1
      console.log(
        `${title.padEnd(17)} ${middle.toFixed(0).padStart(6)} ms from a change to its answer (median of ${times.length}, slowest ${Math.max(...times).toFixed(0)})${bound === undefined ? '' : `  at most ${bound}${middle > bound ? '  BROKEN' : ''}`}`,
      )
    }
  } finally {
    await browser.close()
  }
  return broken
}

const QUESTIONS: readonly (readonly [string, string])[] = [
  ['fits', 'model=qwen3-32b&gpu=2xrtx-4090'],
  ['fits, large', 'model=deepseek-v3.2&gpu=8xh200-sxm'],
  ['does not fit', 'model=Qwen/Qwen3-32B&gpu=2xrtx-4090'],
  ['models', 'view=models&gpu=2xrtx-4090'],
  ['plan', 'view=plan&model=qwen3-32b&gpu=2xrtx-4090'],
  ['compare', 'view=compare&model=qwen3-32b&gpu=2xrtx-4090'],
]

function sizes(folder: string): number {
  let [gzip, brotli, all] = [0, 0, 0]
  for (const name of readdirSync(folder)) {
    const bytes = readFileSync(join(folder, name))
    all += bytes.length
    // One part of the models comes with the first question.
    if (/^models-|-flags\.js$/.test(name) && name !== 'models-0.js') continue
    const [small, smaller] = [gzipSync(bytes, {level: 9}).length, brotliCompressSync(bytes).length]
    gzip += small
    brotli += smaller
    console.log(`${name.padEnd(17)} ${kilobytes(bytes.length).padStart(8)}, gzip ${kilobytes(small)}, Brotli ${kilobytes(smaller)}`)
  }
  const isBroken = gzip > MOST_FIRST_BYTES
  console.log(
    `first load        gzip ${kilobytes(gzip)}, Brotli ${kilobytes(brotli)}  at most ${kilobytes(MOST_FIRST_BYTES)}${isBroken ? '  BROKEN' : ''}; all files ${kilobytes(all)}`,
  )
  return isBroken ? 1 : 0
}

/** Types another number of users, and waits until its answer is drawn. */
async function changeTimes(page: Page, link: string): Promise<number[]> {
  await page.evaluate((hash) => {
    location.hash = hash
  }, link)
  await page.waitForTimeout(1500)
  await page.waitForSelector('main[aria-busy=false]')
  const times: number[] = []
  for (let change = 0; change < CHANGES; change++)
    times.push(
      await page.evaluate(async (users) => {
        const main = document.querySelector('main')!
        const field = document.querySelector<HTMLInputElement>('input[name=concurrency]')!
        const before = main.dataset.answer
        const began = performance.now()
        field.value = String(users)
        field.dispatchEvent(new Event('input', {bubbles: true}))
        while (main.dataset.answer === before || main.getAttribute('aria-busy') === 'true') await new Promise((resolve) => requestAnimationFrame(resolve))
        return performance.now() - began
      }, change + 2),
    )
  return times
}
