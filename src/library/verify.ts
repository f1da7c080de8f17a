import {InputError} from '../core/input-error.ts'
import type {Scenario} from '../planner/scenario/index.ts'
import type {Verification, VerificationDocument} from '../planner/verify/index.ts'
import type {ComparedRun, UnansweredRun} from '../planner/verify/index.ts'
import type {Context} from '../planner/world/index.ts'
import type {Question} from './question.ts'
import {stamped} from './stamp.ts'

/** What an engine printed, and what is known beside it. What a log prints wins. */
export interface VerifyQuestion extends Omit<Question, 'workload' | 'slo' | 'command'> {
  /** Start-up logs of one engine: one text, or one for each rank. */
  logs?: string | string[]
  /** A result of a benchmark, as a file of it holds it or as the tool prints it. */
  bench?: string
}

/** A start held against its prediction. `today` dates what may be kept of it. */
export async function verifiedLog(context: Context, logs: readonly string[], given: Partial<Scenario>, today: string): Promise<Verification> {
  const [{readLog}, {verification}] = await Promise.all([import('../verify/read-log.ts'), import('../planner/verify/index.ts')])
  return verification(context, {report: readLog(logs, given.engine), flags: given, today})
}

export interface VerifiedBench {
  runs: ComparedRun[]
  unanswered: UnansweredRun[]
  within: boolean
}

/** Runs of a benchmark held against their predictions. `place`: where the text is from, for messages. */
export async function verifiedBench(context: Context, text: string, place: string, given: Partial<Scenario>): Promise<VerifiedBench> {
  const [{readBench}, {benchRuns, comparedRun, withinIntervals}] = await Promise.all([
    import('../verify/bench/read-bench.ts'),
    import('../planner/verify/index.ts'),
  ])
  const {runs, unanswered} = await benchRuns(context, readBench(text, place), given)
  const compared = runs.map(comparedRun)
  return {runs: compared, unanswered, within: withinIntervals(compared)}
}

/** Was the prediction right? @throws InputError for what is no log or no result of a benchmark. */
export async function verify(
  context: Context,
  {logs, bench, ...question}: VerifyQuestion,
  today: string,
): Promise<VerificationDocument & {dataVersion: string}> {
  if (logs === undefined && bench === undefined) throw new InputError('ARGUMENT_MISSING', 'question: logs and bench are both missing: expected one of them')
  const given = await checkedGiven(question)
  const document: VerificationDocument = {schemaVersion: 2, within: true, warnings: []}
  if (logs !== undefined) {
    const verified = await verifiedLog(context, [logs].flat(), given, today)
    const {logDocument} = await import('../planner/verify/index.ts')
    document.log = logDocument(verified)
    document.warnings.push(...verified.warnings)
  }
  if (bench !== undefined) document.bench = await verifiedBench(context, bench, 'the result', given)
  document.within = document.log?.within !== false && document.bench?.within !== false
  return stamped(context.catalogue, document)
}

async function checkedGiven(question: Omit<VerifyQuestion, 'logs' | 'bench'>): Promise<Partial<Scenario>> {
  const {checkedScenario} = await import('../planner/scenario/schema.ts')
  const {workload: _workload, objective: _objective, ...given} = checkedScenario(question, 'question', {inputTokens: 1, outputTokens: 1})
  return given
}
