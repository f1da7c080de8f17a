import {cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync} from 'node:fs'
import {tmpdir} from 'node:os'
import {join} from 'node:path'
import {afterAll, beforeAll, describe, expect, it} from 'vitest'
import {actingIn, HOSTILE, HOSTILE_TEXT, hostileCopies, hostileLines, hostileThroughout} from './hostile.ts'
import {fixture, inProcess} from './in-process.ts'
import {gguf} from '../import/support/gguf.ts'
import {hubFor, serverWith} from '../import/support/hub-server.ts'
import {safetensors, withHeader} from '../import/support/safetensors.ts'
import {TINY_QWEN3, TINY_QWEN3_KEYS, tinyQwen3Gguf, tinyQwen3Tensors} from '../import/support/tiny-models.ts'
import {root, servefit} from './spawn.ts'

interface ManifestFlag {
  type: 'boolean' | 'option'
  options?: string[]
}
const manifest = JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8')) as {
  commands: Record<string, {args?: Record<string, unknown>; flags: Record<string, ManifestFlag>}>
}

const CARD = ['--gpu', '1xh100-sxm']
const LOAD = ['--input-tokens', '500', '--output-tokens', '100', '--concurrency', '2']

let folder = ''
let before = ''
/** Files that commands write by the way lie here too. */
beforeAll(() => {
  before = process.cwd()
  folder = mkdtempSync(join(tmpdir(), 'servefit-test-'))
  process.chdir(folder)
})
afterAll(() => {
  process.chdir(before)
  rmSync(folder, {recursive: true, force: true})
})

const file = (name: string, text: string | Buffer): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const jsonFile = (name: string, value: unknown): string => file(name, JSON.stringify(value))

/** Runs a command as text and as JSON: neither holds anything that acts, and the JSON is one document. */
async function tame(words: string[], {as = words.slice(0, 2).join(' '), text = true, json = true, environment = {} as Record<string, string>} = {}) {
  const said: string[] = []
  for (const asJson of [...(text ? [false] : []), ...(json ? [true] : [])]) {
    // Behind -- stands an engine's own command.
    const at = words.indexOf('--')
    const {stdout, stderr, code} = await inProcess(
      asJson ? [...words.slice(0, at < 0 ? undefined : at), '--json', ...(at < 0 ? [] : words.slice(at))] : words,
      environment,
    )
    expect(actingIn(stdout), `${as}: standard output`).toBeUndefined()
    expect(actingIn(stderr), `${as}: standard error`).toBeUndefined()
    expect([0, 1, 2], `${as}: ${stdout}${stderr}`).toContain(code)
    if (asJson) JSON.parse(stdout)
    said.push(stdout + stderr)
  }
  return said
}

/** Files under a folder. */
const filesIn = (path: string): string[] =>
  existsSync(path)
    ? readdirSync(path, {recursive: true, withFileTypes: true}).flatMap((entry) => (entry.isFile() ? [join(entry.parentPath, entry.name)] : []))
    : []

