import {ServefitCommand} from '../cli/base.ts'
import {commandWords} from '../cli/command-words.ts'
import {assumedLoad, machineFlags} from '../cli/flags.ts'
import {withProgress} from '../cli/progress.ts'
import {detectDocument, machineFromDocument, realContext} from '../cli/world.ts'
import type {Machine} from '../core/accelerator.ts'
import type {Reason} from '../core/terms.ts'
import type {MachineDocument} from '../detect/machine-document.ts'
import {machineOf} from '../planner/answer/index.ts'
import {type Fit, fitOf, type FittingModel, fittingModels, type ModelSummary, summaryOf, withoutBuild} from '../planner/models/index.ts'
import {renderHere} from '../render/here.ts'

/** As many as one reads at a glance; `models --fits` has the others. */
const SHOWN = 5

export interface HereDocument {
  schemaVersion: 2
  /** What was found in this machine; absent where another one is asked about. */
  machine?: MachineDocument
  /** The best of those that fit, best first. */
  models: (ModelSummary & {fit: Fit})[]
  /** How many fit in all. */
  fitting: number
  reasons?: Reason[]
}

export default class Here extends ServefitCommand {
  static override summary = 'What this machine is, and what fits it'
  static override description = 'This is what servefit says without a command.'
  static override examples = ['<%= config.bin %>', '<%= config.bin %> <%= command.id %> --gpu 2xrtx-3090']
  static override flags = machineFlags

  async run(): Promise<HereDocument> {
    const {flags} = await this.parse(Here)
    const context = realContext(this.catalogue)
    const isNamed = flags.gpu !== undefined || flags.machine !== undefined
    const document = isNamed ? undefined : await withProgress('looking at this machine', () => detectDocument(this.catalogue))
    const machine = document ? await machineFromDocument(this.catalogue, document) : await machineOf(context, {model: '', ...flags})
    const {fitting, refusal} = machine.gpus.length === 0 ? {fitting: []} : this.fitting(context, machine)
    const best = fitting.slice(0, SHOWN)
    if (!this.jsonEnabled()) {
      const where = isNamed ? commandWords('', flags, machineFlags).replace(/^\S+ ?/, '') : ''
      const look = {columns: this.columns, colour: this.colour}
      process.stdout.write(renderHere({machine, best, fitting: fitting.length, where, ...(document && {document}), ...(refusal && {refusal})}, look))
    }
    return {
      schemaVersion: 2,
      ...(document && {machine: document}),
      models: best.map((entry) => ({...summaryOf(entry.model), fit: fitOf(entry)})),
      fitting: fitting.length,
      ...(refusal && {reasons: [refusal]}),
    }
  }

  private fitting(context: ReturnType<typeof realContext>, machine: Machine): {fitting: FittingModel[]; refusal?: Reason} {
    const refusal = withoutBuild(context, machine, {})
    if (refusal) return {fitting: [], refusal}
    const {catalogue} = context
    const models = catalogue.modelEntries.map(({id}) => catalogue.model(id)).filter(({pooling}) => !pooling)
    return {fitting: fittingModels(context, models, {machine, request: {}, workload: assumedLoad(undefined)}, SHOWN)}
  }
}
