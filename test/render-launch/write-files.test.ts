import {mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, describe, expect, it} from 'vitest'
import {writeFiles} from '../../src/cli/write-files.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'servefit-out-'))
})
afterEach(() => rmSync(folder, {recursive: true, force: true}))

const files = [
  {name: 'serve.sh', text: 'one\n'},
  {name: 'NOTES.md', text: 'two\n'},
]

describe('files of --out', () => {
  it('are written into a folder that is made, readable by all, with nothing left beside them', async () => {
    const out = join(folder, 'a', 'b')
    expect(await writeFiles(out, files, {force: false})).toEqual([join(out, 'serve.sh'), join(out, 'NOTES.md')])
    expect(readdirSync(out).sort()).toEqual(['NOTES.md', 'serve.sh'])
    expect(readFileSync(join(out, 'serve.sh'), 'utf8')).toBe('one\n')
    expect(statSync(join(out, 'serve.sh')).mode & 0o777).toBe(0o644)
  })

  it('replace nothing unless told so, and then all', async () => {
    writeFileSync(join(folder, 'NOTES.md'), 'mine\n')
    await expect(writeFiles(folder, files, {force: false})).rejects.toMatchObject({code: 'FILE_EXISTS', message: expect.stringContaining('NOTES.md')})
    expect(readdirSync(folder)).toEqual(['NOTES.md'])
    await writeFiles(folder, files, {force: true})
    expect(readFileSync(join(folder, 'NOTES.md'), 'utf8')).toBe('two\n')
  })

  it('do not follow a link to somewhere else', async () => {
    const other = join(folder, 'other')
    writeFileSync(other, 'mine\n')
    symlinkSync(other, join(folder, 'serve.sh'))
    await writeFiles(folder, files, {force: true})
    expect(readFileSync(other, 'utf8')).toBe('mine\n')
  })

  it('name the folder that cannot be written to', async () => {
    writeFileSync(join(folder, 'file'), '')
    await expect(writeFiles(join(folder, 'file'), files, {force: false})).rejects.toMatchObject({code: 'OUT_UNWRITABLE'})
  })
})