describe('hostile values of flags and arguments', () => {
  /** A command line of each command that answers, which a value is added to. */
  const BASES: Record<string, string[]> = {
    batch: ['batch', join(root, 'examples', 'scenarios.jsonl')],
    calibrate: ['calibrate', join(root, 'examples', 'benchmark.json'), '--dry-run', ...CARD],
    capacity: ['capacity', '--model', 'qwen3-8b', '--users', '4', '--machine', 'dgx-h200'],
    check: ['check', 'qwen3-8b'],
    compare: ['compare', 'qwen3-8b'],
    config: ['config', 'qwen3-8b'],
    detect: ['detect'],
    diff: ['diff', join(root, 'examples', 'before.json'), join(root, 'examples', 'after.json')],
    'models:import': ['models', 'import', fixture('configs', 'qwen3-14b.json')],
    models: ['models', 'qwen'],
    'models:show': ['models', 'show', 'qwen3-8b'],
    plan: ['plan', 'qwen3-8b'],
    verify: ['verify', fixture('verify', 'vllm-0.11.1-qwen3-8b-rtx-4090.log')],
    here: ['here'],
    'engines:support': ['engines', 'support', 'qwen3-8b'],
  }
  /** These wait for more: only what is refused before that is asked. */
  const SERVING: Record<string, string[]> = {web: ['web', '--no-detect'], mcp: ['mcp']}

  it('of every argument of every command', async () => {
    for (const [id, {args = {}}] of Object.entries(manifest.commands)) {
      if (Object.keys(args).length === 0 || id in SERVING) continue
      const words = id.split(':')
      const needs =
        id === 'capacity' || id === 'verify' || id === 'calibrate' || id === 'check' || id === 'plan' || id === 'compare' || id === 'config' ? CARD : []
      await tame([...words, HOSTILE, ...needs], {as: id})
      await tame([...words, `Qwen/Qwen3${HOSTILE}`, ...needs], {as: id, json: false})
      if (Object.keys(args).length > 1)
        await tame([...words, fixture('configs', 'qwen3-14b.json'), HOSTILE, ...(id === 'models:import' ? ['--save', '--force'] : needs)], {
          as: id,
          json: false,
        })
    }
  })

  it('of every flag of every command', async () => {
    let tried = 0
    for (const [id, {flags}] of Object.entries(manifest.commands)) {
      for (const [flag, {type}] of Object.entries(flags)) {
        // Refused as a value that is none, or one too many.
        if (type === 'boolean') continue
        if (id in SERVING) {
          if (flag === 'port') await tame([...SERVING[id]!, `--${flag}`, HOSTILE], {as: `${id} --${flag}`})
          continue
        }
        const base = BASES[id] ?? id.split(':')
        const card = 'gpu' in flags && flag !== 'gpu' && flag !== 'machine' && !base.includes('--machine') && !base.includes('--gpu') ? CARD : []
        await tame([...base, ...card, `--${flag}`, HOSTILE], {as: `${id} --${flag}`, json: tried % 5 === 0})
        tried += 1
      }
    }
    expect(tried).toBeGreaterThan(300)
    // Files that were asked for by such names hold nothing that acts either.
    for (const path of filesIn(folder)) expect(actingIn(readFileSync(path, 'utf8')), JSON.stringify(path)).toBeUndefined()
  })

  it('behind what such a flag usually begins with', async () => {
    for (const [flag, begun] of Object.entries({
      gpu: ['1xh100-sxm', '1xh100-sxm:', '1xcard:memory=20GiB,', 'x', '1xa100-80gb-sxm:1g.10gb'],
      machine: ['dgx-h200', './'],
      engine: ['vllm'],
      'engine-version': ['0.28.0', '99.1.0'],
      weights: ['fp8'],
      'kv-cache': ['fp8'],
      speculative: ['mtp:2', 'eagle3:', 'draft_model:3:'],
      draft: ['org/model'],
      lora: ['4:16', 'org/adapter'],
      'engine-flag': ['--quantization=', '--no-such-', '--trust-remote-code=', '--served-model-name='],
      set: ['--served-model-name=', '--no-such-', '--api-key=', '--chat-template=', '--host='],
      'limit-mm-per-prompt': ['image=1', ''],
      'lora-target-modules': ['q_proj', ''],
      format: ['docker'],
      scenario: ['./'],
      'reserved-bytes-per-gpu': ['2GiB'],
      'fail-on': ['tight,', 'warning:'],
    }))
      for (const value of begun)
        for (const command of ['check', 'config', 'plan']) {
          if (!(flag in manifest.commands[command]!.flags)) continue
          const card = flag === 'gpu' || flag === 'machine' ? [] : CARD
          await tame([command, 'qwen3-8b', ...card, `--${flag}`, `${value}${HOSTILE}`], {as: `${command} --${flag} ${value}`, json: command === 'check'})
        }
  })

  it("of an engine's own command", async () => {
    for (const words of [
      ['vllm', 'serve', `Qwen/Qwen3-8B${HOSTILE}`],
      ['vllm', 'serve', 'Qwen/Qwen3-8B', '--quantization', HOSTILE, '--served-model-name', HOSTILE],
      ['vllm', 'serve', 'Qwen/Qwen3-8B', `--${HOSTILE}`, HOSTILE],
      ['vllm', 'serve', 'Qwen/Qwen3-8B', '--speculative-config', `{"method": "${HOSTILE.replaceAll('\\', '')}"}`],
      [`VLLM_${HOSTILE}=1`, 'VLLM_USE_V1=\u001B[2J', 'vllm', 'serve', 'Qwen/Qwen3-8B'],
      ['python3', '-m', 'sglang.launch_server', '--model-path', `Qwen/Qwen3-8B${HOSTILE}`, '--kv-cache-dtype', HOSTILE],
      ['trtllm-serve', `Qwen/Qwen3-8B${HOSTILE}`, '--backend', HOSTILE],
      ['docker', 'run', '-e', `A=${HOSTILE}`, `vllm/vllm-openai:${HOSTILE}`, '--model', `Qwen/Qwen3-8B`, '--host', HOSTILE],
      ['sh', '-c', `vllm serve "Qwen/Qwen3-8B" ${HOSTILE}`],
      [HOSTILE, 'serve'],
    ]) {
      await tame(['check', ...CARD, '--', ...words], {as: `check -- ${words[0]}`})
      await tame(['config', ...CARD, '--', ...words], {as: `config -- ${words[0]}`, json: false})
    }
  })

  it('in the environment', async () => {
    for (const [name, value] of Object.entries({
      XDG_CONFIG_HOME: join(folder, `no${HOSTILE}`),
      HF_HOME: join(folder, `no${HOSTILE}`),
      HF_ENDPOINT: `http://127.0.0.1:1/${HOSTILE}`,
      HF_TOKEN: HOSTILE,
      COLUMNS: HOSTILE,
      CUDA_VISIBLE_DEVICES: `GPU-${HOSTILE}`,
      ROCR_VISIBLE_DEVICES: HOSTILE,
      SERVEFIT_CATALOGUE: HOSTILE,
    }).filter(([, text]) => !text.includes('\u0000'))) {
      await tame(['check', 'nobody/nothing', ...CARD], {
        as: `check with ${name}`,
        environment: {[name]: value, ...(name === 'HF_ENDPOINT' && {HF_HUB_OFFLINE: ''})},
      })
      await tame(['detect'], {as: `detect with ${name}`, environment: {[name]: value}})
    }
  })
})

