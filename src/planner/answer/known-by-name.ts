/** The answer about a model of which only name and size are known. */
import {sumBytes} from '../../core/terms.ts'
import {bytesInWords} from '../../core/words.ts'
import type {Model} from '../../core/model.ts'
import type {Evaluation} from './evaluation.ts'

const billions = (count: number): string => `${Number((count / 1e9).toPrecision(4))}B`

const sizeInWords = ({published}: Model): string => {
  const {totalParams, activeParams} = published!
  return `${billions(totalParams!)} parameters${activeParams !== undefined && activeParams < totalParams! ? `, ${billions(activeParams)} of them active` : ''}`
}

/** What is known of it, and what is not. */
export const knownByNameWords = (model: Model): string =>
  `${model.name} is known by name and size only (${sizeInWords(model)}): its layers, heads and cache are not known, so servefit cannot tell whether it fits or how fast it is`

/** What is told of it: its weights, and what is missing for the rest. Nothing else of the stand-in's reckoning is kept. */
export function knownByNameAnswer(evaluation: Evaluation): Evaluation {
  const {model, memory, deployment, engine, checkpoint} = evaluation
  const terms = memory.terms.filter(({part}) => part === 'weights')
  const bytes = sumBytes(terms)
  const ranks = deployment.tp * deployment.pp
  const size = sizeInWords(model)
  const since = model.knownByName?.since?.[engine.id]
  const weights = `the weights alone take about ${bytesInWords(bytes * ranks)} as ${checkpoint.weights}${ranks > 1 ? `, ${bytesInWords(bytes)} on each of ${ranks} GPUs` : ''}`
  const room =
    bytes > memory.budgetBytes
      ? `: more than the ${bytesInWords(memory.budgetBytes)} of each that can be used`
      : ` of the ${bytesInWords(memory.budgetBytes)} that can be used`
  return {
    ...evaluation,
    verdict: 'unsupported',
    reasons: [
      {
        code: 'architecture-unknown',
        message: `${knownByNameWords(model)}; ${weights}${ranks > 1 ? '' : room}${since === undefined ? '' : `; ${engine.title} has it from ${since}`}`,
        remedy: 'give its configuration: servefit check ./config.json, or the repository without --offline',
      },
    ],
    warnings: evaluation.warnings.filter(({code}) => ['memory-unified', 'model-import', 'gpus-idle'].includes(code) && code !== 'gpus-idle'),
    performance: undefined,
    tail: undefined,
    memory: {
      ...memory,
      terms: terms.map((term) => ({...term, name: 'weights', kind: 'derived' as const, because: `${size}, ${checkpoint.weights}: ${model.published!.source}`})),
      kvCacheBytes: 0,
      kvBytesPerToken: 0,
      stateBytesPerSequence: 0,
      kvCacheTokens: 0,
      maxConcurrencyAtMaxModelLen: 0,
      largestMaxModelLen: 0,
      starts: false,
    },
  }
}
