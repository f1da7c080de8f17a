import {execFileSync} from 'node:child_process'
import {mkdtempSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {AMD_STATIC, NVLINK_PAIR, nvidiaTable, TWO_3090} from '../detect/pasted/texts.ts'
import {servefit} from './spawn.ts'

const MiB = 2 ** 20
const GiB = 2 ** 30

let folder = ''
const file = (name: string, text: string | Buffer): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'servefit-test-'))
})
afterAll(() => rmSync(folder, {recursive: true, force: true}))

const json = (args: string[], input?: string) => {
  const ran = servefit([...args, '--json'], {input})
  return {...ran, value: JSON.parse(ran.stdout)}
}
const card = (more: object = {}) => ({index: 0, name: 'NVIDIA GeForce RTX 3090', vendor: 'nvidia', memoryBytes: 24 * GiB, ...more})

describe('--machine takes what tools print', () => {
  it('from standard input, in every command that asks about a machine', () => {
    const text = TWO_3090 + NVLINK_PAIR
    const {code, value} = json(['check', 'qwen3-14b', '--machine', '-'], text)
    expect(code).toBe(0)
    expect(value.hardware).toMatchObject({gpu: 'rtx-3090', gpus: 2})
    // 1535 MiB are taken on the fuller card, so the engine gets no more than the rest.
    expect(value.memory.perGpu.totalBytes).toBeLessThanOrEqual(24576 * MiB)
    expect(value.warnings.map(({code: own}: {code: string}) => own)).not.toContain('machine-assumed')
    expect(servefit(['plan', 'qwen3-14b', '--machine', '-', '--json'], {input: text}).code).toBe(0)
    expect(servefit(['compare', 'qwen3-14b', '--machine', '-', '--json'], {input: text}).code).toBe(0)
    expect(servefit(['capacity', '--model', 'qwen3-14b', '--users', '2', '--machine', '-', '--json'], {input: text}).code).toBe(0)
    expect(servefit(['models', '--fits', '--machine', '-', '--json'], {input: text}).code).toBe(0)
    expect(servefit(['config', 'qwen3-14b', '--machine', '-'], {input: text}).stdout).toContain('vllm serve')
  })

  it('says what the text leaves open', () => {
    const {value} = json(['check', 'qwen3-14b', '--machine', '-'], TWO_3090)
    expect(value.warnings).toContainEqual({code: 'machine-assumed', message: expect.stringMatching(/how the GPUs are connected.*nvidia-smi topo -m/)})
    const amd = json(['check', 'qwen3-14b', '--machine', '-'], AMD_STATIC).value
    expect(amd.hardware).toMatchObject({gpu: 'mi300x', gpus: 2})
    expect(amd.warnings).toContainEqual({code: 'machine-assumed', message: 'the text does not say how much is in use: all memory is counted as free'})
  })

  it('free memory of the text is what there is: a busy card holds less', () => {
    const busy = nvidiaTable([{name: 'NVIDIA GeForce RTX 3090', usedMiB: 20000, totalMiB: 24576}])
    const free = nvidiaTable([{name: 'NVIDIA GeForce RTX 3090', usedMiB: 4, totalMiB: 24576}])
    // 4.5 GiB do not hold 15.3 GiB of weights in 16 bits.
    expect(json(['check', 'qwen3-8b', '--weights', 'bf16', '--machine', '-'], busy).value.verdict).toBe('does-not-fit')
    expect(json(['check', 'qwen3-8b', '--weights', 'bf16', '--machine', '-'], free).value.verdict).toBe('fits')
  })

  it('from a file as PowerShell writes it, in UTF-16 with its mark', () => {
    const path = file('box.txt', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(TWO_3090.replaceAll('\n', '\r\n'), 'utf16le')]))
    expect(json(['check', 'qwen3-14b', '--machine', path]).value.hardware.gpus).toBe(2)
  })

  it('a name of the catalogue still means that machine', () => {
    expect(json(['check', 'qwen3-32b', '--machine', 'dgx-h200']).value.hardware).toMatchObject({gpu: 'h200-sxm', gpus: 8})
  })
})