describe('hostile models', () => {
  const config = () => JSON.parse(readFileSync(fixture('configs', 'qwen3-14b.json'), 'utf8')) as Record<string, unknown>

  it('every field of a configuration, in a folder with a hostile name', async () => {
    const model = join(folder, `ft${HOSTILE}`)
    mkdirSync(model)
    const quantized = {
      ...config(),
      _name_or_path: 'org/base',
      quantization_config: {quant_method: 'fp8', weight_block_size: [128, 128], activation_scheme: 'dynamic'},
    }
    let copies = 0
    for (const copy of hostileCopies(quantized)) {
      writeFileSync(join(model, 'config.json'), JSON.stringify(copy))
      await tame(['models', 'import', model], {as: `copy ${copies}`, json: copies % 8 === 0})
      copies += 1
    }
    expect(copies).toBeGreaterThan(35)
    writeFileSync(join(model, 'config.json'), JSON.stringify(config()))
    for (const command of ['check', 'plan', 'compare', 'config', 'models show', 'models import', 'engines support'])
      await tame([...command.split(' '), model, ...(command.startsWith('models') ? [] : CARD), ...(command === 'plan' || command === 'check' ? LOAD : [])], {
        as: command,
      })
  })

  it("a catalogue of models of one's own", async () => {
    cpSync(fixture('configs', 'qwen3-14b.json'), join(folder, 'plain.json'))
    const own = join(folder, 'own')
    const {code, stderr} = await inProcess(['models', 'import', join(folder, 'plain.json'), join(own, 'mine.yaml'), '--save', '--repository', 'me/mine'])
    expect(code, stderr).toBe(0)
    const saved = readFileSync(join(own, 'mine.yaml'), 'utf8')
    const hostile = JSON.stringify(HOSTILE_TEXT).slice(1, -1)
    for (const field of ['name', 'family', 'licence', 'hfId', 'id', 'weights', 'className']) {
      const changed = saved.replace(new RegExp(`^(\\s*(?:- )?${field}: )"?([^"\\n]*)"?$`, 'm'), `$1"$2${hostile.replaceAll('$', '$$$$')}"`)
      writeFileSync(join(own, 'mine.yaml'), changed)
      for (const words of [
        ['models', '--catalogue', own],
        ['check', 'mine', ...CARD, '--catalogue', own],
        ['models', 'show', 'mine', '--catalogue', own],
      ])
        await tame(words, {as: `${words[0]} with ${field}`, json: words[0] === 'models'})
    }
  })
})

