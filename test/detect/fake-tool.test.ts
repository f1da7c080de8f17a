import {chmodSync, mkdtempSync, symlinkSync, writeFileSync} from 'node:fs'
import {spawn, spawnSync} from 'node:child_process'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {beforeAll, describe, expect, test} from 'vitest'
import type {MachineDocument} from '../../src/detect/machine-document.ts'

/** The bundled command with an nvidia-smi on the search path that misbehaves. */
const root = join(import.meta.dirname, '..', '..')

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'servefit-fake-'))
})

/** A folder with node alone and a tool that is this script. */
function pathWith(name: string, script: string): string {
  const bin = mkdtempSync(join(folder, `${name}-`))
  symlinkSync(process.execPath, join(bin, 'node'))
  writeFileSync(join(bin, 'nvidia-smi'), `#!${process.execPath}\n${script}\n`)
  chmodSync(join(bin, 'nvidia-smi'), 0o755)
  return bin
}

function detect(path: string): Promise<{document: MachineDocument; code: number | null}> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, 'bin', 'run.js'), 'detect', '--json'], {
      env: {PATH: path, HOME: folder},
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let text = ''
    child.stdout.on('data', (chunk) => (text += chunk))
    child.on('error', reject)
    child.on('close', (code) => {
      try {
        resolve({document: JSON.parse(text) as MachineDocument, code})
      } catch {
        reject(new Error(`no JSON: ${text.slice(0, 500)}`))
      }
    })
  })
}

const ROW = '0, 00000000:01:00.0, 0x268410DE, 24564, 2, 24077, 8.9, 580.95.05, [N/A], 4, 16, NVIDIA GeForce RTX 4090'

describe.each([
  ['hangs', 'setInterval(() => {}, 1000)', 'tool-timeout'],
  ['hangs and ignores its end', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)', 'tool-timeout'],
  ['prints garbage', 'process.stdout.write(Buffer.from(Array.from({length: 5000}, (_, i) => (i * 37) % 256)))', 'unreadable-output'],
  ['exits 255', 'process.exitCode = 255', 'unreadable-output'],
  [
    'prints 10 MB',
    'const block = "x <gpu> 1, 2 | ".repeat(70000); let left = 10; const write = () => { if (left-- > 0) process.stdout.write(block, write) }; write()',
    'unreadable-output',
  ],
  [
    'has lost a card',
    'console.log("Unable to determine the device handle for GPU 0000:02:00.0: GPU is lost.  Reboot the system to recover this GPU"); process.exitCode = 15',
    'gpu-lost',
  ],
])('an nvidia-smi that %s', (name, script, expected) => {
  // One that hangs would hold this up for ever: that there is an answer says that it came in time.
  test('is told apart, in time', async () => {
    const {document, code} = await detect(pathWith(name.replace(/\W+/g, '-'), script))
    expect(document.gpus).toEqual([])
    expect(document.problems.map((problem) => problem.code)).toContain(expected)
    for (const {remedy} of document.problems) expect(remedy).not.toBe('')
    expect(code).toBe(0)
  })
})

test('one that answers slowly is waited for', async () => {
  const script = `setTimeout(() => { if (process.argv[2]?.startsWith('--query-gpu')) console.log(${JSON.stringify(ROW)}) }, 300)`
  const {document} = await detect(pathWith('slow', script))
  expect(document.gpus).toMatchObject([{id: 'rtx-4090', memoryBytes: 24564 * 2 ** 20, freeBytes: 24077 * 2 ** 20}])
})

test('one that answers the short question and hangs at the long one gives what it gave', async () => {
  const script = `if (process.argv[2]?.startsWith('--query-gpu')) console.log(${JSON.stringify(ROW)}); else setInterval(() => {}, 1000)`
  const {document} = await detect(pathWith('half', script))
  expect(document.gpus).toMatchObject([{id: 'rtx-4090', driver: '580.95.05'}])
})

test('one that knows only its table', async () => {
  const table = [
    '| NVIDIA-SMI 580.82.07              Driver Version: 580.82.07      CUDA Version: 13.0     |',
    '|   0  NVIDIA L40S                    Off |   00000000:01:00.0 Off |                    0 |',
    '| N/A   54C    P0            110W /  350W |    1235MiB /  46068MiB |      9%      Default |',
  ].join('\n')
  const {document} = await detect(pathWith('table', `if (process.argv.length === 2) console.log(${JSON.stringify(table)}); else process.exitCode = 3`))
  expect(document.gpus).toMatchObject([{id: 'l40s', cudaVersion: '13.0', memoryBytes: 46068 * 2 ** 20, freeBytes: 44833 * 2 ** 20}])
})

test('what doctor writes on such a machine is read again as the same machine', () => {
  const bin = pathWith(
    'doctor',
    `if (process.argv[2]?.startsWith('--query-gpu')) console.log(${JSON.stringify(ROW)}); else { console.error('no'); process.exitCode = 2 }`,
  )
  const run = (...args: string[]) => spawnSync(process.execPath, [join(root, 'bin', 'run.js'), ...args], {encoding: 'utf8', env: {PATH: bin, HOME: folder}})
  const out = join(bin, 'report')
  const wrote = run('doctor', '--out', out)
  expect(wrote).toMatchObject({status: 0, stderr: ''})
  expect(run('doctor', '--out', out)).toMatchObject({status: 2, stderr: expect.stringContaining('--force')})
  const machines = [out, join(out, 'report.md')].map((place) => {
    const {status, stdout} = run('detect', '--replay', place, '--json')
    expect(status).toBe(0)
    return JSON.parse(stdout) as MachineDocument
  })
  expect(machines[0]?.gpus).toMatchObject([{id: 'rtx-4090', freeBytes: 24077 * 2 ** 20, driver: '580.95.05'}])
  expect(machines[1]).toEqual(machines[0])
  expect(run('detect', '--replay', join(out, 'nowhere'))).toMatchObject({status: 2, stdout: ''})
})
