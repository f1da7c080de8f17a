import type {Result} from '../answer/index.ts'
import type {FailCondition} from './fail.ts'
import type {PlanReport} from './plan.ts'

/** One question of a pipeline, as reports of tests have cases. */
export interface GateCase {
  name: string
  /** Where the question stands: a file, and its line where the file holds several. */
  file?: string
  line?: number
  /** What makes the pipeline stop; none: it goes on. */
  failures: {code: string; message: string}[]
  warnings: {code: string; message: string}[]
  /** The question could not be understood. */
  error?: {code: string; message: string}
  /** Figures and versions, for whoever looks at the report. */
  properties: Record<string, string | number>
}

/** Conditions that hold of a result, by their texts. */
export const holding = (conditions: readonly FailCondition[], result: Result): string[] => conditions.filter(({holds}) => holds(result)).map(({text}) => text)

/** What a question is called in a report: its own name, else what it is about. */
const nameOf = ({id, model, hardware, deployment}: Result): string =>
  id ?? `${model.hfId || model.id} on ${hardware.gpus}x${hardware.gpu}, ${deployment.engine} ${deployment.engineVersion}`

/** A result as a case. `isGate`: a verdict of no fails by itself, as in `check`. */
export function gateCase(
  result: Result & {dataVersion?: string},
  conditions: readonly FailCondition[],
  {isGate, file, line}: {isGate: boolean; file?: string; line?: number},
): GateCase {
  const {verdict, reasons, warnings, memory, deployment, performance, dataVersion} = result
  const isNo = verdict === 'too-slow' || verdict === 'does-not-fit' || verdict === 'unsupported'
  const held = holding(conditions, result)
  const refused = isNo && (isGate || held.length > 0)
  return {
    name: nameOf(result),
    ...(file !== undefined && {file}),
    ...(line !== undefined && {line}),
    failures: [
      ...(refused ? reasons.map(({code, message, remedy}) => ({code, message: remedy === undefined ? message : `${message}; ${remedy}`})) : []),
      ...(refused && reasons.length === 0 ? [{code: verdict, message: `the verdict is ${verdict}`}] : []),
      ...held.filter((text) => text !== 'no').map((text) => ({code: 'fail-on', message: `${text} holds (verdict ${verdict})`})),
    ],
    warnings: warnings.map(({code, message}) => ({code, message})),
    properties: {
      verdict,
      engine: `${deployment.engine} ${deployment.engineVersion}`,
      ...(dataVersion !== undefined && {dataVersion}),
      maxModelLen: deployment.maxModelLen,
      kvCacheTokens: memory.kvCacheTokens,
      ...(performance && {
        outputTokensPerSecond: Math.round(performance.outputTokensPerSecond.estimate * 10) / 10,
        ttftMs: Math.round(performance.ttftMs.estimate),
        tpotMs: Math.round(performance.tpotMs.estimate * 10) / 10,
      }),
    },
  }
}

/** A search as a case: its best plan, or why there is none. */
export function planCase(report: PlanReport, conditions: readonly FailCondition[], model: string, file?: string): GateCase {
  const [best] = report.plans
  const own: GateCase = best
    ? gateCase(best, conditions, {isGate: true, file})
    : {name: model, ...(file !== undefined && {file}), failures: [], warnings: [], properties: {}}
  if (report.met) return own
  const way = report.reach?.[0]
  const message = best
    ? `no plan keeps the limits${way ? `; with ${way.flags} there is one` : ''}`
    : `there is no plan: ${report.refusals.map(({message: why}) => why).join('; ')}`
  return {...own, failures: [{code: best ? 'slo-missed' : 'no-plan', message}, ...own.failures]}
}
