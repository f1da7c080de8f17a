import {spawnSync} from 'node:child_process'
import {mkdtempSync, readFileSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, describe, expect, it} from 'vitest'
import {markdownReport, plainly} from '../../src/web/report/markdown.ts'
import {htmlReport} from '../../src/web/report/html.tsx'
import type {CapacityDocument} from '../../src/web/documents/index.ts'

const root = join(import.meta.dirname, '..', '..')
const folder = mkdtempSync(join(tmpdir(), 'servefit-report-'))
afterAll(() => rmSync(folder, {recursive: true, force: true}))

const run = (...words: string[]) => spawnSync(process.execPath, [join(root, 'bin', 'run.js'), ...words], {cwd: folder, encoding: 'utf8'})
const read = (name: string) => readFileSync(join(folder, name), 'utf8')

/** A document with names that somebody else chose. */
const HOSTILE = '<img src=x onerror=alert(1)> | `@someone` [a](https://example.org)'
const hostile: CapacityDocument = {
  kind: 'capacity',
  title: HOSTILE,
  report: {schemaVersion: 2, feasible: false, spare: 0, maxUtilisation: 0.85, demands: [], options: []},
  words: {demands: [HOSTILE], notes: [], best: [], problems: [HOSTILE]},
  command: `servefit capacity --model '${HOSTILE}\n\`\`\`\n# not a title'`,
}

describe('a report as HTML', () => {
  it('says what the command says, and needs nothing else', () => {
    const {status, stdout} = run('check', 'qwen3-32b', '--gpu', '2xrtx-4090', '--html', 'check.html')
    expect(status).toBe(0)
    const html = read('check.html')
    expect(html).toMatch(/^<!doctype html>/)
    expect(html).toContain('Qwen3 32B on 2 x RTX 4090 (24 GiB)')
    const weights = /weights (\d+\.\d)/.exec(stdout)![1]!
    expect(html).toContain(`weights <b>${weights} GiB</b>`)
    expect(html).toContain('vllm serve Qwen/Qwen3-32B-FP8')
    // Nothing is loaded, nothing runs.
    expect(html).not.toMatch(/<script|<link|<img|<iframe|\bsrc=|@import|url\(/)
    expect(html).toContain("default-src 'none'")
  })

  it('is not written over without --force', () => {
    expect(run('check', 'qwen3-32b', '--gpu', '2xrtx-4090', '--html', 'twice.html').status).toBe(0)
    expect(run('check', 'qwen3-32b', '--gpu', '2xrtx-4090', '--html', 'twice.html').status).toBe(2)
    expect(run('check', 'qwen3-32b', '--gpu', '2xrtx-4090', '--html', 'twice.html', '--force').status).toBe(0)
  })

  it('keeps the exit code of the answer, and the JSON beside it', () => {
    const {status, stdout} = run('check', 'Qwen/Qwen3-32B', '--gpu', '2xrtx-4090', '--json', '--html', 'no.html')
    expect(status).toBe(1)
    expect((JSON.parse(stdout) as {verdict: string}).verdict).toBe('does-not-fit')
    expect(read('no.html')).toContain('does not fit')
  })

  it('leaves names text', () => {
    const html = htmlReport(hostile, {version: '1.2.3'})
    expect(html).not.toContain('<img')
    expect(html).toContain('&lt;img src=x')
  })
})

describe('a report as Markdown', () => {
  it('says what the command says', () => {
    const {status, stdout} = run('check', 'qwen3-32b', '--gpu', '2xrtx-4090', '--markdown')
    expect(status).toBe(0)
    expect(stdout).toMatch(/^## Qwen3 32B on 2 x RTX 4090/)
    expect(stdout).toMatch(/^\*\*fits\*\*: one user at \d+ tok\/s, first token after .*\n\nas FP8 128x128 blocks/m)
    expect(stdout).toContain('```sh\nvllm serve Qwen/Qwen3-32B-FP8')
    expect(stdout).toContain('```sh\nservefit check qwen3-32b --gpu 2xrtx-4090\n```')
  })

  it('of a plan, a comparison and a fleet', () => {
    expect(run('plan', 'qwen3-32b', '--gpu', '2xrtx-4090', '--users', '4', '--markdown').stdout).toMatch(/\| Engine \| Checkpoint \|/)
    expect(run('compare', 'qwen3-32b', '--gpu', '2xrtx-4090', '--markdown').stdout).toMatch(/\| Checkpoint \| KV \| Verdict \|/)
    expect(run('capacity', '--model', 'qwen3-32b', '--users', '40', '--gpu', '4xh100-sxm', '--markdown').stdout).toMatch(/\| 4xh100-sxm \| 1 \|/)
  })

  it('leaves names text, in a line and in a cell', () => {
    expect(plainly('a|b <i> @x\n# y')).toBe('a\\|b \\<i\\> &#64;x \\# y')
    const text = markdownReport(hostile, {version: '1.2.3'})
    expect(text.replaceAll(/^(`{3,})sh\n[\s\S]*?\n\1$/gm, '')).not.toMatch(/(?<!\\)[<`[]|@|https:\/\//)
    // The block of the command is closed by a longer fence than any inside.
    expect(text).toContain('````sh\n')
  })
})

describe('the front of a plan as a picture', () => {
  it('is an SVG of its own with a dot for each point and plan', () => {
    const {status} = run('plan', 'qwen3-32b', '--gpu', '2xrtx-4090', '--svg', 'front.svg')
    expect(status).toBe(0)
    const svg = read('front.svg')
    const {stdout} = run('plan', 'qwen3-32b', '--gpu', '2xrtx-4090', '--json')
    const {front, plans} = JSON.parse(stdout) as {front: unknown[]; plans: unknown[]}
    // The legend has one for either.
    expect(svg.match(/<circle/g)).toHaveLength(front.length + plans.length + 2)
    expect(svg).toContain('>Qwen3 32B on 2 x RTX 4090 (24 GiB)<')
    expect(svg).toMatch(/^<\?xml[^>]*>\n<svg /)
    expect(svg).not.toMatch(/<script|href=|url\(/)
  })
})
