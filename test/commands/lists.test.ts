import {describe, expect, it} from 'vitest'
import {servefit} from './spawn.ts'

const json = (...args: string[]) => JSON.parse(servefit([...args, '--json']).stdout)
const error = (...args: string[]) => {
  expect(servefit(args).code).toBe(2)
  return json(...args).error
}
const ids = (list: {id: string}[]): string[] => list.map(({id}) => id)

describe('machines', () => {
  it('lists them all, and what is in them', () => {
    const {schemaVersion, machines} = json('machines')
    expect(schemaVersion).toBe(2)
    expect(machines.length).toBeGreaterThanOrEqual(92)
    expect(machines.find(({id}: {id: string}) => id === 'dgx-h200')).toMatchObject({gpus: [{id: 'h200-sxm', count: 8}], kind: 'server', link: {kind: 'nvlink'}})
    const {stdout} = servefit(['machines'], {env: {COLUMNS: '80'}})
    // 8 x 143771 MiB are 1,123 GiB.
    expect(stdout).toMatch(/^dgx-h200 +8 x h200-sxm +1,123 +NVLink/m)
    for (const {id} of machines) expect(stdout).toContain(id)
    expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([])
  })

  it('shows one by its name or another name of it', () => {
    for (const name of ['dgx-h200', 'DGX H200', 'NVIDIA DGX H200']) expect(json('machines', name).machine.id).toBe('dgx-h200')
    const {stdout, code} = servefit(['machines', 'dgx-h200'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/GPUs +8 x h200-sxm, 140\.4 GiB each/)
    expect(stdout).toMatch(/Linked by +NVLink among 8 GPUs/)
    expect(stdout).toContain('servefit check qwen3-32b --machine dgx-h200')
  })

  it('lists those that a word is found in', () => {
    const found = json('machines', 'h200').machines
    expect(ids(found)).toEqual(expect.arrayContaining(['dgx-h200', 'p5en-48xlarge', 'h200-nvl-8x']))
    for (const {gpus, id} of found) expect(`${id} ${gpus[0].id}`).toContain('h200')
  })

  it('every machine can be shown and asked about', () => {
    for (const id of ['cpu-xeon-6980p-2s', 'dgx-spark-2x', 'gb300-nvl72', 'mac-studio-m4-max-128gb', 'arc-pro-b60-dual-4x'])
      expect(servefit(['machines', id]).code, id).toBe(0)
  })

  it('names close ones for a name that is none', () => {
    expect(error('machines', 'dgx-h2000')).toMatchObject({code: 'MACHINE_UNKNOWN', suggestions: expect.arrayContaining(['dgx-h200'])})
    expect(error('machines', 'zzz').message).toContain('"zzz"')
  })
})

describe('gpus and engines', () => {
  it('shows one GPU by id, nickname or the name that its driver prints', () => {
    for (const name of ['rtx-4090', '4090', 'NVIDIA GeForce RTX 4090']) expect(json('gpus', name)).toMatchObject({schemaVersion: 2, gpu: {id: 'rtx-4090'}})
    const {stdout} = servefit(['gpus', 'rtx-4090'])
    expect(stdout).toMatch(/Memory +24\.0 GiB/)
    expect(stdout).toMatch(/Bandwidth +1,008 GB\/s/)
    expect(stdout).toMatch(/compute capability 8\.9/)
  })

  it('lists GPUs that a word is found in, and all of them', () => {
    const found = json('gpus', 'blackwell').gpus
    expect(ids(found)).toEqual(expect.arrayContaining(['b200-sxm', 'rtx-5090']))
    expect(found.every(({architecture, name}: {architecture?: string; name: string}) => `${architecture} ${name}`.includes('Blackwell'))).toBe(true)
    expect(json('gpus')).toMatchObject({schemaVersion: 2, gpus: expect.any(Array)})
    expect(error('gpus', 'rtx-4900')).toMatchObject({code: 'GPU_UNKNOWN', suggestions: expect.arrayContaining(['rtx-4090'])})
  })

  it('shows one engine by any name of it', () => {
    for (const name of ['trtllm', 'TensorRT-LLM']) expect(json('engines', name)).toMatchObject({schemaVersion: 2, engine: {id: 'trtllm'}})
    expect(servefit(['engines', 'vllm']).stdout).toMatch(/Releases +0\.8\.0, /)
    expect(ids(json('engines').engines)).toEqual(['vllm', 'sglang', 'trtllm'])
    expect(error('engines', 'vlm')).toMatchObject({code: 'ENGINE_UNKNOWN', suggestions: ['vllm']})
    // A command below it is still found.
    expect(servefit(['engines', 'support', 'qwen3-32b', '--gpu', '1xl4']).code).toBe(0)
  })
})

describe('models by words', () => {
  const found = (...words: string[]): string[] => ids(json('models', ...words).models)

  it('of the name, the task, the licence, the publisher, the size', () => {
    expect(found('qwen3', 'coder')).toEqual(expect.arrayContaining(['qwen3-coder-next', 'qwen3-coder-30b-a3b-instruct']))
    const coding = found('coding', 'apache')
    expect(coding).toEqual(expect.arrayContaining(['qwen3-coder-next', 'devstral-small-2507']))
    expect(coding).not.toContain('qwen3-32b')
    expect(coding).not.toContain('codellama-34b-instruct')
    expect(found('vision', 'google')).toEqual(expect.arrayContaining(['gemma-3-4b', 'gemma-4-31b']))
    expect(found('reasoning')).toEqual(expect.arrayContaining(['deepseek-r1', 'qwq-32b', 'kimi-k2-thinking']))
  })

  it('a size is that of the name, or of the parameters where the name says none', () => {
    const seven = found('7b')
    expect(seven).toContain('qwen2.5-7b-instruct')
    for (const id of seven) expect(id).not.toMatch(/(?:^|-)(?:27|67|47|2\.7|1\.7|0\.7)b/)
    expect(found('30b-a3b')).toEqual(expect.arrayContaining(['qwen3-30b-a3b', 'qwen3-coder-30b-a3b-instruct']))
    expect(found('30b-a3b')).not.toContain('qwen3-vl-32b-instruct')
    // 671 billion; the name has no size.
    expect(found('671b')).toContain('deepseek-r1')
    expect(found('15b')).not.toContain('qwen2.5-14b-instruct')
  })

  it('in several words or one text, beside flags, and with --fits', () => {
    expect(found('qwen3 coder')).toEqual(found('qwen3', 'coder'))
    expect(found('coding', '--max-params', '10b')).toContain('starcoder2-7b')
    expect(found('coding', '--max-params', '10b')).not.toContain('qwen3-coder-next')
    const {models} = json('models', 'coding', '--fits', '--gpu', '4xrtx-3090')
    expect(ids(models)).toContain('qwen3-coder-next')
    expect(ids(models)).not.toContain('qwen3-32b')
  })

  it('a misspelt word is told, with those that are close', () => {
    expect(error('models', 'qwn3')).toMatchObject({code: 'WORD_UNKNOWN', suggestions: expect.arrayContaining(['qwen3'])})
    expect(error('models', 'codng').suggestions).toContain('coding')
    expect(error('models', 'coding', 'apacke').suggestions).toContain('apache')
    // Words that fit models, but none together, are an empty list.
    const none = servefit(['models', 'codellama', 'mit'])
    expect(none.code).toBe(0)
    expect(none.stdout).toBe('No catalogued model matches all of that.\n')
    expect(servefit(['models', '--nonsense']).code).toBe(2)
  })
})

describe('help', () => {
  it('alone is the list of commands, and with a command what --help says of it', () => {
    expect(servefit(['help'])).toEqual(servefit(['--help']))
    expect(servefit(['help', 'check'])).toEqual(servefit(['check', '--help']))
    expect(servefit(['help', 'models', 'show'])).toEqual(servefit(['models', 'show', '--help']))
    expect(servefit(['help']).stdout).toContain('machines')
    expect(servefit(['help']).code).toBe(0)
  })
})
