/** `--fail-on`, `--junit` and `--sarif`: what pipelines ask of an answer. */
import * as Flags from '@oclif/core/flags'
import type {GateCase} from '../planner/plan/index.ts'

const PIPELINE = 'PIPELINE'

export const pipelineFlags = {
  'fail-on': Flags.string({
    description: 'exit with 1 when the answer is no, tight, extrapolated, has warnings, or outputTokensPerSecond<5000',
    helpValue: 'CONDITIONS',
    helpGroup: PIPELINE,
  }),
  junit: Flags.string({description: 'write a report as JUnit XML into this file', helpValue: 'FILE', helpGroup: PIPELINE}),
  sarif: Flags.string({description: 'write a report as SARIF into this file', helpValue: 'FILE', helpGroup: PIPELINE}),
}

/** Writes the reports that were asked for; a report that is there is replaced, as pipelines run again. */
export async function writeReports(cases: readonly GateCase[], {junit, sarif}: {junit?: string; sarif?: string}, version: string): Promise<void> {
  if (junit === undefined && sarif === undefined) return
  const {saveFile} = await import('./save-file.ts')
  if (junit !== undefined) await saveFile(junit, (await import('../render/pipeline/junit.ts')).junitReport(cases), {force: true})
  if (sarif !== undefined) await saveFile(sarif, (await import('../render/pipeline/sarif.ts')).sarifReport(cases, version), {force: true})
}
