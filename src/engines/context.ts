/** Contexts beyond what a model's configuration allows: what each engine must be told, and when it cannot be told. */
import type {Deployment} from '../core/deployment.ts'
import type {ExtendedContext, RopeScaling} from '../core/model.ts'
import type {Reason, Warning} from '../core/terms.ts'
import {countInWords} from '../core/words.ts'
import type {Subject} from './engine.ts'
import {isAtLeast} from './versions.ts'
import {dictionary} from '../core/dictionary.ts'

interface Rules {
  title: string
  /** First release that takes fields of the model's configuration at start; absent: all that are known. */
  since?: string
  /** The same where the fields stand in a part of the configuration (`text_config`); absent: none that is known. */
  nestedSince?: string
  /** First release that reads `rope_parameters`, which hold the whole rotation; earlier ones read `rope_scaling` and the base beside it. */
  parametersSince?: string
  /** Its limit is `max_position_embeddings`, whatever the scaling. */
  limit: 'derived' | 'positions'
  /** First release whose limit is the positions, which are raised then. */
  positionsSince?: string
  /** Where the limit is positions: the number itself is raised (in the same place), or a variable lets the context option pass. */
  raises?: boolean
}

/**
 * - vLLM, `--hf-overrides`: merges a part of the configuration from 0.11.1 (vllm/config/model.py _apply_dict_overrides; up to 0.11.0
 *   the part would be replaced). It reads `rope_scaling` up to 0.11.2 and `rope_parameters` from 0.12.0. What is given takes the
 *   place of what was read, base and rotated share too, which would fall back to 10,000 and 1 (layers/rotary_embedding get_rope).
 *   `--rope-scaling` was last in 0.11.0, where it warned that `--hf-overrides` is to be used. The limit is factor x
 *   original_max_position_embeddings (_get_and_verify_max_len) up to 0.29.0; from 0.30.0 max_position_embeddings is taken for the scaled
 *   length and YaRN's factor is not applied to it again, so it is raised beside. A longer `--max-model-len` is refused. The same at 0.33.0.
 * - SGLang, `--json-model-override-args`: merges a part from 0.5.17 (srt/utils/hf_transformers/config.py get_config). Transformers 5,
 *   where `rope_parameters` hold everything, from 0.5.10. With original_max_position_embeddings given its limit stays
 *   max_position_embeddings (get_context_length).
 * - TensorRT-LLM, `model_kwargs` of its file, PyTorch backend: NVIDIA/TensorRT-LLM pull request 10351 of January 2026, after the
 *   1.2 line was cut; 1.3.0rc0 is the first release that surely has it (tensorrt_llm/_torch/model_config.py). A longer
 *   `--max_seq_len` than the positions is cut with a warning (pyexecutor/model_engine.py _init_max_seq_len), and YaRN does not
 *   stretch those (modeling_utils.py infer_max_seq_len). Its multimodal classes read the rotation from places of their own, so
 *   scaling inside a part is not written.
 */
const RULES: Record<string, Rules> = dictionary({
  vllm: {title: 'vLLM', nestedSince: '0.11.1', parametersSince: '0.12.0', limit: 'derived', positionsSince: '0.30.0'},
  sglang: {title: 'SGLang', nestedSince: '0.5.17', parametersSince: '0.5.10', limit: 'positions'},
  trtllm: {title: 'TensorRT-LLM', since: '1.3.0rc0', limit: 'positions', raises: true},
})

/** The rules of this release. */
function rulesOf({engine, engineVersion}: Pick<Deployment, 'engine' | 'engineVersion'>): Rules | undefined {
  const rules = RULES[engine]
  return rules?.positionsSince !== undefined && isAtLeast(engineVersion, rules.positionsSince) ? {...rules, limit: 'positions', raises: true} : rules
}

type Asked = Pick<Deployment, 'engine' | 'engineVersion' | 'maxModelLen' | 'engineFlags'>

