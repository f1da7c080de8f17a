import {Fields, invalid, isRecord} from '../catalogue/import/fields.ts'

/** Where PEFT says what an adapter is. */
export const ADAPTER_FILE = 'adapter_config.json'

/** A LoRA adapter by its configuration. */
export interface Adapter {
  rank: number
  /** Names of the modules it is on; absent: a pattern, or everything. */
  targets?: string[]
  /** Repository or path of the model that it was trained on, where it says so. */
  base?: string
}

const MAX_RANK = 65_536

/** @throws InputError MODEL_CONFIG_INVALID for what is no LoRA adapter, or has no rank. */
export function adapterFrom(config: unknown, title: string): Adapter {
  if (!isRecord(config)) throw invalid(`${title}: ${ADAPTER_FILE} is not an object`)
  const fields = new Fields(config, `${title}: ${ADAPTER_FILE}`)
  const kind = fields.string('peft_type') ?? 'LORA'
  if (kind.toUpperCase() !== 'LORA') throw invalid(`${title} is an adapter of the kind ${JSON.stringify(kind.slice(0, 40))}: expected LORA`)
  const own = fields.integer('r', {max: MAX_RANK})
  const others = isRecord(config.rank_pattern) ? Object.values(config.rank_pattern).filter((rank): rank is number => Number.isInteger(rank)) : []
  const base = fields.string('base_model_name_or_path')
  const targets = targetsOf(config.target_modules)
  return {
    rank: Math.min(MAX_RANK, Math.max(own, ...others)),
    ...(targets && {targets}),
    ...(base !== undefined && /^[\w./-]{1,200}$/.test(base) && {base}),
  }
}

/** A list of names, each perhaps behind the names of its parents; `all-linear` and patterns say nothing by name. */
function targetsOf(value: unknown): string[] | undefined {
  if (!Array.isArray(value)) return undefined
  const names = value
    .filter((name): name is string => typeof name === 'string' && /^[\w.]{1,200}$/.test(name))
    .map((name) => name.slice(name.lastIndexOf('.') + 1))
  return names.length > 0 && names.length === value.length ? [...new Set(names)].sort() : undefined
}
