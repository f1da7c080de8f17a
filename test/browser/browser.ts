import {existsSync} from 'node:fs'
import {readFile} from 'node:fs/promises'
import {createServer} from 'node:http'
import type {AddressInfo} from 'node:net'
import {join} from 'node:path'
import {pathToFileURL} from 'node:url'
import {type Browser, type BrowserContextOptions, chromium, type Page} from 'playwright-core'

export const root = join(import.meta.dirname, '..', '..')
const built = join(root, 'dist', 'web')

const BROWSERS = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].filter((path) => path !== undefined)
const SWITCHES = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export function launched(): Promise<Browser> {
  const executablePath = BROWSERS.find((path) => existsSync(path))
  if (!executablePath) throw new Error(`no Chromium: expected one of ${BROWSERS.join(', ')}, or CHROMIUM`)
  return chromium.launch({executablePath, args: SWITCHES})
}

/** The page as any host serves it, below a path of its own. */
export async function hosted(): Promise<{url: string; close(): void}> {
  const server = createServer(async (request, response) => {
    const name = /^\/some\/path\/([\w.-]*)(?:\?.*)?$/.exec(request.url ?? '')?.[1]
    const file = name === undefined ? undefined : await readFile(join(built, name === '' ? 'index.html' : name)).catch(() => undefined)
    if (!file) return void response.writeHead(404).end()
    const type = /\.js$/.test(name!) ? 'text/javascript' : /\.css$/.test(name!) ? 'text/css' : 'text/html'
    response.writeHead(200, {'Content-Type': `${type}; charset=utf-8`}).end(file)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/some/path/`, close: () => server.close()}
}

export const fileUrl = pathToFileURL(join(built, 'index.html')).href

/** What must not happen while a page is used. */
export interface Watched {
  page: Page
  /** Errors in the console, exceptions, and requests to anywhere but where the page came from. */
  faults: string[]
}

export async function opened(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Watched> {
  const context = await browser.newContext({viewport: {width: 1280, height: 900}, reducedMotion: 'reduce', ...options})
  const page = await context.newPage()
  const faults: string[] = []
  const own = url.startsWith('file:') ? pathToFileURL(built).href : new URL(url).origin
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => faults.push(`exception: ${error.message}`))
  page.on('request', (request) => {
    if (!request.url().startsWith(own) && !/^(?:blob|data):/.test(request.url())) faults.push(`request: ${request.url()}`)
  })
  await page.goto(url)
  await page.waitForSelector('main[aria-busy=false]')
  return {page, faults}
}

const answers = (page: Page): Promise<number> => page.evaluate(() => Number(document.querySelector('main')?.dataset.answer ?? 0))

/** Does something that asks a new question, and waits for its answer. */
export async function asking(page: Page, act: () => Promise<unknown>): Promise<void> {
  const before = await answers(page)
  await act()
  await page.waitForFunction((number) => {
    const main = document.querySelector('main')
    return main?.getAttribute('aria-busy') === 'false' && Number(main.dataset.answer) > number
  }, before)
}

/** Another question by its link. */
export const asked = (page: Page, link: string): Promise<void> =>
  asking(page, () =>
    page.evaluate((hash) => {
      location.hash = hash
    }, link),
  )

/** The answer as the page gives it to programs. */
export async function jsonOf(page: Page): Promise<unknown> {
  const details = page.locator('details.data')
  if ((await details.getAttribute('open')) === null) await details.locator('summary').click()
  return JSON.parse((await details.locator('pre').textContent()) ?? '')
}

/** What the page says would ask the same on a command line. */
export const commandOf = async (page: Page): Promise<string> => (await page.locator('pre.command').textContent()) ?? ''

/** The code of what is wrong with a question; undefined where it was answered. */
export const problemOf = async (page: Page): Promise<string | undefined> =>
  (await page.locator('[data-code]').count()) === 0 ? undefined : ((await page.locator('[data-code]').first().getAttribute('data-code')) ?? undefined)
