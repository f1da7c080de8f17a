/** Which draft a deployment takes, and why one cannot draft as it was asked to. */
import type {DeploymentRequest, EngineId, Speculation} from '../../core/deployment.ts'
import type {Checkpoint, Draft, Model} from '../../core/model.ts'
import type {Reason, Warning} from '../../core/terms.ts'
import {acceptedShare} from './acceptance.ts'
import {methodAnswer, requireMethod} from './methods.ts'
import type {SpeculationTable} from './table.ts'

const publisherOf = (repository: string): string => repository.slice(0, repository.indexOf('/')).toLowerCase()

/**
 * Drafts of a method for a model, the first choice first: that of the model's publisher, then those that are offered for the engine, those of which
 * nothing is said, and those offered for other engines; else in the catalogue's order.
 */
export function draftsOf({hfId, drafts = []}: Pick<Model, 'hfId' | 'drafts'>, method: string, engine: EngineId): Draft[] {
  const rank = (draft: Draft) => (publisherOf(draft.hfId) === publisherOf(hfId) ? 0 : draft.engines === undefined ? 2 : draft.engines.includes(engine) ? 1 : 3)
  return drafts.filter((draft) => draft.method === method && draft.hfId !== hfId).sort((a, b) => rank(a) - rank(b))
}

/** The model's checkpoints hold draft layers that the catalogue knows of, but not what they consist of: it is named as its own draft. */
const hasUncountedLayers = ({architecture, hfId, drafts = []}: Pick<Model, 'architecture' | 'hfId' | 'drafts'>): boolean =>
  architecture.draft === undefined && drafts.some((draft) => draft.hfId === hfId)

/**
 * The model's own layers can draft by multi-token prediction: it has them, and the checkpoint holds them, not a drafter in their place. "DeepSeek V4.1
 * has no classic-MTP draft: its checkpoints ship DSpark stages under mtp.*" (vllm/config/speculative.py, 0.33.0); V4's of July and August 2026 have no
 * weights for it either (vllm-project/vllm#41834).
 */
const hasLayers = (
  model: Pick<Model, 'architecture' | 'hfId' | 'drafts'>,
  {draftIncluded, draftMethod}: Pick<Checkpoint, 'draftIncluded' | 'draftMethod'>,
): boolean => (model.architecture.draft !== undefined || hasUncountedLayers(model)) && draftIncluded !== false && draftMethod === undefined

/** The checkpoint holds layers that draft by this method. */
const draftsItself = (method: string, checkpoint: Pick<Checkpoint, 'draftMethod'>): boolean => checkpoint.draftMethod === method

const isOneOf = (name: string, {hfId, aliases = []}: Pick<Checkpoint, 'hfId' | 'aliases'>): boolean =>
  [hfId, ...aliases].some((known) => known.toLowerCase() === name.toLowerCase())

/**
 * Speculation with the method by its common name, the draft chosen where there is a known one and none was named, and the acceptance as a
 * share. @throws InputError for a word that no engine knows, and for an acceptance that cannot be.
 */
export function chosenSpeculation(
  {methods}: Pick<SpeculationTable, 'methods'>,
  engine: EngineId,
  {model, checkpoint}: {model: Model; checkpoint: Checkpoint},
  {speculative, acceptance}: Pick<DeploymentRequest, 'speculative' | 'acceptance'>,
): {speculative?: Speculation; acceptance?: number} {
  if (!speculative) return {}
  const method = requireMethod(methods, speculative.method)
  const needsDraft = methods[method]!.needs === 'draft' || !hasLayers(model, checkpoint)
  const rule = methods[method]!.engines[engine]
  const ownLayers = rule && rule.ownLayers === true && hasLayers(model, checkpoint)
  const itself = draftsItself(method, checkpoint)
  // A drafter that lies in the checkpoint may be named by it.
  const named = itself && speculative.draft !== undefined && isOneOf(speculative.draft, checkpoint) ? undefined : speculative.draft
  const draft = named ?? (needsDraft && !ownLayers && !itself ? draftsOf(model, method, engine)[0]?.hfId : undefined)
  return {
    speculative: {method, tokens: speculative.tokens, ...(draft !== undefined && {draft})},
    ...(acceptance !== undefined && {acceptance: acceptedShare(acceptance, speculative)}),
  }
}

