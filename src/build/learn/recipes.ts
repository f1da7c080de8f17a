import {existsSync, readdirSync, readFileSync} from 'node:fs'
import {join} from 'node:path'
import {parse} from 'yaml'
import * as z from 'zod'
import type {Catalogue, KnownModel} from '../../catalogue/catalogue.ts'
import {findModel} from '../../catalogue/find-model.ts'
import {InputError} from '../../core/input-error.ts'

/** A recipe of vLLM's own, as far as the catalogue can use it. */
const recipe = z.object({
  meta: z.object({date_updated: z.unknown().optional(), tasks: z.array(z.string()).optional()}).optional(),
  model: z.object({
    model_id: z.string(),
    min_vllm_version: z.union([z.string(), z.number()]).optional(),
    architecture: z.string().optional(),
    parameter_count: z.union([z.string(), z.number()]).optional(),
    active_parameters: z.union([z.string(), z.number()]).optional(),
    context_length: z.number().optional(),
  }),
  variants: z
    .record(z.string(), z.object({model_id: z.string().optional(), precision: z.string().optional(), vram_minimum_gb: z.number().optional()}))
    .optional(),
})

export type Recipe = z.output<typeof recipe>

export interface RecipeReport {
  recipes: number
  checkpoints: number
  answered: number
  byNameOnly: number
  /** Models that the catalogue lacks, or knows by name only. */
  models: string[]
  /** Checkpoints of models that it has. */
  missing: string[]
  unread: string[]
}

/** Tasks of models that the planner does not judge. */
const OTHER_TASKS = new Set(['ocr', 'embedding', 'reranking', 'audio', 'speech', 'asr', 'tts', 'image', 'video'])

/** The recipes inside an unpacked release. */
export function recipesIn(folder: string): {recipes: {path: string; value: Recipe}[]; unread: string[]} {
  const base = join(folder, 'recipes', 'models')
  if (!existsSync(base))
    throw new InputError('NO_RECIPES', `No recipes/models in ${folder}: vLLM's source distribution carries them from 0.29.0 on, its wheels do not`)
  const recipes: {path: string; value: Recipe}[] = []
  const unread: string[] = []
  for (const name of readdirSync(base, {recursive: true, encoding: 'utf8'}).sort()) {
    if (!name.endsWith('.yaml')) continue
    const path = `recipes/models/${name.replaceAll('\\', '/')}`
    try {
      recipes.push({path, value: recipe.parse(parse(readFileSync(join(base, name), 'utf8'), {maxAliasCount: 0}))})
    } catch (error) {
      unread.push(`${path}: ${(error as Error).message.split('\n')[0]}`)
    }
  }
  return {recipes, unread}
}

/** What a release's recipes name and the catalogue lacks. */
export function recipeReport(
  recipes: readonly {path: string; value: Recipe}[],
  unread: readonly string[],
  catalogue: Pick<Catalogue, 'modelEntries' | 'knownModels'>,
): RecipeReport {
  const names = new Set<string>()
  const report: RecipeReport = {recipes: recipes.length, checkpoints: 0, answered: 0, byNameOnly: 0, models: [], missing: [], unread: [...unread]}
  for (const {path, value} of recipes) {
    if ((value.meta?.tasks ?? []).some((task) => OTHER_TASKS.has(task))) continue
    const own = checkpointsOf(value).filter(({hfId}) => !names.has(hfId.toLowerCase()))
    for (const {hfId} of own) names.add(hfId.toLowerCase())
    const states = own.map((checkpoint) => ({...checkpoint, state: stateOf(checkpoint.hfId, catalogue)}))
    report.checkpoints += states.length
    report.answered += states.filter(({state}) => state === 'catalogued').length
    report.byNameOnly += states.filter(({state}) => state === 'by name').length
    const model = stateOf(value.model.model_id, catalogue)
    if (model !== 'catalogued' && own.length > 0) report.models.push(modelLine(value, path, model, states))
    else
      report.missing.push(
        ...states
          .filter(({state}) => state === 'missing')
          .map(({hfId, precision}) => `${hfId}: ${precision ?? 'precision not said'}, of ${value.model.model_id} (${path})`),
      )
  }
  return report
}

type State = 'catalogued' | 'by name' | 'missing'

function stateOf(hfId: string, {modelEntries, knownModels}: Pick<Catalogue, 'modelEntries' | 'knownModels'>): State {
  if (findModel(hfId, modelEntries)) return 'catalogued'
  const lower = hfId.toLowerCase()
  const isKnown = (model: KnownModel) => model.hfId.toLowerCase() === lower || model.checkpoints.some((checkpoint) => checkpoint.hfId.toLowerCase() === lower)
  return knownModels.some(isKnown) ? 'by name' : 'missing'
}

function checkpointsOf({model, variants}: Recipe): {hfId: string; precision?: string}[] {
  const found = new Map<string, {hfId: string; precision?: string}>()
  for (const {model_id: hfId = model.model_id, precision} of Object.values(variants ?? {}))
    if (!found.has(hfId)) found.set(hfId, {hfId, ...(precision !== undefined && {precision})})
  if (!found.has(model.model_id)) found.set(model.model_id, {hfId: model.model_id})
  return [...found.values()]
}

/** One model with what its recipe says, and what a catalogue entry would still need. */
function modelLine({meta, model}: Recipe, path: string, state: State, checkpoints: readonly {hfId: string; precision?: string; state: State}[]): string {
  const isMixture = model.architecture === 'moe'
  const said = [
    model.parameter_count === undefined ? undefined : `${model.parameter_count} parameters`,
    model.active_parameters === undefined || !isMixture ? undefined : `${model.active_parameters} active`,
    model.context_length === undefined ? undefined : `context ${model.context_length}`,
    model.min_vllm_version === undefined ? undefined : `from vLLM ${model.min_vllm_version}`,
    meta?.date_updated === undefined ? undefined : `recipe of ${day(meta.date_updated)}`,
  ].filter((part) => part !== undefined)
  const missing = [
    'layers and heads (its config.json)',
    ...(model.parameter_count === undefined ? ['parameters'] : []),
    ...(isMixture && model.active_parameters === undefined ? ['active parameters'] : []),
    ...(model.context_length === undefined ? ['context'] : []),
    'release date',
    'licence',
    'bytes of the checkpoints',
  ]
  return [
    `${model.model_id}${state === 'by name' ? ' (known by name only)' : ''}: ${said.join(', ')} (${path})`,
    ...checkpoints.map(({hfId, precision, state: own}) => `    ${hfId}: ${precision ?? 'precision not said'}${own === 'missing' ? '' : `, ${own}`}`),
    `    missing: ${missing.join(', ')}`,
  ].join('\n')
}

const day = (value: unknown): string => (value instanceof Date ? value.toISOString().slice(0, 10) : String(value).slice(0, 10))