describe('hostile machines', () => {
  const card = {
    index: 0,
    id: 'rtx-3090',
    name: 'NVIDIA GeForce RTX 3090',
    vendor: 'nvidia',
    memoryBytes: 24 * 2 ** 30,
    computeCapability: 8.6,
    architecture: 'Ampere',
    driver: '570.1',
    processes: [{name: 'python', usedBytes: 2 ** 30}],
  }
  const machine = {
    schemaVersion: 2,
    hostname: 'box',
    gpus: [card, {...card, index: 1}],
    cpu: {name: 'AMD EPYC', cores: 8},
    disk: [{use: 'checkpoints', path: '/data', totalBytes: 2 ** 40, freeBytes: 2 ** 39}],
    containers: {engines: ['docker 27'], nvidiaToolkit: true},
    problems: [{code: 'memory-unknown', message: 'a message', remedy: 'a remedy'}],
  }

  it('every field of a document', async () => {
    let copies = 0
    for (const copy of [hostileThroughout(machine), ...hostileCopies(machine)]) {
      const path = jsonFile('machine.json', copy)
      await tame(['check', 'qwen3-8b', '--machine', path], {as: `copy ${copies}`, json: copies % 8 === 0})
      copies += 1
    }
    expect(copies).toBeGreaterThan(25)
    for (const command of ['plan', 'compare', 'config', 'models --fits', 'engines support', 'capacity --users 2 --model', 'here']) {
      for (const hostname of [`box${HOSTILE_TEXT}`, 'box']) {
        const path = jsonFile('machine.json', {
          ...machine,
          hostname,
          gpus: machine.gpus.map(({name, id: _id, ...rest}) => ({...rest, name: `${name}${HOSTILE_TEXT}`})),
        })
        await tame([...command.split(' '), ...(command === 'models --fits' || command === 'here' ? [] : ['qwen3-8b']), '--machine', path], {as: command})
      }
    }
  })

  it('outputs of tools', async () => {
    const folderOf = fixture('detect')
    for (const name of readdirSync(folderOf).filter((one) => /\.(txt|csv|json|xml)$/.test(one)))
      for (const from of [0, 1]) {
        const text = readFileSync(join(folderOf, name), 'utf8')
        const path = file('pasted.txt', hostileLines(text, 2, from))
        await tame(['check', 'qwen3-8b', '--machine', path], {as: name, json: from === 0})
      }
  })

  it('recordings that are read again', async () => {
    const folderOf = fixture('detect', 'machines')
    for (const name of readdirSync(folderOf))
      for (const from of [0, 1, 2]) {
        const path = file('report.md', hostileLines(readFileSync(join(folderOf, name), 'utf8'), 3, from, HOSTILE))
        await tame(['detect', '--replay', path], {as: `${name} ${from}`, json: from === 0})
      }
  })
})

