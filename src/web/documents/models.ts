import type {Catalogue} from '../../catalogue/catalogue.ts'
import {countParameters} from '../../core/tensors.ts'
import {type Fitting, fittingReport} from '../../library/models.ts'
import {machineTitle} from '../../render/hardware.ts'
import {harmless} from '../../render/style.ts'

/** Which models fit a machine, as it is shown. */
export interface ModelsDocument {
  kind: 'models'
  title: string
  machine: string
  /** What `models --fits --json` prints. */
  report: ReturnType<typeof fittingReport>
  rows: ModelsRow[]
  /** All that fit are listed. */
  complete: boolean
  /** Why none can, where no engine has a build for the machine. */
  unbuilt?: string
  command: string
}

/** A model that fits, with its own figures beside those of its build. */
export interface ModelsRow {
  id: string
  name: string
  totalParams: number
  activeParams: number
  licence?: string
  fit: ModelsDocument['report']['models'][number]['fit']
}

export function modelsDocument(catalogue: Catalogue, found: Fitting, words: string): ModelsDocument {
  const {machine, best, complete, unbuilt} = found
  const report = fittingReport(catalogue, found)
  const place = harmless(machineTitle(machine))
  return {
    kind: 'models',
    title: `Models for ${place}`,
    machine: place,
    report,
    rows: best.map(({model}, index) => {
      const {total, active} = countParameters(model.architecture)
      return {
        id: model.id,
        name: harmless(model.name),
        totalParams: total,
        activeParams: active,
        ...(model.licence !== undefined && {licence: harmless(model.licence)}),
        fit: report.models[index]!.fit,
      }
    }),
    complete,
    ...(unbuilt && {unbuilt: harmless(`${unbuilt.message}${unbuilt.remedy ? `; ${unbuilt.remedy}` : ''}`)}),
    command: `servefit models ${words}`,
  }
}
