import {execFileSync, spawn} from 'node:child_process'
import {once} from 'node:events'
import {mkdtempSync, rmSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {root, servefit} from './spawn.ts'

const lines = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))

describe('batch', () => {
  it('answers in order, and one bad line spoils only itself', () => {
    const input = [
      '{"id": "a", "model": "llama-3.1-8b", "gpu": "1xh100-sxm"}',
      'not json',
      '{"id": "c", "model": "no-such-model", "gpu": "1xh100-sxm"}',
      '{"id": "d", "model": "llama-3.1-8b", "gpu": "1xh100-sxm", "tp": -1}',
      '{"id": "e", "model": "llama-3.1-8b", "gpu": "1xh100-sxm", "workload": {"inputTokens": 1000, "outputTokens": 100, "concurrency": 4}}',
      '{"id": "f", "model": "llama-3.1-8b", "gpu": "1xh100-sxm", "workload": {"inputTokens": 1e99, "outputTokens": 100}}',
      '[]',
      '',
      '{"id": "h", "model": "deepseek-v4-pro", "gpu": "1xrtx-5090"}',
    ].join('\n')
    const {code, stdout, stderr} = servefit(['batch', '-'], {input})
    expect(code).toBe(1)
    expect(stderr).toBe('')
    const results = lines(stdout)
    expect(results.map(({id, error, verdict}) => error?.code ?? `${id} ${verdict}`)).toEqual([
      'a fits',
      'JSON_INVALID',
      'MODEL_UNKNOWN',
      'SCENARIO_INVALID',
      'e fits',
      'SCENARIO_INVALID',
      'SCENARIO_INVALID',
      'h does-not-fit',
    ])
    expect(results[3]).toMatchObject({id: 'd', error: {path: 'tp'}})
    expect(results[5].error.path).toBe('workload.inputTokens')
    // A scenario without a workload has no performance; one with it has.
    expect(results[0].performance).toBeUndefined()
    expect(results[4].performance.tpotMs.low).toBeLessThan(results[4].performance.tpotMs.high)
    expect(results[7].performance).toBeUndefined()
  })

  it('exits 0 when no line was an error, whatever the verdicts', () => {
    expect(servefit(['batch', '-'], {input: '{"model": "deepseek-v4-pro", "gpu": "1xrtx-5090"}\n'}).code).toBe(0)
  })

  it('a line that is too long costs that line alone, and is not held', () => {
    const long = 'a'.repeat(1_000_001)
    const {code, stdout, stderr} = servefit(['batch', '-', '--offline'], {input: `${long}\n{"id": "b", "model": "llama-3.1-8b", "gpu": "1xh100-sxm"}\n${long}`})
    expect(code, stderr).toBe(1)
    expect(lines(stdout).map(({error, id}) => error?.message ?? id)).toEqual([
      'A line of more than 1,000,000 characters: expected a scenario of at most 1,000,000',
      'b',
      'A line of more than 1,000,000 characters: expected a scenario of at most 1,000,000',
    ])
  })

  it('tells of a line without an end while it still comes', async () => {
    const child = spawn(process.execPath, [join(root, 'bin', 'run.js'), 'batch', '-', '--offline'], {stdio: ['pipe', 'pipe', 'pipe']})
    child.stdin.on('error', () => {})
    // Never ended: the answer cannot wait for it.
    child.stdin.write('y'.repeat(1_000_002))
    const [first] = (await once(child.stdout, 'data')) as [Buffer]
    expect(JSON.parse(first.toString()).error.code).toBe('LINE_TOO_LONG')
    child.stdin.end('y\n{"model": "llama-3.1-8b", "gpu": "1xh100-sxm"}\n')
    const [second] = (await once(child.stdout, 'data')) as [Buffer]
    expect(JSON.parse(second.toString()).verdict).toBe('fits')
    expect(await once(child, 'close')).toEqual([1, null])
  })

  it('ends cleanly when its reader goes away', async () => {
    const child = spawn(process.execPath, [join(root, 'bin', 'run.js'), 'batch', '-'], {stdio: ['pipe', 'pipe', 'pipe']})
    let stderr = ''
    child.stderr.on('data', (piece) => (stderr += piece))
    child.stdin.on('error', () => {})
    child.stdout.once('data', () => child.stdout.destroy())
    const line = '{"model": "llama-3.1-8b", "gpu": "1xh100-sxm"}\n'
    const feed = setInterval(() => child.stdin.write(line.repeat(100)), 5)
    const code = await new Promise((resolve) => child.on('exit', resolve))
    clearInterval(feed)
    expect([code, stderr]).toEqual([0, ''])
  }, 60_000)

  it('takes no pipe that may never be written to, and no device, neither as its file nor in a line', () => {
    const folder = mkdtempSync(join(tmpdir(), 'servefit-test-'))
    const pipe = join(folder, 'pipe.json')
    execFileSync('mkfifo', [pipe])
    for (const file of [pipe, '/dev/zero']) expect(servefit(['batch', file]).stderr).toContain('expected a JSON Lines file')
    const places = [pipe, '/dev/zero', '/dev/stdin', '/proc/self/environ', folder]
    const input = places.flatMap((place) => [
      {model: place, gpu: '1xh100-sxm'},
      {model: 'qwen3-8b', machine: place},
    ])
    const {stdout} = servefit(['batch', '-'], {input: input.map((line) => JSON.stringify(line)).join('\n')})
    expect(lines(stdout).map(({error}) => error?.code)).not.toContain(undefined)
    rmSync(folder, {recursive: true})
  })

  it('says nothing of what stands in a file that is of another kind', () => {
    const {stdout} = servefit(['batch', '-'], {input: '{"model": "/etc/passwd", "gpu": "1xh100-sxm"}\n{"model": "qwen3-8b", "machine": "/etc/passwd"}\n'})
    expect(stdout).not.toContain('root')
    expect(lines(stdout)[0].error.message).toContain('begins with neither { nor [')
  })

  it('an empty input is no error', () => {
    expect(servefit(['batch', '-'])).toMatchObject({code: 0, stdout: ''})
  })

  it('gives what check gives', () => {
    const check = JSON.parse(servefit(['check', 'gpt-oss-20b', '--gpu', '1xrtx-4090', '--input', '1000', '--output', '200', '--users', '4', '--json']).stdout)
    const [batch] = lines(
      servefit(['batch', '-'], {
        input: '{"model": "gpt-oss-20b", "gpu": "1xrtx-4090", "workload": {"inputTokens": 1000, "outputTokens": 200, "concurrency": 4}}',
      }).stdout,
    )
    expect(batch).toEqual(check)
  })
})