describe('what --machine refuses, in one message with exit 2', () => {
  const refused = (args: string[], input?: string): {code: string; message: string; suggestions?: string[]} => {
    const text = servefit(args, {input})
    expect(text.code, text.stdout + text.stderr).toBe(2)
    expect(text.stdout).toBe('')
    expect(text.stderr).toMatch(/^servefit: /)
    expect(text.stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(2)
    const {value, code} = json(args, input)
    expect(code).toBe(2)
    return value.error
  }
  const ask = (machine: string): string[] => ['check', 'qwen3-8b', '--machine', machine]

  it('a text that holds no such output says which are taken and what to run', () => {
    const {code, message} = refused(ask('-'), 'It has a big GPU.\n')
    expect(code).toBe('MACHINE_UNREADABLE')
    for (const words of [
      'detect --json',
      'nvidia-smi -q',
      'amd-smi static',
      'rocm-smi',
      'npu-smi info',
      'lspci -nn',
      'nvidia-smi topo -m) > box.txt',
      'servefit check MODEL --machine -',
    ])
      expect(message).toContain(words)
  })
  it('an output that names no GPU', () =>
    expect(refused(ask('-'), NVLINK_PAIR)).toMatchObject({code: 'NO_GPU', message: expect.stringContaining('nvidia-smi topo -m')}))
  it('memory without a name', () =>
    expect(refused(ask('-'), 'GPU[0]\t\t: VRAM Total Memory (B): 206141652992\n')).toMatchObject({
      code: 'NO_GPU',
      message: expect.stringContaining('does not say which GPUs'),
    }))
  it('a failure of the tool', () =>
    expect(refused(ask('-'), 'No devices were found\n')).toMatchObject({code: 'NO_GPU', message: expect.stringContaining('finds no GPU')}))
  it('an empty standard input', () => expect(refused(ask('-'), '')).toMatchObject({code: 'MACHINE_UNREADABLE', message: expect.stringContaining('is empty')}))
  it('several machines', () => {
    const other = nvidiaTable([{name: 'NVIDIA H200', usedMiB: 0, totalMiB: 143771}])
    expect(refused(ask('-'), TWO_3090 + other)).toMatchObject({code: 'MACHINE_SEVERAL', message: expect.stringContaining('--nodes')})
  })
  it('a name that is close, and where names are listed', () =>
    expect(refused(ask('dgx-h20'))).toMatchObject({
      code: 'MACHINE_UNKNOWN',
      message: expect.stringMatching(/servefit machines lists them.*\.\/box\.txt/),
      suggestions: expect.arrayContaining(['dgx-h200']),
    }))
  it('standard input that a batch is read from', () => {
    const {code, stdout} = servefit(['batch', '-'], {input: '{"model": "qwen3-8b", "machine": "-"}\n'})
    expect(code).toBe(1)
    expect(JSON.parse(stdout).error.code).toBe('INPUT_TWICE')
  })

  it.each([
    [
      'a pipe',
      () => {
        const path = join(folder, 'pipe.json')
        execFileSync('mkfifo', [path])
        return path
      },
      'is a pipe',
    ],
    ['a device without end', () => '/dev/zero', 'is a device'],
    ['a directory', () => folder, 'is a directory'],
  ])('%s as machine, model and scenario', (_, path, words) => {
    const place = path()
    expect(refused(ask(place)).message).toContain(words)
    const {stdout} = servefit(['batch', '-'], {input: `${JSON.stringify({model: `${place}`, gpu: '1xh100-sxm'})}\n`})
    if (words !== 'is a directory') {
      expect(JSON.parse(stdout).error).toMatchObject({code: 'FILE_UNREADABLE', message: expect.stringContaining(words)})
      expect(refused(['check', 'qwen3-8b', '--gpu', '1xl4', '--scenario', place]).message).toContain(words)
    }
  })

  describe('keys that a machine document does not have', () => {
    it.each([
      ['of a GPU', {gpus: [card({freeByte: 1})]}, 'gpus.0: unknown key "freeByte"', 'freeBytes'],
      ['of the machine', {gpus: [card()], intercnnect: {kind: 'nvlink'}}, 'unknown key "intercnnect"', 'interconnect'],
      [
        'of a pair',
        {gpus: [card(), card({index: 1})], interconnect: {kind: 'nvlink', pairs: [{gpus: [0, 1], kind: 'nvlink', linkCounts: 4}]}},
        'interconnect.pairs.0: unknown key "linkCounts"',
        'linkCount',
      ],
    ])('%s', (_, document, words, near) => {
      const error = refused(ask(file('keys.json', JSON.stringify({schemaVersion: 1, ...document}))))
      expect(error).toMatchObject({code: 'MACHINE_INVALID', message: expect.stringContaining(words), suggestions: expect.arrayContaining([near])})
    })
  })

  it.each([
    ['more free than there is', {gpus: [card({freeBytes: 25 * GiB})]}, 'gpus.0.freeBytes'],
    ['GiB for bytes', {gpus: [card({memoryBytes: 24})]}, 'expected bytes, such as 25769803776'],
    ['one number twice', {gpus: [card(), card()]}, 'gpus.1.index: 0 is also the index of another GPU'],
    ['a pair of a GPU that is not there', {gpus: [card()], interconnect: {kind: 'nvlink', pairs: [{gpus: [0, 1], kind: 'nvlink'}]}}, 'no GPU has the index 1'],
  ])('%s', (_, document, words) => {
    expect(refused(ask(file('figures.json', JSON.stringify({schemaVersion: 1, ...document}))))).toMatchObject({
      code: 'MACHINE_INVALID',
      message: expect.stringContaining(words),
    })
  })
})

it('documents of both versions, and those written by hand without a number, are read', () => {
  for (const document of [
    {schemaVersion: 1, gpus: [card()]},
    {schemaVersion: 2, gpus: [card()]},
    {gpus: [{name: 'NVIDIA GeForce RTX 3090', vendor: 'nvidia'}]},
  ])
    expect(json(['check', 'qwen3-8b', '--machine', file('by-hand.json', JSON.stringify(document))]).value.hardware).toMatchObject({gpu: 'rtx-3090', gpus: 1})
})

it('what detect prints is taken back', () => {
  const detected = servefit(['detect', '--replay', 'test/fixtures/detect/machines/2x3090-nvlink.md', '--json']).stdout
  expect(json(['check', 'qwen3-14b', '--machine', '-'], detected).value.hardware).toMatchObject({gpu: 'rtx-3090', gpus: 2})
})
