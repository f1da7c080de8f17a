/** The contract's JSON Lines: a scenario with what was observed beside it. */
import {DEPLOYMENT_FIELDS, type DeploymentRequest, type Workload} from '../../core/deployment.ts'
import {type BenchPoint, defined, isObject, type JsonObject, positive, text, whole} from './bench-point.ts'
import {dictionary} from '../../core/dictionary.ts'

export const isScenarioLine = (value: JsonObject): boolean => isObject(value.observed) && isObject(value.workload)

/** The scenario's fields whose type is plain; what is wrong among them is told when the scenario is answered. */
const FIELDS = [...DEPLOYMENT_FIELDS, 'reservedBytesPerGpu'] as const

function workloadOf(value: JsonObject): Workload | undefined {
  const inputTokens = whole(value.inputTokens)
  const outputTokens = whole(value.outputTokens)
  if (inputTokens === undefined || outputTokens === undefined) return undefined
  const requestRate = positive(value.requestRate, 1e6)
  const concurrency = value.concurrency === 'max' ? ('max' as const) : (whole(value.concurrency, 1_000_000) ?? (requestRate === undefined ? 1 : undefined))
  const prefixHitRate = positive(value.prefixHitRate, 1)
  return defined({inputTokens, outputTokens, concurrency: requestRate === undefined ? concurrency : undefined, requestRate, prefixHitRate})
}

export function readScenarioLine(value: JsonObject, place: string): BenchPoint | undefined {
  const workload = workloadOf(value.workload as JsonObject)
  if (!workload) return undefined
  const observed = value.observed as JsonObject
  const request: Record<string, unknown> = dictionary()
  for (const name of FIELDS) if (value[name] !== undefined && value[name] !== null) request[name] = value[name]
  return {
    format: 'scenario',
    place,
    scenario: defined({
      ...(request as DeploymentRequest),
      id: text(value.id),
      model: text(value.model),
      gpu: text(value.gpu),
      machine: text(value.machine),
      nodes: whole(value.nodes, 1024),
    }),
    workload,
    observed: defined({ttftMs: positive(observed.ttftMs), tpotMs: positive(observed.tpotMs), outputTokensPerSecond: positive(observed.outputTokensPerSecond)}),
  }
}