/** Options that change a model's configuration, and the field that ends its context there, as JSON or as `name=value`. */
export const OVERRIDES: readonly string[] = ['--hf-overrides', '--json-model-override-args']
const RAISED = /max_position_embeddings["']?\s*[:=]\s*(\d{1,9})\b/

/** Positions that an override in the command to the engine allows; 0 without one. Whoever gives it has raised the limit by hand. */
function raisedPositions({engineFlags = {}}: Pick<Asked, 'engineFlags'>): number {
  const given = OVERRIDES.map((flag) => RAISED.exec(String(engineFlags[flag] ?? ''))?.[1])
  return Math.max(0, ...given.map((tokens) => Number(tokens ?? 0)))
}

/** Fields to be set in the model's configuration, and why. None: the context option alone is enough. */
export interface ContextOverride {
  fields: Record<string, unknown>
  because: string
}

/** Context that an engine takes by itself when nobody says one: TensorRT-LLM stops at the positions until it can be told otherwise. */
export function unaskedContext(subject: Subject, engine: string, engineVersion: string): number {
  const {contextTokens, positionTokens = contextTokens} = subject.model.architecture
  const asked = {engine, engineVersion, maxModelLen: contextTokens}
  return positionTokens < contextTokens && hindrance(subject, asked) ? positionTokens : contextTokens
}

/** Whether the context is beyond the number of positions that the engine reads as its limit. */
export function exceedsPositions(subject: Subject, asked: Asked): boolean {
  const {maxModelLen} = asked
  if (maxModelLen <= raisedPositions(asked)) return false
  const {contextTokens, positionTokens = contextTokens} = subject.model.architecture
  return maxModelLen > (rulesOf(asked)?.limit === 'positions' ? positionTokens : contextTokens)
}

/** Whole and half factors, the smallest that reads so many tokens: static scaling costs the more the larger it is. */
export const factorFor = ({originalTokens, factor}: RopeScaling, tokens: number): number =>
  Math.min(factor, Math.max(1.5, Math.ceil((2 * tokens) / originalTokens) / 2))

/** Longest context that an engine starts with when it is told of the scaling: where the scaling ends, if that is beyond what is documented. */
const reachOf = ({tokens, ropeScaling}: ExtendedContext): number => Math.max(tokens, ropeScaling ? ropeScaling.factor * ropeScaling.originalTokens : 0)

/** What has to be changed in the model's configuration for this context; undefined: nothing, or nothing helps (`contextReason`). */
export function contextOverride(subject: Subject, asked: Asked): ContextOverride | undefined {
  const rules = rulesOf(asked)
  if (!rules || !exceedsPositions(subject, asked) || contextReason(subject, asked)) return undefined
  const {model} = subject
  const {maxModelLen} = asked
  const {contextTokens} = model.architecture
  const raised = {max_position_embeddings: maxModelLen}
  if (maxModelLen <= contextTokens)
    return rules.raises ? {fields: raised, because: `the configuration's own scaling reaches ${countInWords(contextTokens)} tokens`} : undefined
  const {ropeScaling: scaling, configPath} = model.extendedContext!
  const within = (fields: Record<string, unknown>) => (configPath === undefined ? fields : {[configPath]: fields})
  if (!scaling)
    return {fields: within(raised), because: `nothing is scaled: ${model.name} reads more than the ${countInWords(contextTokens)} of its configuration`}
  const factor = factorFor(scaling, maxModelLen)
  // vLLM, as Transformers, takes the number for what the scaling reaches.
  const positions = rules.positionsSince === undefined ? raised : {max_position_embeddings: factor * scaling.originalTokens}
  return {
    fields: within({...scalingFields(scaling, factor, rules, asked.engineVersion), ...(rules.raises && positions)}),
    because: `YaRN stretches ${countInWords(scaling.originalTokens)} tokens by ${factor}${factor < scaling.factor ? `, the least that covers ${countInWords(maxModelLen)} (its publisher goes to ${scaling.factor})` : ''}`,
  }
}

function scalingFields(scaling: RopeScaling, factor: number, rules: Rules, version: string): Record<string, unknown> {
  const {type, originalTokens, theta, partialRotaryFactor, mropeSection, mropeInterleaved} = scaling
  const inOneField = rules.parametersSince !== undefined && isAtLeast(version, rules.parametersSince)
  const wholeRotation = inOneField || rules.raises
  const fields = {
    rope_type: type,
    factor,
    original_max_position_embeddings: originalTokens,
    ...(wholeRotation && {rope_theta: theta}),
    ...(wholeRotation && partialRotaryFactor !== undefined && {partial_rotary_factor: partialRotaryFactor}),
    ...(mropeSection && {mrope_section: mropeSection}),
    ...(mropeInterleaved && {mrope_interleaved: true}),
  }
  return {[inOneField ? 'rope_parameters' : 'rope_scaling']: fields}
}

/** JSON for a command line. A factor is written with its decimal point: Transformers warns of a whole number. */
export const overrideJson = (fields: Record<string, unknown>): string => JSON.stringify(fields).replace(/"factor":(\d+)(?=[,}])/, '"factor":$1.0')

/** Why an engine of this release cannot be told; with the release that can, where one is known. */
function hindrance({model}: Subject, asked: Asked): {since?: string} | undefined {
  const {engine, engineVersion, maxModelLen} = asked
  const rules = rulesOf(asked)
  if (!rules) return {}
  const {architecture, extendedContext} = model
  const isBeyond = maxModelLen > architecture.contextTokens
  // An option or a variable does where the configuration carries its scaling; what a catalogued model needs stands in its entry.
  if (!isBeyond && !rules.raises) return undefined
  const nested = isBeyond ? extendedContext?.configPath !== undefined : architecture.encoders !== undefined
  if (nested && rules.nestedSince === undefined) return {}
  const needed = [nested ? rules.nestedSince : rules.since, isBeyond ? extendedContext?.since?.[engine] : undefined].filter((since) => since !== undefined)
  const late = needed.filter((since) => !isAtLeast(engineVersion, since))
  return late.length === 0 ? undefined : {since: late.reduce((a, b) => (isAtLeast(a, b) ? a : b))}
}

