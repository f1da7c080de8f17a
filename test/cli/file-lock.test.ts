import {existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {hostname, tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterEach, beforeEach, expect, it} from 'vitest'
import {alone} from '../../src/cli/file-lock.ts'
import {saveFile} from '../../src/cli/save-file.ts'

let folder = ''
let path = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'servefit-test-'))
  path = join(folder, 'numbers.json')
})
afterEach(() => rmSync(folder, {recursive: true, force: true}))

/** Reads, waits a little, and writes what was read with one more: whoever is not alone loses numbers. */
const add = (number: number) =>
  alone(path, async (stillAlone) => {
    const numbers: number[] = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : []
    await new Promise((resolve) => setImmediate(resolve))
    await saveFile(path, JSON.stringify([...numbers, number]), {force: true, before: stillAlone})
  })

it('one after another, none is lost', async () => {
  const numbers = Array.from({length: 32}, (_, index) => index)
  await Promise.all(numbers.map(add))
  expect(JSON.parse(readFileSync(path, 'utf8')).sort((a: number, b: number) => a - b)).toEqual(numbers)
  expect(existsSync(`${path}.lock`)).toBe(false)
})

it('a lock of a dead process is taken away, by one of many', async () => {
  writeFileSync(`${path}.lock`, JSON.stringify({pid: 2 ** 30, host: hostname(), turn: 'gone'}))
  await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(add))
  expect(JSON.parse(readFileSync(path, 'utf8'))).toHaveLength(8)
})

it('who lost the lock does not write', async () => {
  const late = alone(path, async (stillAlone) => {
    writeFileSync(`${path}.lock`, JSON.stringify({pid: process.pid, host: hostname(), turn: 'another'}))
    await saveFile(path, 'late', {force: true, before: stillAlone})
  })
  await expect(late).rejects.toMatchObject({code: 'FILE_UNWRITABLE'})
  expect(existsSync(path)).toBe(false)
  // The other's lock stays.
  expect(JSON.parse(readFileSync(`${path}.lock`, 'utf8')).turn).toBe('another')
})
