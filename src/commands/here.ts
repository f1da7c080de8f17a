import {ServefitCommand} from '../cli/base.ts'
import {commandWords} from '../cli/command-words.ts'
import {machineFlags} from '../cli/flags.ts'
import {lookFlags} from '../cli/look-flags.ts'
import {withProgress} from '../cli/progress.ts'
import {detectDocument, machineFromDocument, realContext} from '../cli/world.ts'
import type {Machine} from '../core/accelerator.ts'
import type {Reason} from '../core/terms.ts'
import type {MachineDocument} from '../detect/machine-document.ts'
import {machineOf} from '../planner/answer/index.ts'
import {type Fit, fitOf, type Fitting, fittingModels, type ModelSummary, summaryOf, withoutBuild} from '../planner/models/index.ts'
import {assumedLoad} from '../planner/scenario/index.ts'
import {stamped} from '../library/stamp.ts'
import {renderHere} from '../render/here.ts'

/** As many as one reads at a glance; `models --fits` has the others. */
const SHOWN = 5

const NONE: Fitting = {models: [], complete: true}

export interface HereDocument {
  schemaVersion: 2
  dataVersion: string
  /** What was found in this machine; absent where another one is asked about. */
  machine?: MachineDocument
  /** The best of those that fit, best first. */
  models: (ModelSummary & {fit: Fit})[]
  /** Whether others fit too. */
  more: boolean
  reasons?: Reason[]
}

export default class Here extends ServefitCommand {
  static override summary = 'What this machine is, and what fits it'
  static override description = 'This is what servefit says without a command.'
  static override examples = ['<%= config.bin %>', '<%= config.bin %> <%= command.id %> --gpu 2xrtx-3090']
  static override flags = {...machineFlags, ...lookFlags}

  async run(): Promise<HereDocument> {
    const {flags} = await this.parse(Here)
    const context = realContext(this.catalogue)
    const isNamed = flags.gpu !== undefined || flags.machine !== undefined
    const document = isNamed ? undefined : await withProgress('looking at this machine', () => detectDocument(this.catalogue))
    const machine = document ? await machineFromDocument(this.catalogue, document) : await machineOf(context, {model: '', ...flags})
    const {fitting, refusal} = machine.gpus.length === 0 ? {fitting: NONE} : this.fitting(context, machine)
    const {models: best, complete} = fitting
    if (!this.jsonEnabled()) {
      const where = isNamed ? commandWords('', flags, machineFlags).replace(/^\S+ ?/, '') : ''
      process.stdout.write(renderHere({machine, best, complete, where, ...(document && {document}), ...(refusal && {refusal})}, this.look))
    }
    return stamped(this.catalogue, {
      schemaVersion: 2 as const,
      ...(document && {machine: document}),
      models: best.map((entry) => ({...summaryOf(entry.model), fit: fitOf(entry)})),
      more: !complete,
      ...(refusal && {reasons: [refusal]}),
    })
  }

  private fitting(context: ReturnType<typeof realContext>, machine: Machine): {fitting: Fitting; refusal?: Reason} {
    const refusal = withoutBuild(context, machine, {})
    if (refusal) return {fitting: NONE, refusal}
    const {catalogue} = context
    const models = catalogue.modelEntries.map(({id}) => catalogue.model(id)).filter(({pooling}) => !pooling)
    return {fitting: fittingModels(context, models, {machine, request: {}, workload: assumedLoad(undefined)}, SHOWN)}
  }
}
