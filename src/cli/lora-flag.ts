/** `--lora 4 --lora-rank 16`, or `--lora ./adapter` once for each: what is served beside the model. */
import {basename, resolve} from 'node:path'
import type {Lora} from '../core/deployment.ts'
import {InputError} from '../core/input-error.ts'
import {LIMITS} from '../planner/scenario/index.ts'
import {parseCount} from './quantities.ts'

/** An adapter that lies on this machine, with the name that requests give it. */
export interface AdapterPath {
  name: string
  path: string
}

/** Adapters that flags name: what they take, and where they lie. */
export interface AskedAdapters {
  lora: Lora
  paths: AdapterPath[]
}

/** The rank that adapters have where nobody says (PEFT's examples; vLLM's default for --max-lora-rank). */
const USUAL_RANK = 16

/** Adapters that engines make room for by themselves (vLLM's --max-loras, SGLang's --max-loras-per-batch). */
const OWN_COUNTS = {sglang: 8, others: 1}

/** @throws InputError LORA_INVALID, ADAPTER_UNREADABLE. */
export async function askedAdapters(flags: Record<string, unknown>): Promise<AskedAdapters | undefined> {
  const own = flags.engine === 'sglang' ? OWN_COUNTS.sglang : OWN_COUNTS.others
  const given = (flags.lora as string[] | undefined) ?? (flags['enable-lora'] === true ? [String(own)] : [])
  const rank = flags['lora-rank'] as number | undefined
  const asked = (flags['lora-target-modules'] as string | undefined)?.split(/[\s,]+/).filter((word) => word !== '')
  const modules = asked?.length ? asked : undefined
  if (given.length === 0) {
    if (rank === undefined && modules === undefined) return undefined
    if (rank === undefined)
      throw new InputError('LORA_INVALID', '--lora-target-modules means nothing without --lora: give the number of adapters too, such as --lora 4')
    throw new InputError('LORA_INVALID', `--lora-rank ${rank} means nothing without --lora: give the number of adapters too, such as --lora 4`)
  }
  const counts = given.filter((text) => /^\d/.test(text) && !/[\\/]/.test(text))
  const folders = given.filter((text) => !counts.includes(text))
  if (counts.length > 1) throw new InputError('LORA_INVALID', `--lora ${counts.join(' --lora ')}: expected one number, or folders`)
  if (folders.length === 0)
    return {lora: {count: parseCount(counts[0]!, 'lora', LIMITS.loraCount), maxRank: rank ?? USUAL_RANK, ...(modules && {targets: modules})}, paths: []}
  const {readAdapter} = await import('../import/read-adapter.ts')
  const adapters = []
  for (const folder of folders) adapters.push(await readAdapter(folder))
  const largest = Math.max(...adapters.map((adapter) => adapter.rank))
  if (rank !== undefined && rank < largest)
    throw new InputError(
      'LORA_INVALID',
      `--lora-rank ${rank} is less than the rank of one of the adapters, ${largest}: the engine would refuse that adapter, so leave the flag out`,
    )
  const count = counts[0] === undefined ? folders.length : parseCount(counts[0], 'lora', LIMITS.loraCount)
  // One whose modules are not told by name may be on any.
  const targets = modules ?? (adapters.every((adapter) => adapter.targets) ? [...new Set(adapters.flatMap((adapter) => adapter.targets!))].sort() : undefined)
  return {lora: {count, maxRank: rank ?? largest, ...(targets && {targets})}, paths: named(folders)}
}

/** Adapters go by the names of their folders; equal names get numbers. */
function named(folders: readonly string[]): AdapterPath[] {
  const used = new Set<string>()
  return folders.map((folder) => {
    const path = resolve(folder.replace(/[\\/]adapter_config\.json$/, ''))
    const plain =
      basename(path)
        .replaceAll(/[^\w.-]+/g, '-')
        .replace(/^[-.]+/, '') || 'adapter'
    let name = plain
    for (let number = 2; used.has(name); number++) name = `${plain}-${number}`
    used.add(name)
    return {name, path}
  })
}
