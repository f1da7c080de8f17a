import {mkdtemp, readFile, writeFile} from 'node:fs/promises'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {describe, expect, test} from 'vitest'
import {realEffects, runProgram} from '../../src/detect/effects.ts'

const node = (script: string, timeoutMs = 5000) => runProgram(process.execPath, ['-e', script], {timeoutMs})

describe('running a program', () => {
  test('output and exit code', async () => {
    expect(await node('console.log("out"); console.error("err"); process.exitCode = 3')).toEqual({
      kind: 'ended',
      exitCode: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    })
  })

  test('exit 255 without a word', async () => {
    expect(await node('process.exit(255)')).toEqual({kind: 'ended', exitCode: 255, stdout: '', stderr: ''})
  })

  test('the language of messages is fixed', async () => {
    expect(await node('process.stdout.write(process.env.LC_ALL)')).toMatchObject({stdout: 'C'})
  })

  test('a program that is not there', async () => {
    expect(await runProgram('servefit-no-such-program', [])).toEqual({kind: 'missing'})
  })

  test('a file that may not be run', async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'servefit-')), 'tool')
    await writeFile(path, 'text', {mode: 0o600})
    expect(await runProgram(path, [])).toEqual({kind: 'no-permission'})
  })

  test('a hang ends at the limit and keeps what was said', async () => {
    // It would run for ever: that there is an outcome says that it was ended.
    const outcome = await node('console.log("begin"); setInterval(() => {}, 1000)', 700)
    expect(outcome).toEqual({kind: 'timeout', stdout: 'begin\n', stderr: ''})
  })

  test('what the program has started is killed with it', async () => {
    const path = join(await mkdtemp(join(tmpdir(), 'servefit-')), 'beats')
    const beat = `require('fs').appendFileSync(${JSON.stringify(path)}, '.')`
    const grandchild = `setInterval(() => ${beat}, 20)`
    const outcome = await node(
      `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(grandchild)}], {stdio: 'inherit'}); setInterval(() => {}, 1000)`,
      900,
    )
    expect(outcome.kind).toBe('timeout')
    const pause = () => new Promise((resolve) => setTimeout(resolve, 200))
    await pause()
    const before = (await readFile(path, 'utf8')).length
    await pause()
    expect(before).toBeGreaterThan(0)
    expect((await readFile(path, 'utf8')).length).toBe(before)
  })

  test('10 MB of output is cut at 4 MiB', async () => {
    const outcome = await node(
      `const block = 'x'.repeat(1e6); let left = 10; const write = () => { if (left-- > 0) process.stdout.write(block, write) }; write()`,
    )
    expect(outcome).toMatchObject({kind: 'ended', truncated: true})
    expect(outcome.kind === 'ended' && outcome.stdout.length).toBe(4 * 1024 ** 2)
  })
})

test('files and disks that are not there are nothing, not errors', async () => {
  const effects = realEffects()
  expect(await effects.readFile('/no/such/file')).toBeUndefined()
  expect(await effects.listDirectory?.('/no/such/directory')).toBeUndefined()
  expect(await effects.exists?.('/no/such/file')).toBe(false)
  expect(await effects.diskSpace?.('/no/such/directory')).toBeUndefined()
  expect((await effects.diskSpace?.(tmpdir()))?.totalBytes).toBeGreaterThan(0)
})
