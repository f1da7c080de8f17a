import {HUAWEI, parseAscendTable, parseAscendTopology, runAscendTable, runAscendTopology} from './ascend.ts'
import {HABANA, parseGaudiQuery, parseGaudiTable, runGaudiQuery, runGaudiTable} from './gaudi.ts'
import type {GpuPair, MachineProblem} from './machine-document.ts'
import type {PciGpu} from './pci.ts'
import type {Maker, PlainDevice} from './plain-gpus.ts'
import {type DetectionEffects, type ExecOutcome, printedBy} from './probe.ts'

export interface AcceleratorAnswer {
  devices: PlainDevice[]
  pairs: GpuPair[]
  problems: MachineProblem[]
}

export const GAUDI_MAKER: Maker = {vendor: 'intel', pciVendor: '1da3', title: 'Intel Gaudi'}
export const ASCEND_MAKER: Maker = {vendor: 'huawei', pciVendor: '19e5', title: 'Huawei Ascend'}

/** Gaudi cards: the query, else the table. How they are joined is part of the machine and not printed. */
export async function detectGaudi({exec}: DetectionEffects, pci: PciGpu[]): Promise<AcceleratorAnswer> {
  const cards = pci.filter(({vendorId}) => vendorId === HABANA)
  if (pci.length > 0 && cards.length === 0) return {devices: [], pairs: [], problems: []}
  const query = await runGaudiQuery(exec)
  const asked = parseGaudiQuery(printedBy(query))
  const devices = asked.length > 0 || query.kind === 'missing' ? asked : parseGaudiTable(printedBy(await runGaudiTable(exec)))
  return {devices, pairs: [], problems: devices.length > 0 ? [] : toolProblem('hl-smi', 'Intel Gaudi', query, cards)}
}

/** Ascend cards and their links. */
export async function detectAscend({exec}: DetectionEffects, pci: PciGpu[]): Promise<AcceleratorAnswer> {
  const cards = pci.filter(({vendorId}) => vendorId === HUAWEI)
  if (pci.length > 0 && cards.length === 0) return {devices: [], pairs: [], problems: []}
  const table = await runAscendTable(exec)
  const devices = parseAscendTable(printedBy(table))
  const pairs = devices.length > 1 ? parseAscendTopology(printedBy(await runAscendTopology(exec))) : []
  return {devices, pairs, problems: devices.length > 0 ? [] : toolProblem('npu-smi', 'Huawei Ascend', table, cards)}
}

/** Said only where such a card is on the bus. */
function toolProblem(tool: string, title: string, outcome: ExecOutcome, cards: PciGpu[]): MachineProblem[] {
  if (cards.length === 0) return []
  if (outcome.kind === 'missing')
    return [{code: 'tool-missing', message: `The machine has ${title} cards but no ${tool}`, remedy: `install the driver package that brings ${tool}`}]
  if (outcome.kind === 'timeout')
    return [{code: 'tool-timeout', message: `${tool} did not answer in time`, remedy: `run \`${tool}\` by hand and see whether it hangs; look into dmesg`}]
  if (outcome.kind === 'no-permission')
    return [{code: 'no-permission', message: `${tool} may not be run by this user`, remedy: `check the permissions of the ${tool} program`}]
  return [{code: 'unreadable-output', message: `${tool} printed nothing that can be read`, remedy: `run \`${tool}\` by hand and see what it says`}]
}
