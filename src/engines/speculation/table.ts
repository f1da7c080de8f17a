import type {EngineId} from '../../core/deployment.ts'

/** Whether an engine has a method, from its first known release to its last. */
export interface MethodRule {
  since?: string
  until?: string
  /** It also runs the draft layers of the model's own checkpoint. */
  ownLayers?: boolean
  source: string
}

/** What a method loads beside the model: nothing, the draft layers of its checkpoint, or a draft that is a checkpoint of its own. */
export type MethodNeed = 'nothing' | 'layers' | 'draft'

export interface SpeculationMethod {
  title: string
  needs: MethodNeed
  /** Other words for it, those of single engines among them. */
  aliases?: string[]
  /** `false`: the engine does not have it. */
  engines: Record<EngineId, MethodRule | false>
}

/** By the scenario's names; `data/drafts/methods.yaml`. */
export type SpeculationMethods = Record<string, SpeculationMethod>

/** Published mean accepted lengths by drafted tokens, or the chance of a single one; a row of `data/drafts/acceptance.yaml`. */
export interface AcceptanceRow {
  method: string
  model?: string
  draft?: string
  /** Which text, in words. */
  about: string
  lengths?: Record<string, number>
  chance?: number
  source: string
}

/** What is known of speculative decoding: part of the engines' support table once compiled. */
export interface SpeculationTable {
  methods: SpeculationMethods
  acceptance: AcceptanceRow[]
}
