import {join} from 'node:path'
import {openCatalogue} from '../catalogue/catalogue.ts'
import {shapeParameters} from '../engines/drafts.ts'
export async function main({root}: {root: string}): Promise<number> {
  const c = openCatalogue(join(root, 'dist', 'data'))
  for (const {id} of c.modelEntries) {
    const m = c.model(id)
    for (const d of m.drafts ?? []) {
      const emb = 2 * m.architecture.vocabularySize * m.architecture.hiddenSize
      const own = d.shape ? 2 * shapeParameters(d.method, d.shape) : undefined
      console.log(
        id,
        d.hfId,
        d.method,
        'bytes',
        d.bytes,
        'params',
        d.parameters,
        'layers',
        d.layerCount ?? d.shape?.layerCount,
        'shape',
        own,
        'ratio',
        own && d.bytes ? ((d.bytes - own) / emb).toFixed(2) : '',
        'emb',
        (emb / 1e9).toFixed(2),
        'h',
        m.architecture.hiddenSize,
      )
    }
  }
  return 0
}
