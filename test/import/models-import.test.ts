import {readdir, readFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {parse} from 'yaml'
import {checkModelFile} from '../../src/catalogue/model-schema.ts'
import {countParameters} from '../../src/core/tensors.ts'
import {root, servefit} from '../commands/spawn.ts'
import {gguf} from './support/gguf.ts'
import {safetensors} from './support/safetensors.ts'
import {folderWith, TINY_QWEN3, TINY_QWEN3_KEYS, TINY_QWEN3_PARAMETERS, tinyQwen3Gguf, tinyQwen3Tensors} from './support/tiny-models.ts'

const directory = () => folderWith({'config.json': TINY_QWEN3, 'model.safetensors': safetensors(tinyQwen3Tensors())})

describe('models import', () => {
  it('prints what models show prints', async () => {
    const folder = await directory()
    const {code, stdout} = servefit(['models', 'import', folder, '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      model: {
        totalParams: TINY_QWEN3_PARAMETERS,
        contextTokens: 4096,
        kvBytesPerToken: {bf16: 2 * 2 * 2 * 4 * 64, fp8: 2 * 2 * 4 * 64},
        checkpoints: [{weights: 'bf16', bytes: 2 * TINY_QWEN3_PARAMETERS}],
      },
      warnings: [],
    })
    expect(servefit(['models', 'show', folder, '--json']).stdout).toBe(stdout)
  })

  it('saves a file of the catalogue, whole, and never over another', async () => {
    const folder = await directory()
    const file = join(folder, 'data', 'tiny-qwen3.yaml')
    const nameless = await folderWith({'config.json': TINY_QWEN3})
    expect(servefit(['models', 'import', nameless, '--save', file]).stderr).toContain('--repository org/name')
    expect(servefit(['models', 'import', folder, '--repository', 'Acme/Tiny-Qwen3', '--save', file])).toMatchObject({code: 0, stderr: `wrote ${file}\n`})
    const text = await readFile(file, 'utf8')
    const {model, problems} = checkModelFile(file, parse(text))
    expect(problems).toEqual([])
    expect(countParameters(model!.architecture).total).toBe(TINY_QWEN3_PARAMETERS)
    expect(model!.checkpoints).toEqual([{hfId: 'Acme/Tiny-Qwen3', weights: 'bf16', formats: {default: 'bf16'}, bytes: 2 * TINY_QWEN3_PARAMETERS}])
    expect(servefit(['models', 'import', folder, '--repository', 'Acme/Other', '--save', file, '--json'])).toMatchObject({
      code: 2,
      stdout: expect.stringContaining('FILE_EXISTS'),
    })
    expect(await readFile(file, 'utf8')).toBe(text)
    expect(servefit(['models', 'import', folder, '--repository', 'Acme/Other', '--save', file, '--force']).code).toBe(0)
    expect(await readFile(file, 'utf8')).toContain('Acme/Other')
    expect(await readdir(join(folder, 'data'))).toEqual(['tiny-qwen3.yaml'])
  })

  it('names the file by itself', async () => {
    const folder = await directory()
    const settings = await folderWith({})
    servefit(['models', 'import', folder, '--repository', 'Acme/Tiny', '--save'], {cwd: folder, env: {XDG_CONFIG_HOME: settings}})
    expect((await readdir(join(settings, 'servefit', 'models'))).some((name) => name.endsWith('.yaml'))).toBe(true)
    expect(servefit(['models', 'import', folder, 'file.yaml'])).toMatchObject({code: 2, stderr: expect.stringContaining('--save')})
    expect(servefit(['models', 'import', folder, '-', '--repository', 'Acme/Tiny', '--save']).stdout).toContain('hfId: Acme/Tiny\n')
  })

  it('writes every catalogued model so that it reads back the same', async () => {
    const {models} = JSON.parse(servefit(['models', '--json']).stdout) as {models: {id: string}[]}
    for (const {id} of models.filter((_, index) => index % 40 === 0)) {
      // Drafts and what is known of quality stand in files of their own.
      const {drafts: _drafts, cacheQuality: _cacheQuality, ...stored} = JSON.parse(await readFile(join(root, 'dist', 'data', 'models', `${id}.json`), 'utf8'))
      const {model, problems} = checkModelFile(`${id}.yaml`, parse(servefit(['models', 'import', id, '-', '--save']).stdout))
      expect(problems, id).toEqual([])
      // Who published a checkpoint is told by the build.
      for (const checkpoint of stored.checkpoints) {
        delete checkpoint.publisher
        delete checkpoint.quality
      }
      expect(model, id).toEqual(stored)
    }
  })
})

describe('a path wherever a model is asked for', () => {
  it('answers check and config for a directory and for a GGUF file', async () => {
    const folder = await directory()
    const checked = JSON.parse(servefit(['check', folder, '--gpu', '1xrtx-4090', '--json']).stdout)
    expect(checked).toMatchObject({verdict: 'fits', model: {totalParams: TINY_QWEN3_PARAMETERS}})
    expect(servefit(['config', folder, '--gpu', '1xrtx-4090']).stdout).toContain(folder)
    const file = join(await folderWith({'tiny-Q8_0.gguf': gguf(TINY_QWEN3_KEYS, tinyQwen3Gguf('Q8_0'))}), 'tiny-Q8_0.gguf')
    const {model, verdict} = JSON.parse(servefit(['check', file, '--gpu', '1xrtx-4090', '--engine', 'sglang', '--json']).stdout)
    expect({verdict, total: model.totalParams}).toEqual({verdict: 'fits', total: TINY_QWEN3_PARAMETERS})
  })

  it('says what is wrong with a file, with exit code 2 and no stack', async () => {
    const folder = await folderWith({'broken.gguf': 'GGUF', 'config.json': '{', 'nan.json': {...TINY_QWEN3, hidden_size: -1}})
    for (const name of ['broken.gguf', 'config.json', 'nan.json', 'absent.gguf', 'absent.json']) {
      const {code, stdout, stderr} = servefit(['check', join(folder, name), '--gpu', '1xrtx-4090'])
      expect({code, stdout}, name).toEqual({code: 2, stdout: ''})
      expect(stderr, name).toContain(name)
      expect(stderr, name).not.toMatch(/\bat .*\.js:\d/)
    }
  })
})
