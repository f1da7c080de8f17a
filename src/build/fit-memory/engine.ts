import type {Catalogue} from '../../catalogue/catalogue.ts'
import type {Engine, EngineData} from '../../engines/engine.ts'
import type {OverheadParameters} from '../../engines/overheads.ts'
import {ENGINES} from '../../engines/registry.ts'

/** An engine with these overheads in place of the compiled ones. */
export function createEngine(catalogue: Catalogue, id: string, overheads: OverheadParameters): Engine {
  const data = catalogue.file<Omit<EngineData, 'support' | 'needs'>>(`engines/${id}`)
  return ENGINES[id]!({...data, overheads, support: catalogue.file('engines/support'), needs: catalogue.file('engines/needs')})
}
