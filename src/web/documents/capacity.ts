import type {CapacityReport} from '../../planner/capacity/index.ts'
import {capacityWords} from '../../render/capacity.ts'

/** How many machines, as it is shown. */
export interface CapacityDocument {
  kind: 'capacity'
  title: string
  /** What `capacity --json` prints. */
  report: CapacityReport
  words: ReturnType<typeof capacityWords>
  command: string
}

/** A report as a document. */
export const capacityDocument = (report: CapacityReport, words: string): CapacityDocument => ({
  kind: 'capacity',
  title: `Machines for ${report.demands.map(({name}) => name).join(', ')}`,
  report,
  words: capacityWords(report),
  command: `servefit capacity ${words}`,
})