describe('hostile questions', () => {
  const scenario = {
    model: 'qwen3-8b',
    gpu: '1xh100-sxm',
    engine: 'vllm',
    engineVersion: '0.28.0',
    weights: 'bf16',
    kvCache: 'auto',
    speculative: {method: 'ngram', tokens: 3, draft: 'org/draft'},
    lora: {count: 2, maxRank: 16, targets: ['q_proj']},
    multimodal: {limits: {image: 1}},
    engineFlags: {'--served-model-name': 'mine', '--seed': 1},
    workload: {inputTokens: 100, outputTokens: 100, concurrency: 2},
  }

  it('every field of a scenario, and the names of its fields', async () => {
    let copies = 0
    for (const copy of hostileCopies(scenario)) {
      const path = jsonFile(`q${HOSTILE}.json`, copy)
      await tame(['check', '--scenario', path], {as: `copy ${copies}`, json: copies % 4 === 0})
      await tame(['config', '--scenario', path], {as: `copy ${copies}`, json: false})
      copies += 1
    }
    expect(copies).toBeGreaterThan(30)
  })

  it('lines of a batch, with reports for pipelines', async () => {
    const path = file(
      'lines.jsonl',
      [...hostileCopies(scenario)].map((copy, index) => JSON.stringify({id: `${index}${HOSTILE_TEXT}`, ...(copy as object)})).join('\n') +
        `\n{"model": "${HOSTILE.replaceAll('\\', '')}\n${HOSTILE}\n`,
    )
    const {stdout, stderr} = await inProcess(['batch', path, '--junit', 'cases.xml', '--sarif', 'cases.sarif', '--fail-on', 'tight'])
    expect(actingIn(stdout + stderr)).toBeUndefined()
    for (const line of stdout.trimEnd().split('\n')) JSON.parse(line)
    for (const report of ['cases.xml', 'cases.sarif']) expect(actingIn(readFileSync(report, 'utf8')), report).toBeUndefined()
  })

  it('files of a fleet, traces, results to compare', async () => {
    const {parse} = await import('yaml')
    const fleet = parse(readFileSync(join(root, 'examples', 'fleet.yaml'), 'utf8')) as unknown
    let copies = 0
    for (const copy of hostileCopies(fleet)) {
      await tame(['capacity', jsonFile('fleet.json', copy)], {as: `fleet ${copies}`, json: copies % 4 === 0})
      copies += 1
    }
    const trace = file('trace.csv', hostileLines(readFileSync(join(root, 'examples', 'requests.csv'), 'utf8'), 3, 0))
    await tame(['capacity', '--model', 'qwen3-8b', '--trace', trace, '--machine', 'dgx-h200'], {as: 'trace'})
    const [one, other] = ['before.json', 'after.json'].map((name) => JSON.parse(readFileSync(join(root, 'examples', name), 'utf8')) as unknown)
    await tame(['diff', jsonFile('one.json', hostileThroughout(one)), jsonFile('other.json', other)], {as: 'diff'})
    await tame(['diff', jsonFile('one.json', one), jsonFile('other.json', hostileThroughout(other))], {as: 'diff'})
  })
})

