import type {DeploymentRequest} from '../../core/deployment.ts'
import {dictionary} from '../../core/dictionary.ts'
import {findCacheFormat, isWeightFormat, unsizedCacheFormat} from '../../core/formats.ts'
import {InputError} from '../../core/input-error.ts'
import type {Model} from '../../core/model.ts'
import {nearest, quotedShort} from '../../core/nearest.ts'

/** Short names that are not storage formats themselves: mixtures and ladders that publishers name so. */
const FURTHER_WEIGHTS = ['native', 'compressed-int4', 'compressed-int8', 'q4_k_m', 'q4_k_s', 'q5_k_m', 'q3_k_m', 'int4']

/** Formats of so many bits, for who writes 4bit, q4, w4 or w4a16. */
const OF_BITS: Readonly<Record<string, readonly string[]>> = dictionary({
  4: ['int4', 'awq-int4', 'gptq-int4', 'nvfp4', 'q4_k_m'],
  8: ['fp8', 'int8', 'gptq-int8'],
  16: ['bf16', 'fp16'],
})

/** Formats and drafts of a question, before anything is reckoned with them. @throws InputError WEIGHTS_UNKNOWN, KV_CACHE_UNKNOWN, ACCEPTANCE_INVALID. */
export function requireNames(
  {weights, kvCache, speculative, acceptance}: Pick<DeploymentRequest, 'weights' | 'kvCache' | 'speculative' | 'acceptance'>,
  model: Model,
): void {
  if (acceptance !== undefined && speculative === undefined)
    throw new InputError('ACCEPTANCE_INVALID', `Acceptance ${acceptance} means nothing without speculative decoding: give speculative too, such as mtp:1`)
  if (
    weights !== undefined &&
    !isWeightFormat(weights) &&
    !FURTHER_WEIGHTS.includes(weights) &&
    !model.checkpoints.some((checkpoint) => checkpoint.weights === weights)
  ) {
    const names = [
      ...new Set([
        ...model.checkpoints.map((checkpoint) => checkpoint.weights),
        'bf16',
        'fp8',
        'fp8-block',
        'awq-int4',
        'gptq-int4',
        'nvfp4',
        'mxfp4',
        'int4',
        'int8',
        'native',
      ]),
    ]
    throw new InputError('WEIGHTS_UNKNOWN', `No weight format ${quotedShort(weights)}: expected one such as ${names.slice(0, 6).join(', ')}`, {
      suggestions: [
        ...new Set([
          ...(OF_BITS[/^[qw]?(\d+)(?:a16|-?bits?)?$/i.exec(weights)?.[1] ?? ''] ?? []).filter((name) => names.includes(name)),
          ...nearest(weights, names),
        ]),
      ].slice(0, 6),
    })
  }
  if (kvCache !== undefined && kvCache !== 'auto' && !findCacheFormat(kvCache)) {
    const since = unsizedCacheFormat(kvCache)
    const problem =
      since === undefined
        ? `No cache format ${quotedShort(kvCache)}`
        : `The cache format ${kvCache} (vLLM ${since} and later) is known by name only, not how much memory it takes`
    throw new InputError('KV_CACHE_UNKNOWN', `${problem}: expected auto, bf16, fp8, nvfp4, int8 or int4`, {
      suggestions: nearest(kvCache, ['auto', 'bf16', 'fp8', 'nvfp4', 'int8', 'int4']),
    })
  }
}
