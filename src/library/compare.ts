import type {Catalogue} from '../catalogue/catalogue.ts'
import type {Machine} from '../core/accelerator.ts'
import {machineOf, requireWriting, SCHEMA_VERSION} from '../planner/answer/index.ts'
import {compare as rowsOf, type ComparisonRow} from '../planner/compare/index.ts'
import {type Figure, figuresBehind} from '../planner/quality/index.ts'
import type {Documents} from '../planner/words/index.ts'
import {type Context, modelOf, type NamedModel} from '../planner/world/index.ts'
import {inOwnFields} from './answer-asked.ts'
import type {AskedScenario, Question} from './question.ts'
import {stamped} from './stamp.ts'

/** A question about several models or machines. */
export interface CompareQuestion extends Question {
  /** Instead of `model`. */
  models?: string[]
  /** Instead of `gpu`. */
  gpus?: string[]
  /** Instead of `machine`. */
  machines?: string[]
}

/** What `compare --json` prints. */
export interface CompareReport {
  schemaVersion: typeof SCHEMA_VERSION
  dataVersion: string
  rows: ComparisonRow[]
  /** The measured comparisons behind each row's statement, by repository. */
  measured: {hfId: string; figures: Figure[]}[]
}

export interface Compared {
  models: NamedModel[]
  machines: Machine[]
  rows: ComparisonRow[]
}

/** Names of what is compared, beside a scenario that says the rest. */
export interface Sides {
  models: readonly string[]
  gpus: readonly string[]
  machines: readonly string[]
}

/** One row for each checkpoint and cache format. `search` wraps what takes long, for whoever shows progress. */
export async function compared(
  context: Context,
  asked: AskedScenario,
  sides: Sides,
  documents: Documents,
  search: <T>(work: () => Promise<T>) => Promise<T> = (work) => work(),
): Promise<Compared> {
  const {
    model,
    gpu,
    machine,
    nodes,
    link,
    engine,
    workload,
    slo,
    objective: _objective,
    id: _id,
    prefer,
    ...request
  } = await inOwnFields(context, asked, documents)
  const places = [...sides.gpus.map((spec) => ({gpu: spec})), ...sides.machines.map((name) => ({machine: name}))]
  const machines: Machine[] = []
  for (const where of places.length > 0 ? places : [{gpu, machine}]) machines.push(await machineOf(context, {model, ...where, nodes, link}))
  const models: NamedModel[] = []
  for (const name of sides.models.length > 0 ? sides.models : [model]) models.push(await modelOf(context, name))
  for (const {model} of models) requireWriting(model)
  const rows = await search(async () => rowsOf(context, {models, machines, engine, request, ...(prefer && {prefer}), workload, slo}))
  return {models, machines, rows}
}

/** The comparisons behind each row's statement, by repository. */
export function figuresOf(catalogue: Catalogue, {models, rows}: Compared): Map<string, Figure[]> {
  const behind = new Map<string, Figure[]>()
  for (const {model, checkpoint: named} of models)
    for (const {hfId} of rows.filter((row) => row.model === model.id)) {
      const checkpoint = named?.hfId === hfId ? named : model.checkpoints.find((known) => known.hfId === hfId)
      const figures = checkpoint && !behind.has(hfId) ? figuresBehind(catalogue, model, checkpoint) : []
      if (figures.length > 0) behind.set(hfId, figures)
    }
  return behind
}

export const compareReport = (catalogue: Catalogue, {rows}: Compared, figures: ReadonlyMap<string, Figure[]>): CompareReport =>
  stamped(catalogue, {schemaVersion: SCHEMA_VERSION, rows, measured: [...figures].map(([hfId, own]) => ({hfId, figures: own}))})

/** The published checkpoints side by side: memory, speed, quality. */
export async function compare(context: Context, asked: AskedScenario, sides: Sides, documents: Documents): Promise<CompareReport> {
  const found = await compared(context, asked, sides, documents)
  return compareReport(context.catalogue, found, figuresOf(context.catalogue, found))
}
