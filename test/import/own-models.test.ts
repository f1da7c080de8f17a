import {mkdir, readFile, rm, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {adapterFrom} from '../../src/import/adapter.ts'
import {servefit} from '../commands/spawn.ts'
import {safetensors} from './support/safetensors.ts'
import {folderWith, TINY_QWEN3, tinyQwen3Tensors} from './support/tiny-models.ts'

const folder = () => folderWith({'config.json': {...TINY_QWEN3, _name_or_path: 'Qwen/Qwen3-8B'}, 'model.safetensors': safetensors(tinyQwen3Tensors())})
const ADAPTER = {
  peft_type: 'LORA',
  r: 8,
  rank_pattern: {'layers.1.q_proj': 24},
  target_modules: ['model.q_proj', 'v_proj'],
  base_model_name_or_path: 'Qwen/Qwen3-8B',
}

describe("a folder of one's own", () => {
  it('is what is started, not the base that its configuration names', async () => {
    const path = await folder()
    const {code, stdout} = servefit(['config', './tuned', '--gpu', '1xrtx-4090'], {cwd: await parentOf(path)})
    expect({code, first: stdout.split(/[ \\\n]+/).slice(0, 3)}).toEqual({code: 0, first: ['vllm', 'serve', './tuned']})
  })

  it('is mounted at its absolute path where the working directory is not seen', async () => {
    const parent = await parentOf(await folder())
    for (const format of ['docker', 'compose', 'kubernetes', 'systemd']) {
      const {code, stdout} = servefit(['config', './tuned', '--gpu', '1xrtx-4090', '--format', format], {cwd: parent})
      expect(code, format).toBe(0)
      expect(stdout.split(join(parent, 'tuned')).length - 1, format).toBeGreaterThanOrEqual(2)
      expect(stdout, format).not.toContain(' ./tuned')
    }
  })

  it('without weights is judged, and config says what is missing', async () => {
    const {_name: _unused, ...config} = {_name: '', ...TINY_QWEN3}
    const path = await folderWith({'config.json': config})
    const checked = JSON.parse(servefit(['check', path, '--gpu', '1xrtx-4090', '--json']).stdout)
    expect(checked.verdict).toBe('fits')
    expect(checked.warnings.map(({code}: {code: string}) => code)).toContain('weights-missing')
    expect(servefit(['config', path, '--gpu', '1xrtx-4090'])).toMatchObject({code: 2, stderr: expect.stringContaining('model.safetensors')})
  })

  it('in the cache of the hub goes by its repository', async () => {
    const path = await folder()
    const home = join(path, 'models--Acme--Tuned', 'snapshots', 'abc')
    await mkdir(home, {recursive: true})
    await writeFile(join(home, 'config.json'), JSON.stringify(TINY_QWEN3))
    await writeFile(join(home, 'model.safetensors'), await readFile(join(path, 'model.safetensors')))
    for (const given of [home, join(path, 'models--Acme--Tuned')])
      expect(servefit(['config', given, '--gpu', '1xrtx-4090']).stdout).toMatch(/^vllm serve Acme\/Tuned\b/)
  })
})

/** The folder under a name of its own, in a folder that is the working directory. */
async function parentOf(path: string): Promise<string> {
  const parent = await folderWith({})
  const {rename} = await import('node:fs/promises')
  await rename(path, join(parent, 'tuned'))
  return parent
}

describe("an encoder of one's own", () => {
  // XLM-R large by hand: 250,002 x 1,024 rows; a layer has 4 x 1,024^2 and 2 x 1,024 x 4,096 weights.
  const XLMR = {
    architectures: ['XLMRobertaModel'],
    model_type: 'xlm-roberta',
    hidden_size: 1024,
    intermediate_size: 4096,
    max_position_embeddings: 8194,
    num_attention_heads: 16,
    num_hidden_layers: 24,
    vocab_size: 250_002,
    hidden_act: 'gelu',
    torch_dtype: 'float32',
  }
  it('has the answer of an embedding model, with its two matrices and no cache', async () => {
    const path = await folderWith({'config.json': XLMR})
    const result = JSON.parse(servefit(['check', path, '--gpu', '1xrtx-4090', '--json']).stdout)
    expect(result).toMatchObject({verdict: 'fits', pooling: {task: 'embed'}, deployment: {maxModelLen: 8192}, memory: {kvCacheTokens: 0}})
    expect(result.performance).toBeUndefined()
    expect(result.model.totalParams / (250_002 * 1024 + 24 * 12 * 1024 ** 2)).toBeCloseTo(1, 2)
  })

  it('is a reranker by its class, and a decoder with stages of Sentence Transformers embeds', async () => {
    const ranking = await folderWith({'config.json': {...XLMR, architectures: ['XLMRobertaForSequenceClassification']}})
    expect(JSON.parse(servefit(['check', ranking, '--gpu', '1xrtx-4090', '--json']).stdout).pooling.task).toBe('rerank')
    const embedding = await folderWith({'config.json': TINY_QWEN3, 'modules.json': '[]'})
    const result = JSON.parse(servefit(['check', embedding, '--gpu', '1xrtx-4090', '--json']).stdout)
    expect(result.pooling.task).toBe('embed')
    expect(result.memory.kvCacheTokens).toBeGreaterThan(0)
  })
})

describe("a catalogue of one's own", () => {
  it('is what models import --save writes, and every command reads', async () => {
    const path = await folder()
    const settings = await folderWith({})
    const env = {XDG_CONFIG_HOME: settings}
    const saved = servefit(['models', 'import', path, '--save'], {env, cwd: path})
    expect(saved.code).toBe(0)
    const file = /wrote (.*)\n/.exec(saved.stderr)![1]!
    expect(file.startsWith(join(settings, 'servefit', 'models'))).toBe(true)
    expect(file).toContain(path.replace(/^.*[\\/]/, '').toLowerCase())
    expect(await readFile(file, 'utf8')).toContain(`path: ${path}`)
    const id = file.replace(/^.*[\\/]/, '').replace('.yaml', '')
    const listed = JSON.parse(servefit(['models', '--json'], {env}).stdout) as {models: {id: string}[]}
    expect(listed.models.map((model) => model.id)).toContain(id)
    const {stdout} = servefit(['check', id, '--gpu', '1xrtx-4090', '--json'], {env})
    expect(JSON.parse(stdout).warnings.some(({message}: {message: string}) => message.includes(file))).toBe(true)
    expect(servefit(['config', id, '--gpu', '1xrtx-4090'], {env}).stdout).toContain(path)
  })

  it('may lie anywhere, and a single file of it too', async () => {
    const path = await folder()
    const place = await folderWith({})
    servefit(['models', 'import', path, join(place, 'mine.yaml'), '--save'])
    expect(servefit(['check', 'mine', '--catalogue', place, '--gpu', '1xrtx-4090']).code).toBe(0)
    expect(servefit(['check', join(place, 'mine.yaml'), '--gpu', '1xrtx-4090']).code).toBe(0)
    expect(servefit(['check', 'mine', '--gpu', '1xrtx-4090'])).toMatchObject({code: 2, stderr: expect.stringContaining('No model named')})
  })

  it('goes before what is built in', async () => {
    const path = await folder()
    const place = await folderWith({})
    servefit(['models', 'import', path, join(place, 'qwen3-32b.yaml'), '--save'])
    const {model} = JSON.parse(servefit(['check', 'qwen3-32b', '--catalogue', place, '--gpu', '1xrtx-4090', '--json']).stdout)
    expect(model.totalParams).toBeLessThan(10_000_000)
  })

  it('says which file is wrong, and where a folder is none', async () => {
    const place = await folderWith({'bad.yaml': 'name: x\narchitecture: {}\n'})
    expect(servefit(['check', 'qwen3-32b', '--catalogue', place, '--gpu', '1xrtx-4090'])).toMatchObject({code: 2, stderr: expect.stringContaining('bad.yaml')})
    await rm(place, {recursive: true})
    expect(servefit(['check', 'qwen3-32b', '--catalogue', place, '--gpu', '1xrtx-4090'])).toMatchObject({code: 2, stderr: expect.stringContaining(place)})
  })
})

describe('adapters', () => {
  it('are read by rank, modules and base; a pattern says no modules', () => {
    expect(adapterFrom(ADAPTER, './a')).toEqual({rank: 24, targets: ['q_proj', 'v_proj'], base: 'Qwen/Qwen3-8B'})
    expect(adapterFrom({r: 4, target_modules: 'all-linear'}, './a')).toEqual({rank: 4})
    expect(() => adapterFrom({peft_type: 'IA3', r: 4}, './a')).toThrow('IA3')
    expect(() => adapterFrom({peft_type: 'LORA'}, './a')).toThrow('r')
  })

  it('given as a model say how to ask', async () => {
    const path = await folderWith({'adapter_config.json': ADAPTER})
    expect(servefit(['check', path, '--gpu', '1xrtx-4090'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`servefit check Qwen/Qwen3-8B --lora ${path}`),
    })
  })

  it('are served by name, with the rank and the modules of all', async () => {
    const path = await folderWith({'adapter_config.json': ADAPTER})
    const {stdout} = servefit(['config', 'Qwen/Qwen3-8B', '--gpu', '1xh100-sxm', '--lora', path])
    expect(stdout).toContain('--enable-lora')
    expect(stdout).toContain('--max-lora-rank 32')
    expect(stdout).toContain('--lora-target-modules q_proj v_proj')
    expect(stdout).toContain(`=${path}`)
    expect(servefit(['config', 'Qwen/Qwen3-8B', '--gpu', '1xh100-sxm', '--engine', 'sglang', '--lora', path]).stdout).toMatch(
      /--max-lora-rank 24[\s\S]*--lora-paths/,
    )
  })

  it('want sensible numbers', async () => {
    const ask = (...more: string[]) => servefit(['check', 'qwen3-8b', '--gpu', '1xh100-sxm', ...more])
    expect(ask('--lora-rank', '8')).toMatchObject({code: 2, stderr: expect.stringContaining('--lora 4')})
    expect(ask('--lora', '0')).toMatchObject({code: 2})
    expect(ask('--lora', './nowhere')).toMatchObject({code: 2, stderr: expect.stringContaining('./nowhere')})
    expect(ask('--lora', '4', '--lora-rank', '32').code).toBe(0)
    const path = await folderWith({'adapter_config.json': ADAPTER})
    expect(ask('--lora', path, '--lora-rank', '8')).toMatchObject({code: 2, stderr: expect.stringContaining('24')})
  })
})
