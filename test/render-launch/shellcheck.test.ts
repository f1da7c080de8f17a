import {spawnSync} from 'node:child_process'
import {describe, expect, it} from 'vitest'
import {extras} from '../../src/render/launch/extras.ts'
import {formatOf} from '../../src/render/launch/formats.ts'
import {type Given, NASTY, startable, TWO_NODES} from './startables.ts'

const there = spawnSync('shellcheck', ['--version']).status === 0
if (!there) console.warn('shellcheck is not installed: scripts are not checked')

/** What shellcheck says of a text, without remarks on style and on quotes within a value: all of it is meant to stay as it is. */
function complaints(shell: string, text: string): string {
  const {stdout, stderr} = spawnSync('shellcheck', ['--shell', shell, '--severity', 'warning', '--exclude', 'SC2089,SC2090', '--format', 'gcc', '-'], {
    input: text,
    encoding: 'utf8',
  })
  return `${stdout}${stderr}`
}

const hostile: Given = {
  values: NASTY.filter((text) => !/[\u0085\u2028\uFEFF]/.test(text)),
  setting: NASTY.filter((text) => !/[\u0085\u2028\uFEFF]/.test(text)).join(''),
}
const mpi = {count: 2, gpusPerNode: 8, mpi: {wrapper: 'trtllm-llmapi-launch'}}

describe.skipIf(!there)('shellcheck finds nothing in', () => {
  it.each([
    ['command', 'sh', hostile],
    ['command', 'sh', {...hostile, nodes: TWO_NODES}],
    ['command', 'sh', {...hostile, engine: 'trtllm', nodes: mpi, file: {a: 'b'}}],
    ['docker', 'sh', {...hostile, model: '/models/a b'}],
    ['docker', 'sh', {...hostile, vendor: 'amd', devices: [0, 1]}],
    ['docker', 'sh', {...hostile, nodes: TWO_NODES}],
    ['ray', 'sh', {...hostile, nodes: TWO_NODES}],
    ['slurm', 'bash', hostile],
    ['slurm', 'bash', {...hostile, nodes: TWO_NODES}],
    ['slurm', 'bash', {...hostile, engine: 'trtllm', nodes: mpi, file: {a: 'b'}}],
  ] as [string, string, Given][])('%s for %s, case %#', (format, shell, given) => {
    for (const {text} of formatOf(format).write(startable(given))) expect(complaints(shell, text)).toBe('')
  })

  it('the files beside them', () => {
    for (const engine of ['vllm', 'sglang', 'trtllm'] as const) {
      for (const {name, text} of extras(startable({...hostile, engine}), 'docker')) if (name.endsWith('.sh')) expect(complaints('sh', text)).toBe('')
    }
  })
})