/** What a model can draft with, in words: "drafts known for it: eagle3 (org/draft); ngram needs none". */
function waysOf({methods}: Pick<SpeculationTable, 'methods'>, engine: EngineId, version: string, model: Model, checkpoint: Checkpoint): string {
  const there = (method: string) => methodAnswer(methods[method]!, engine, version).kind === 'yes'
  const parts: string[] = []
  if (hasLayers(model, checkpoint) && there('mtp')) parts.push('mtp runs its own layers')
  if (checkpoint.draftMethod !== undefined && there(checkpoint.draftMethod)) parts.push(`${checkpoint.draftMethod} runs the drafter of its checkpoint`)
  const known = Object.keys(methods).flatMap((method) => {
    const [first] = there(method) ? draftsOf(model, method, engine) : []
    return first ? [`${method} (${first.hfId})`] : []
  })
  parts.push(known.length > 0 ? `drafts known for it: ${known.join(', ')}` : 'no draft is known for it')
  const free = Object.keys(methods).filter((method) => methods[method]!.needs === 'nothing' && there(method))
  if (free.length > 0) parts.push(`${free.join(' and ')} need${free.length === 1 ? 's' : ''} no draft`)
  return parts.join('; ')
}

/** The flag that drafts with what there is. */
function remedyOf(
  {methods}: Pick<SpeculationTable, 'methods'>,
  engine: EngineId,
  version: string,
  model: Model,
  checkpoint: Checkpoint,
  tokens: number,
): string {
  const there = (method: string) => methodAnswer(methods[method]!, engine, version).kind === 'yes'
  if (hasLayers(model, checkpoint) && there('mtp')) return `use --speculative mtp:${tokens}`
  const withDraft = Object.keys(methods).find((method) => there(method) && draftsOf(model, method, engine).length > 0)
  if (withDraft) return `use --speculative ${withDraft}:${tokens}`
  return there('ngram') ? `use --speculative ngram:${tokens}, or leave --speculative out` : 'leave --speculative out'
}

/** Draft layers that are run without being counted. */
export const uncountedLayers = (model: Model, speculative: Speculation | undefined): Warning[] =>
  speculative !== undefined && speculative.draft === undefined && ['mtp', 'eagle'].includes(speculative.method) && hasUncountedLayers(model)
    ? [
        {
          code: 'draft-assumed',
          message: `what the multi-token-prediction layers of ${model.name} consist of is not known: neither their memory nor their time is counted`,
        },
      ]
    : []

export interface SpeculationQuestion {
  table: Pick<SpeculationTable, 'methods'>
  engine: {id: EngineId; title: string; version: string}
  model: Model
  checkpoint: Checkpoint
  speculative: Speculation | undefined
}

/** Why the engine would not start with these drafts; nothing where it would. */
export function speculationReasons({table, engine, model, checkpoint, speculative}: SpeculationQuestion): Reason[] {
  if (!speculative) return []
  const {id, title, version} = engine
  const method = table.methods[speculative.method]
  if (!method) return []
  const remedy = remedyOf(table, id, version, model, checkpoint, speculative.tokens)
  const because = (message: string, way = remedy): Reason[] => [{code: 'speculation-unavailable', message, remedy: way}]
  const answer = methodAnswer(method, id, version)
  if (answer.kind === 'no') return because(`${title} does not have ${method.title} (${speculative.method}); ${waysOf(table, id, version, model, checkpoint)}`)
  if (answer.kind === 'too-old')
    return because(
      `${title} ${version} does not have ${method.title} (${speculative.method}): it came with ${answer.since}`,
      `use --engine-version ${answer.since} or later`,
    )
  if (answer.kind === 'gone')
    return because(
      `${title} ${version} does not have ${method.title} (${speculative.method}) any more: ${answer.until} was the last`,
      `use --engine-version ${answer.until}`,
    )
  if (method.needs === 'nothing' || speculative.draft !== undefined) return []
  if ((method.needs === 'layers' || answer.ownLayers) && hasLayers(model, checkpoint)) return []
  if (draftsItself(speculative.method, checkpoint)) return []
  const ways = waysOf(table, id, version, model, checkpoint)
  if (method.needs === 'layers' && checkpoint.draftMethod !== undefined)
    return because(`${checkpoint.hfId} has a drafter in the place of multi-token-prediction layers; ${ways}`)
  const other = model.checkpoints.find(({draftMethod}) => draftMethod === speculative.method)
  if (other) return because(`${checkpoint.hfId} has no ${method.title} drafter; ${other.hfId} has one`, `use ${other.hfId}, or ${remedy.replace(/^use /, '')}`)
  if (method.needs === 'layers')
    return because(
      model.architecture.draft === undefined && !hasUncountedLayers(model)
        ? `${model.name} has no multi-token-prediction layers; ${ways}`
        : `${checkpoint.hfId} leaves out the multi-token-prediction layers of ${model.name}; ${ways}`,
    )
  return because(
    `no ${speculative.method} draft is known for ${model.name}, and without one it cannot start; ${ways}`,
    `${remedy}, or name a draft with --draft REPOSITORY`,
  )
}