describe('hostile logs and results', () => {
  it('lines of logs', async () => {
    for (const name of readdirSync(fixture('verify')).filter((one) => one.endsWith('.log')))
      for (const from of [0, 1, 2, 3]) {
        const path = file('start.log', hostileLines(readFileSync(fixture('verify', name), 'utf8'), 4, from))
        await tame(['verify', path, '--gpu', '1xrtx-4090', '--model', 'qwen3-8b'], {as: `${name} ${from}`, json: from === 0})
      }
  })

  it('results of benchmarks, and what was saved of them', async () => {
    for (const name of readdirSync(fixture('verify')).filter((one) => /\.(json|jsonl|csv|md)$/.test(one))) {
      const text = readFileSync(fixture('verify', name), 'utf8')
      const hostile = name.endsWith('.json') ? JSON.stringify(hostileThroughout(JSON.parse(text) as unknown)) : hostileLines(text, 1, 0)
      const path = file(`bench-${name}`, hostile)
      await tame(['verify', '--bench', path, '--model', 'qwen3-8b', ...CARD], {as: name})
      await tame(['calibrate', path, '--dry-run', '--model', 'qwen3-8b', ...CARD], {as: `calibrate ${name}`})
    }
    const settings = join(folder, `settings${HOSTILE}`)
    mkdirSync(join(settings, 'servefit'), {recursive: true})
    for (const text of [
      HOSTILE,
      `{"schemaVersion": "${'\\u001b[2J'}"}`,
      JSON.stringify({schemaVersion: 1, corrections: [{gpu: HOSTILE_TEXT}], calibrations: [{place: HOSTILE_TEXT}]}),
    ]) {
      writeFileSync(join(settings, 'servefit', 'measured.json'), text)
      await tame(['check', 'qwen3-8b', ...CARD], {as: 'measured.json', environment: {XDG_CONFIG_HOME: settings}})
    }
  })
})

describe('hostile hubs', () => {
  /** Offline is what tests are without being told. */
  const asked = (url: string) => ({HF_HUB_OFFLINE: '', HF_ENDPOINT: url, HF_TOKEN: '', HF_HOME: join(folder, 'no-cache')})

  it('answers with hostile fields, names of files and headers of weights', async () => {
    const listing = {
      id: 'Acme/Tiny',
      sha: '0123abc',
      cardData: {license: 'mit', base_model: 'Acme/Base', language: ['en']},
      config: {architectures: ['Qwen3ForCausalLM']},
      pipeline_tag: 'text-generation',
      library_name: 'transformers',
    }
    const weights = safetensors(tinyQwen3Tensors())
    for (const copy of [hostileThroughout(listing), ...hostileCopies(listing)]) {
      const hub = await serverWith(
        hubFor('Acme/Tiny', {'config.json': TINY_QWEN3, 'model.safetensors': weights, [`adapter${HOSTILE}.safetensors`]: weights}, {listing: copy as object}),
      )
      await tame(['check', 'Acme/Tiny', ...CARD], {as: 'hub', json: false, environment: asked(hub.url)})
    }
    const hostile = [hostileThroughout(TINY_QWEN3), {...TINY_QWEN3, architectures: [HOSTILE_TEXT]}, {...TINY_QWEN3, model_type: HOSTILE_TEXT}]
    for (const config of hostile) {
      const hub = await serverWith(hubFor('Acme/Tiny', {'config.json': config as object, 'model.safetensors': weights}))
      await tame(['models', 'import', 'Acme/Tiny'], {as: 'hub configuration', environment: asked(hub.url)})
    }
    const entry = (name: string, dtype: string, more: object = {}) =>
      withHeader(JSON.stringify({[name]: {dtype, shape: [2, 2], data_offsets: [0, 8], ...more}}), 8)
    for (const file of [
      entry(`model${HOSTILE_TEXT}`, 'BF16'),
      entry('model', HOSTILE_TEXT),
      entry('model', 'BF16', {[HOSTILE_TEXT]: 1}),
      withHeader(HOSTILE),
      withHeader(`{"__metadata__": {"format": ${JSON.stringify(HOSTILE_TEXT)}}}`),
    ]) {
      const hub = await serverWith(hubFor('Acme/Tiny', {'config.json': TINY_QWEN3, 'model.safetensors': file}))
      await tame(['models', 'import', 'Acme/Tiny'], {as: 'hub weights', environment: asked(hub.url)})
    }
  })

  it('fails in hostile words', async () => {
    // What a header may hold at all: bytes from 0x80 on, and tabs.
    const words = '\u009B31m\u0085\u00AD\tx'
    for (const [status, headers, body] of [
      [404, {'x-error-code': 'RepoNotFound', 'x-error-message': words}, HOSTILE],
      [401, {'x-error-code': words, 'x-error-message': words}, HOSTILE],
      [403, {'x-error-message': words}, JSON.stringify({error: HOSTILE_TEXT})],
      [500, {}, HOSTILE],
      [302, {location: `/${words}`}, ''],
      [302, {location: `ftp://${encodeURIComponent(HOSTILE)}`}, ''],
      [200, {'content-type': words}, HOSTILE],
      [200, {}, JSON.stringify({id: HOSTILE_TEXT, sha: HOSTILE_TEXT, siblings: [{rfilename: HOSTILE_TEXT}]})],
    ] as const) {
      const hub = await serverWith((_request, response) => void response.writeHead(status, '', headers).end(body))
      await tame(['check', 'Acme/Tiny', ...CARD], {as: `status ${status}`, environment: asked(hub.url)})
    }
  }, 120_000)

  it('gives files with hostile names and texts in GGUF', async () => {
    const tensors = tinyQwen3Gguf('Q4_K')
    for (const [key, value] of Object.entries(TINY_QWEN3_KEYS)) {
      const keys = typeof value === 'string' ? {...TINY_QWEN3_KEYS, [key]: `${value}${HOSTILE}`} : {...TINY_QWEN3_KEYS, [`${key}${HOSTILE}`]: value}
      writeFileSync(join(folder, `m${HOSTILE}.gguf`), gguf(keys, tensors))
      await tame(['check', join(folder, `m${HOSTILE}.gguf`), ...CARD], {as: `GGUF ${key}`})
    }
    const names = {...TINY_QWEN3_KEYS, 'general.name': HOSTILE, 'general.license': HOSTILE, 'general.basename': HOSTILE, 'tokenizer.ggml.model': HOSTILE}
    writeFileSync(join(folder, 'm.gguf'), gguf(names, tensors))
    for (const command of ['check', 'plan', 'compare', 'config', 'models show', 'models import'])
      await tame([...command.split(' '), join(folder, 'm.gguf'), ...(command.startsWith('models') ? [] : CARD)], {as: `GGUF ${command}`})
  })
})

