import {execFileSync} from 'node:child_process'
import {mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {Readable} from 'node:stream'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {isStandardInput, textOfFile, textOfStream} from '../../src/import/text-file.ts'

const LIMITS = {what: 'a scenario', bytes: 2 ** 20}
let folder = ''
const file = (name: string, bytes: string | Buffer): string => {
  writeFileSync(join(folder, name), bytes)
  return join(folder, name)
}
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'servefit-test-'))
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))

describe('a text file', () => {
  it('in UTF-8, with and without a mark, and in UTF-16 of either order', async () => {
    const text = 'GPU é 日本\r\n'
    expect(await textOfFile(file('plain.txt', text), LIMITS)).toBe(text)
    expect(await textOfFile(file('mark.txt', `\uFEFF${text}`), LIMITS)).toBe(text)
    const little = Buffer.from(text, 'utf16le')
    expect(await textOfFile(file('little.txt', Buffer.concat([Buffer.from([0xff, 0xfe]), little])), LIMITS)).toBe(text)
    expect(await textOfFile(file('big.txt', Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(little).swap16()])), LIMITS)).toBe(text)
  })

  it.skipIf(process.platform !== 'linux')('not of the kernel, whose size says nothing, by whatever name', async () => {
    symlinkSync('/proc/self/environ', join(folder, 'environ.txt'))
    for (const path of ['/proc/version', '/sys/kernel/notes', join(folder, 'environ.txt')])
      await expect(textOfFile(path, LIMITS)).rejects.toMatchObject({code: 'FILE_UNREADABLE', message: expect.stringContaining('of the kernel')})
  })

  it('that is empty, and behind a link', async () => {
    expect(await textOfFile(file('empty.txt', ''), LIMITS)).toBe('')
    symlinkSync(file('target.txt', 'text'), join(folder, 'link.txt'))
    expect(await textOfFile(join(folder, 'link.txt'), LIMITS)).toBe('text')
  })

  it('no more than is allowed, to the byte', async () => {
    expect(await textOfFile(file('full.txt', 'a'.repeat(2 ** 20)), LIMITS)).toHaveLength(2 ** 20)
    await expect(textOfFile(file('over.txt', 'a'.repeat(2 ** 20 + 1)), LIMITS)).rejects.toMatchObject({
      code: 'FILE_TOO_LARGE',
      message: expect.stringContaining('at most 1 MiB'),
    })
  })

  it.each([
    ['a directory', () => folder, 'FILE_UNREADABLE', 'is a directory'],
    ['a device', () => '/dev/zero', 'FILE_UNREADABLE', 'is a device'],
    [
      'a link to a device',
      () => {
        symlinkSync('/dev/zero', join(folder, 'zero.json'))
        return join(folder, 'zero.json')
      },
      'FILE_UNREADABLE',
      'is a device',
    ],
    [
      'a pipe that nobody writes to',
      () => {
        execFileSync('mkfifo', [join(folder, 'pipe.txt')])
        return join(folder, 'pipe.txt')
      },
      'FILE_UNREADABLE',
      'is a pipe',
    ],
    ['what is not there', () => join(folder, 'nowhere.txt'), 'FILE_UNREADABLE', 'ENOENT'],
    ['binary', () => file('binary.txt', Buffer.from([71, 71, 85, 70, 0, 1])), 'FILE_BINARY', 'is a binary file'],
  ])('not %s', async (_, path, code, words) => {
    await expect(textOfFile(path(), LIMITS)).rejects.toMatchObject({code, message: expect.stringContaining(words)})
  })
})

it('a stream is read no further than is allowed', async () => {
  let given = 0
  const endless = Readable.from(
    (function* () {
      for (;;) {
        given += 65_536
        yield Buffer.alloc(65_536, 'a')
      }
    })(),
  )
  await expect(textOfStream(endless as AsyncIterable<Buffer>, 'Standard input', LIMITS)).rejects.toMatchObject({
    code: 'FILE_TOO_LARGE',
    message: expect.stringContaining('Standard input'),
  })
  expect(given).toBeLessThan(4 * 2 ** 20)
})

it('the names of standard input', () => {
  for (const name of ['-', '/dev/stdin', '/dev/fd/0', '/proc/self/fd/0']) expect(isStandardInput(name)).toBe(true)
  for (const name of ['--', './-', '/dev/fd/3', 'dgx-h200']) expect(isStandardInput(name)).toBe(false)
})