/** "and 131,072 with YaRN", "and 1,048,576 where the limit in its configuration is raised". */
function extensionInWords({tokens, ropeScaling, raisedLimit}: ExtendedContext): string {
  const longest = countInWords(tokens)
  if (ropeScaling) return `and ${longest} with YaRN`
  return raisedLimit ? `and ${longest} where the limit in its configuration is raised` : `and its publisher names ${longest} without what has to be set for it`
}

/**
 * Why a context cannot be served: the engine would refuse to start, or serve less than it was asked for. Undefined where it is within
 * the configuration, or documented beyond it and the engine can be told.
 */
export function contextReason(subject: Subject, asked: Asked): Reason | undefined {
  if (!exceedsPositions(subject, asked)) return undefined
  const {model} = subject
  const {contextTokens, positionTokens = contextTokens} = model.architecture
  const {extendedContext} = model
  const {engine, engineVersion, maxModelLen} = asked
  const title = RULES[engine]?.title ?? engine
  const wanted = `a context of ${countInWords(maxModelLen)} tokens was asked for`
  const blocked = hindrance(subject, asked)
  const own = unaskedContext(subject, engine, engineVersion)
  const reason = (message: string, remedy: string): Reason => ({code: 'context-exceeds-model', message, remedy})
  const release = blocked?.since === undefined ? '' : `use --engine-version ${blocked.since} or later, or `
  if (maxModelLen <= contextTokens)
    return blocked
      ? reason(
          `${wanted}; the scaling of the configuration reaches that far, but ${title} ${engineVersion} stops at its ${countInWords(positionTokens)} positions`,
          `${release || 'use '}--max-model-len ${own}`,
        )
      : undefined
  const reads = `${model.name} reads ${countInWords(contextTokens)}`
  if (!extendedContext) return reason(`${wanted}; ${reads}, and no further scaling is documented`, `use --max-model-len ${own}`)
  const {tokens, ropeScaling, raisedLimit} = extendedContext
  const isWritable = ropeScaling !== undefined || raisedLimit === true
  const possible = isWritable && !hindrance(subject, {...asked, maxModelLen: tokens})
  // Between what is documented and the end of the scaling the engine starts: that is a note (`contextNote`).
  if (maxModelLen > reachOf(extendedContext) || !isWritable)
    return reason(`${wanted}; ${reads}, ${extensionInWords(extendedContext)}`, `use --max-model-len ${possible ? tokens : own}`)
  return blocked
    ? reason(
        `${wanted}; ${reads}, ${extensionInWords(extendedContext)}, but ${title} ${engineVersion} has no way to be told so`,
        `${release || 'use another --engine, or '}--max-model-len ${own}`,
      )
    : undefined
}

/**
 * Longest context that this engine can be given: what is documented beyond the configuration where it can be told, and as far as the scaling goes for
 * those who ask for more; else its own.
 */
export function contextLimit(subject: Subject, asked: Asked): number {
  const {architecture, extendedContext} = subject.model
  const named = extendedContext?.tokens ?? 0
  const documented = extendedContext && asked.maxModelLen > named ? reachOf(extendedContext) : named
  const beyond = documented > architecture.contextTokens && contextReason(subject, {...asked, maxModelLen: documented}) === undefined
  return Math.max(raisedPositions(asked), beyond ? documented : unaskedContext(subject, asked.engine, asked.engineVersion))
}

/** What a context beyond the configuration costs, where it can be served. */
export function contextNote(subject: Subject, asked: Asked): Warning | undefined {
  const {model} = subject
  const {contextTokens} = model.architecture
  const {maxModelLen} = asked
  if (maxModelLen <= contextTokens || maxModelLen <= raisedPositions(asked) || contextReason(subject, asked)) return undefined
  const {ropeScaling, tokens} = model.extendedContext!
  const beyond = `${countInWords(maxModelLen)} tokens go beyond the ${countInWords(contextTokens)} of ${model.name}'s configuration`
  const how = ropeScaling
    ? `they are read with YaRN by a factor of ${factorFor(ropeScaling, maxModelLen)}, which is static (it applies to every request) and may cost quality on short prompts`
    : 'its publisher documents that, and the limit is raised'
  const undocumented = maxModelLen > tokens ? `; its publisher documents ${countInWords(tokens)}, and nothing is known about quality beyond that` : ''
  return {code: 'context-beyond-model', message: `${beyond}: ${how}${undocumented}`}
}
