import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {openCatalogue} from '../../src/catalogue/catalogue.ts'
import {complete, type Completion} from '../../src/completion/candidates.ts'
import type {Manifest} from '../../src/completion/manifest.ts'
import {linesOf} from '../../src/completion/main.ts'
import {namesOf} from '../../src/completion/names.ts'
import {root} from '../commands/spawn.ts'

const manifest = JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8')) as Manifest
const catalogue = openCatalogue(join(root, 'dist', 'data'))
const names = namesOf(catalogue)
const values = (...words: string[]): string[] | Completion => {
  const found = complete(words, manifest, names)
  return typeof found === 'string' ? found : found.map(({value}) => value)
}

describe('words at the cursor', () => {
  it('commands, and those below one', () => {
    expect(values('che')).toEqual(['check'])
    expect(values('')).toEqual(expect.arrayContaining(['check', 'plan', 'config', 'models']))
    expect(values('models', 'sh')).toEqual(['show'])
  })

  it('models by name, and repositories where one is begun', () => {
    expect(values('check', 'qwen3-32')).toEqual(['qwen3-32b'])
    expect(values('models', 'show', 'qwen3-32')).toEqual(['qwen3-32b'])
    expect(values('config', 'Qwen/Qwen3-32B-A')).toEqual(['Qwen/Qwen3-32B-AWQ'])
    expect(values('check', './conf')).toBe('files')
  })

  it('cards behind their number, and behind others', () => {
    expect(values('check', 'm', '--gpu', '2xrtx-5090-')).toEqual(expect.arrayContaining(['2xrtx-5090-d']))
    expect(values('check', 'm', '--gpu=1xh100-sxm,2xrtx-309')).toContain('--gpu=1xh100-sxm,2xrtx-3090')
    expect(values('gpus', 'rtx-409')).toContain('rtx-4090')
  })

  it('machines, engines and their releases, formats', () => {
    expect(values('plan', 'm', '--machine', 'dgx-h2')).toEqual(['dgx-h200'])
    expect(values('plan', 'm', '--machine', './')).toBe('files')
    expect(values('check', 'm', '--engine', 's')).toEqual(['sglang'])
    expect((values('check', 'm', '--engine', 'sglang', '--engine-version', '') as string[])[0]).toBe(
      catalogue.file<{newestVersion: string}>('engines/sglang').newestVersion,
    )
    expect(values('config', 'm', '--format', 'c')).toEqual(['command', 'compose'])
    expect(values('check', 'm', '--kv-cache', 'fp8')).toContain('fp8')
    expect(values('check', 'm', '--weights', 'mxfp4')).toContain('mxfp4')
    expect(values('check', 'm', '--prefer', 's')).toEqual(['speed'])
  })

  it('flags under every name that people type, but not those that were given', () => {
    expect(values('check', 'm', '--user')).toEqual(['--users'])
    expect(values('check', 'm', '--users', '8', '--concur')).toEqual([])
    expect(values('check', 'm', '--concurrency', '8', '--user')).toEqual([])
    expect(values('compare', 'm', '--gpu', '1xh100-sxm', '--gp')).toContain('--gpu')
  })

  it('paths where a path is meant, and nothing where nothing is known', () => {
    expect(values('check', '--scenario', 'x')).toBe('files')
    expect(values('plan', 'm', '--save', '')).toBe('folders')
    expect(values('verify', '')).toBe('files')
    expect(values('batch', '')).toBe('files')
    expect(values('check', 'm', '--users', '')).toEqual([])
    expect(values('check', '--', 'vllm', 'serve', '')).toBe('files')
    expect(values('nothing-like-it', '')).toEqual([])
  })

  it('every value that is completed is one that is taken', () => {
    for (const {value} of names.weights()) expect(complete(['check', 'm', '--weights', value], manifest, names)).toContainEqual({value})
    expect(new Set(names.machines().map(({value}) => value)).size).toBe(catalogue.systems.length)
  })

  it('are printed a line each, without what would move a cursor', () => {
    expect(linesOf([{value: 'a', description: 'b\u001B[2Jc\nd'}, {value: 'e'}])).toBe('a\tb [2Jc d\ne\n')
    expect(linesOf('files')).toBe(':files\n')
  })
})