describe('hostile words to what is spoken elsewhere', () => {
  it('completion offers nothing that acts', () => {
    for (const words of [['check', HOSTILE], [HOSTILE, ''], ['check', '--gpu', `1xh100${HOSTILE}`], [`--${HOSTILE}`], ['models', 'show', HOSTILE, '']]) {
      const {stdout, stderr} = servefit(['__complete', ...words])
      expect(actingIn(stdout + stderr, /\t/)).toBeUndefined()
    }
  })

  it('the protocol carries them escaped, and its texts not at all', () => {
    const call = (id: number, name: string, given: object) => JSON.stringify({jsonrpc: '2.0', id, method: 'tools/call', params: {name, arguments: given}})
    const input = [
      JSON.stringify({
        jsonrpc: '2.0',
        id: 0,
        method: 'initialize',
        params: {protocolVersion: '2025-06-18', capabilities: {}, clientInfo: {name: HOSTILE, version: '1'}},
      }),
      JSON.stringify({jsonrpc: '2.0', method: 'notifications/initialized'}),
      call(1, 'check', {model: 'qwen3-8b', gpu: '1xh100-sxm', engineFlags: {'--served-model-name': HOSTILE_TEXT}}),
      call(2, 'check', {model: HOSTILE_TEXT, gpu: '1xh100-sxm'}),
      call(3, HOSTILE_TEXT, {}),
      call(4, 'check', {model: 'qwen3-8b', [HOSTILE_TEXT]: 1}),
      call(5, 'config', {model: 'qwen3-8b', gpu: '1xh100-sxm', set: [`--served-model-name=${HOSTILE_TEXT}`]}),
      call(6, 'gpus', {name: HOSTILE_TEXT}),
      call(7, 'verify', {logs: [HOSTILE_TEXT], gpu: '1xh100-sxm'}),
    ].join('\n')
    const {stdout, stderr} = servefit(['mcp', '--offline'], {input: `${input}\n`})
    expect(actingIn(stdout + stderr)).toBeUndefined()
    const messages = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as {id: number; result?: {content?: {text: string}[]}})
    expect(messages.map(({id}) => id).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
    for (const {result} of messages) for (const {text} of result?.content ?? []) expect(actingIn(text)).toBeUndefined()
  })

  it('DEBUG shows where an error happened, and nothing that acts', () => {
    const {stderr} = servefit(['check', HOSTILE, ...CARD], {env: {DEBUG: 'servefit'}})
    expect(stderr).toContain('\n    at ')
    expect(actingIn(stderr)).toBeUndefined()
  })

  it('names of commands that are none, and help for them', () => {
    for (const words of [
      [HOSTILE],
      ['help', HOSTILE],
      [HOSTILE, '--help'],
      ['models', HOSTILE, '--help'],
      ['check', `--${HOSTILE}`],
      ['check', `-${HOSTILE}`],
      ['engines', HOSTILE, HOSTILE],
    ]) {
      const {stdout, stderr, code} = servefit(words)
      expect(actingIn(stdout + stderr), words.join(' ')).toBeUndefined()
      expect([0, 2], stderr).toContain(code)
    }
  })
})

