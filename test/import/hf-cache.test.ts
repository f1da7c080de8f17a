import {mkdir, symlink, writeFile} from 'node:fs/promises'
import {join} from 'node:path'
import {describe, expect, it} from 'vitest'
import {accessToken, cachedRepository, hubCacheFolder, isRepositoryId} from '../../src/import/hf-cache.ts'
import {importPath, importRepository, repositoryName} from '../../src/import/import-model.ts'
import {gguf} from './support/gguf.ts'
import {safetensors} from './support/safetensors.ts'
import {folderWith, TINY_QWEN3, TINY_QWEN3_KEYS, TINY_QWEN3_PARAMETERS, tinyQwen3Gguf, tinyQwen3Tensors} from './support/tiny-models.ts'

/** A cache as huggingface_hub lays it out: blobs by hash, links to them in a snapshot, `refs/main` naming it. */
async function cacheWith(id: string, files: Record<string, Uint8Array | object>, main: string | undefined = 'a1b2c3'): Promise<string> {
  const hub = join(await folderWith({}), 'hub')
  const base = join(hub, `models--${id.replace('/', '--')}`)
  for (const folder of ['blobs', 'refs', 'snapshots/a1b2c3']) await mkdir(join(base, folder), {recursive: true})
  if (main !== undefined) await writeFile(join(base, 'refs', 'main'), `${main}\n`)
  for (const [index, [name, content]] of Object.entries(files).entries()) {
    await writeFile(join(base, 'blobs', `hash${index}`), content instanceof Uint8Array ? content : JSON.stringify(content))
    await mkdir(join(base, 'snapshots/a1b2c3', name, '..'), {recursive: true})
    await symlink(join(base, 'blobs', `hash${index}`), join(base, 'snapshots/a1b2c3', name))
  }
  return hub
}

const FILES = {'config.json': TINY_QWEN3, 'model.safetensors': safetensors(tinyQwen3Tensors())}

describe('the local Hugging Face cache', () => {
  it('holds repositories by name, under whichever variable names it', async () => {
    const hub = await cacheWith('Acme/Tiny-Qwen3', FILES)
    for (const env of [{HF_HUB_CACHE: hub}, {HF_HOME: join(hub, '..')}, {HUGGINGFACE_HUB_CACHE: hub}]) {
      const imported = await importRepository({id: 'Acme/Tiny-Qwen3'}, {env})
      expect(imported!.model).toMatchObject({
        hfId: 'Acme/Tiny-Qwen3',
        id: 'tiny-qwen3',
        checkpoints: [{hfId: 'Acme/Tiny-Qwen3', bytes: 2 * TINY_QWEN3_PARAMETERS}],
      })
    }
    expect(hubCacheFolder({XDG_CACHE_HOME: '/x'})).toBe(join('/x', 'huggingface', 'hub'))
    expect(await importRepository({id: 'Acme/Absent'}, {env: {HF_HUB_CACHE: hub}})).toBeUndefined()
  })

  it('takes the newest snapshot where refs/main is missing or leads outside', async () => {
    for (const main of [undefined, '../../../etc', 'gone'])
      expect(await cachedRepository('Acme/Tiny-Qwen3', {HF_HUB_CACHE: await cacheWith('Acme/Tiny-Qwen3', FILES, main)})).toBeDefined()
  })

  it("knows a snapshot's repository by its path", async () => {
    const hub = await cacheWith('Acme/Tiny-Qwen3', FILES)
    expect((await importPath(join(hub, 'models--Acme--Tiny-Qwen3', 'snapshots', 'a1b2c3'))).model.hfId).toBe('Acme/Tiny-Qwen3')
  })

  it('finds a GGUF variant, in a subdirectory too', async () => {
    const file = gguf({...TINY_QWEN3_KEYS, 'general.file_type': 7}, tinyQwen3Gguf('Q8_0'))
    const hub = await cacheWith('Acme/Tiny-GGUF', {'Q8_0/tiny-Q8_0.gguf': file, 'tiny-Q4_K_M.gguf': file})
    const {model} = (await importRepository({id: 'Acme/Tiny-GGUF', variant: 'Q8_0'}, {env: {HF_HUB_CACHE: hub}}))!
    expect(model.checkpoints[0]).toMatchObject({hfId: 'Acme/Tiny-GGUF', weights: 'q8_0'})
    await expect(importRepository({id: 'Acme/Tiny-GGUF', variant: 'Q3_K_S'}, {env: {HF_HUB_CACHE: hub}})).rejects.toMatchObject({
      code: 'VARIANT_UNKNOWN',
      suggestions: ['Q4_K_M', 'Q8_0'],
    })
  })

  it('lets no name climb out of it', () => {
    for (const name of ['../x', 'a/..', '..', 'a/b/c', 'a', 'a/b..c', '/etc/passwd', 'a/ b', '-a/b']) expect(isRepositoryId(name), name).toBe(false)
    expect(repositoryName('https://huggingface.co/Qwen/Qwen3-32B/')).toEqual({id: 'Qwen/Qwen3-32B'})
    expect(repositoryName('unsloth/Qwen3-32B-GGUF:Q4_K_M')).toEqual({id: 'unsloth/Qwen3-32B-GGUF', variant: 'Q4_K_M'})
    expect(repositoryName('qwen3-32b')).toBeUndefined()
  })

  it('holds the token of a login', async () => {
    const home = await folderWith({token: 'hf_fromfile\n'})
    expect(await accessToken({HF_HOME: home})).toBe('hf_fromfile')
    expect(await accessToken({HF_HOME: home, HF_TOKEN: 'hf_given'})).toBe('hf_given')
    expect(await accessToken({HF_TOKEN_PATH: join(home, 'token')})).toBe('hf_fromfile')
    expect(await accessToken({HF_HOME: join(home, 'absent')})).toBeUndefined()
    await expect(accessToken({HF_TOKEN: 'hf_a\r\nX-Header: 1'})).rejects.toMatchObject({code: 'TOKEN_INVALID', message: expect.not.stringContaining('hf_a')})
  })
})
