import {parseCount} from '../../cli/quantities.ts'
import {chosenModels, modelsThatFit} from '../../library/models.ts'
import {LIMITS} from '../../planner/scenario/index.ts'
import type {Context} from '../../planner/world/index.ts'
import {quoteWord} from '../../render/launch/shell-quote.ts'
import {type ModelsDocument, modelsDocument} from '../documents/index.ts'
import type {Words} from '../question/fields.ts'
import {commandOf, readQuestion} from '../question/scenario.ts'

/** What `models --fits` is asked with, of all that the form holds. */
const OF_MODELS: ReadonlySet<string> = new Set(['gpu', 'machine', 'nodes', 'link', 'input-tokens', 'output-tokens', 'concurrency', 'engine', 'weights'])

/** More rows than a person compares. */
const SHOWN = 30

/** The models that match and fit, as the command answers. @throws InputError. */
export async function modelsFor(context: Context, words: Words): Promise<ModelsDocument> {
  const own: Words = Object.fromEntries(Object.entries(words).filter(([flag, value]) => OF_MODELS.has(flag) && value !== ''))
  const {gpu, machine, nodes, link, engine, weights, workload} = readQuestion(own).scenario
  const minContext = words['max-model-len'] ? parseCount(words['max-model-len'], 'min-context', LIMITS.tokens) : undefined
  const limit = words.limit ? Number(words.limit) : SHOWN
  const sought = (words.words ?? '').split(/\s+/).filter(Boolean)
  const models = chosenModels(context.catalogue, {
    words: sought,
    ...(minContext !== undefined && {minContextTokens: minContext}),
    ...(weights !== undefined && {weights}),
  })
  const request = {
    ...(engine !== undefined && {engine}),
    ...(weights !== undefined && {weights}),
    ...(minContext !== undefined && {maxModelLen: minContext}),
  }
  const found = await modelsThatFit(context, models, {gpu, machine, nodes, link, request, workload: workload!, ...(limit > 0 && {limit})})
  const flags = commandOf(own, quoteWord).replace(/^'' ?/, '')
  const command = [
    ...sought.map(quoteWord),
    '--fits',
    flags,
    minContext === undefined ? '' : `--min-context ${quoteWord(words['max-model-len']!)}`,
    limit > 0 ? `--limit ${limit}` : '',
  ]
  return modelsDocument(context.catalogue, found, command.filter(Boolean).join(' '))
}