describe('what is handed on', () => {
  it('reports and start files of a hostile model on a hostile machine', async () => {
    const model = join(folder, `report${HOSTILE}`)
    mkdirSync(model)
    cpSync(fixture('configs', 'qwen3-14b.json'), join(model, 'config.json'))
    const machine = jsonFile('hostile-machine.json', {
      hostname: HOSTILE_TEXT,
      gpus: [{name: `NVIDIA ${HOSTILE_TEXT} X`, vendor: 'nvidia', memoryBytes: 80 * 2 ** 30, memoryBandwidthBytesPerSecond: 2e12, computeCapability: 9}],
    })
    for (const [command, ...more] of [['check', ...LOAD], ['plan'], ['compare'], ['capacity', '--users', '2']]) {
      const asked = command === 'capacity' ? ['capacity', '--model', model] : [command!, model]
      const html = `${command}${HOSTILE}.html`
      await tame([...asked, '--machine', machine, ...more, '--html', html, ...(command === 'plan' ? ['--svg', 'front.svg'] : [])], {
        as: `${command} --html`,
        json: false,
      })
      await tame([...asked, '--machine', machine, ...more, '--markdown'], {as: `${command} --markdown`, json: false})
      expect(existsSync(html), command).toBe(true)
      expect(actingIn(readFileSync(html, 'utf8')), command).toBeUndefined()
    }
    expect(existsSync('front.svg')).toBe(true)
    expect(actingIn(readFileSync('front.svg', 'utf8'))).toBeUndefined()
  })

  it('every format of config, of a model whose repository and options are hostile', async () => {
    const formats = manifest.commands.config!.flags.format
    expect(formats).toBeDefined()
    for (const format of ['command', 'file', 'docker', 'compose', 'systemd', 'kubernetes', 'leaderworkerset', 'ray', 'slurm', 'dynamo', 'llm-d'])
      for (const engine of ['vllm', 'sglang', 'trtllm']) {
        const set = engine === 'trtllm' ? [] : ['--set', `--served-model-name=${HOSTILE}`]
        await tame(
          ['config', 'qwen3-8b', ...CARD, '--engine', engine, '--format', format, '--engine-version', '', ...set].filter(
            (word, index, all) => word !== '--engine-version' && all[index - 1] !== '--engine-version',
          ),
          {as: `${engine} ${format}`},
        )
      }
  })
})
