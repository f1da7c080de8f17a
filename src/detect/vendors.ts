import {amdGpus, detectAmd} from './amd.ts'
import {appleGpus, detectApple} from './apple.ts'
import type {HostMemory} from './host.ts'
import {detectIntel, intelGpus} from './intel.ts'
import type {DetectedGpu, GpuPair, MachineProblem} from './machine-document.ts'
import {detectNvidia} from './nvidia.ts'
import {nvidiaGpus, nvidiaIdentities} from './nvidia-gpus.ts'
import {ASCEND_MAKER, type AcceleratorAnswer, detectAscend, detectGaudi, GAUDI_MAKER} from './other-accelerators.ts'
import type {PciGpu} from './pci.ts'
import {type Maker, plainGpus} from './plain-gpus.ts'
import type {DetectionEffects, FindGpu} from './probe.ts'
import {quotable} from './quantity.ts'
import type {Surroundings} from './surroundings.ts'
import {visibleGpus} from './visible-devices.ts'

/** What each vendor's probe hands over. */
export interface VendorAnswer {
  gpus: DetectedGpu[]
  pairs: GpuPair[]
  problems: MachineProblem[]
  /** What the driver calls each GPU, by its index: it chooses cards on this machine and stands in no document. */
  identities?: ReadonlyMap<number, string>
}

/** A vendor's tools, asked and matched with the catalogue. What other probes read at the same time comes as a promise. */
export type VendorProbe = (
  effects: DetectionEffects,
  surroundings: Promise<Surroundings>,
  pci: Promise<PciGpu[]>,
  memory: Promise<HostMemory>,
) => Promise<VendorAnswer>

const NOTHING: VendorAnswer = {gpus: [], pairs: [], problems: []}

const onLinux = ({system}: DetectionEffects): boolean => system === undefined || system.platform === 'linux'

const nvidia: VendorProbe = async (effects, surroundings, pci, memory) => {
  // No driver for macOS since 2019.
  if (effects.system?.platform === 'darwin') return NOTHING
  const {devices, pairs, problems} = await detectNvidia(effects, await surroundings, await pci)
  const board = devices.length > 0 ? await effects.readFile('/proc/device-tree/model') : undefined
  const {totalBytes, availableBytes} = await memory
  const read = nvidiaGpus(devices, {totalBytes, availableBytes, boardModel: board ? quotable(board, 80) || undefined : undefined}, effects.findGpu)
  const identities = nvidiaIdentities(devices)
  const visible = visibleGpus(read.value, 'nvidia', effects.env, identities)
  return {gpus: visible.gpus, pairs, problems: [...problems, ...read.problems, ...visible.problems], identities}
}

const amd: VendorProbe = async (effects, surroundings, pci, memory) => {
  if (!onLinux(effects)) return NOTHING
  const {devices, pairs, problems} = await detectAmd(effects, await surroundings, await pci)
  const read = amdGpus(devices, await memory, effects.findGpu)
  const visible = visibleGpus(read.value, 'amd', effects.env, new Map())
  return {gpus: visible.gpus, pairs, problems: [...problems, ...read.problems, ...visible.problems]}
}

const apple: VendorProbe = async (effects, _surroundings, _pci, memory) => {
  if (effects.system?.platform !== 'darwin') return NOTHING
  const read = appleGpus(await detectApple(effects), await memory, effects.findGpu)
  return {gpus: read.value, pairs: [], problems: read.problems}
}

const intel: VendorProbe = async (effects, _surroundings, pci) => {
  if (!onLinux(effects)) return NOTHING
  const {devices, pairs, problems} = await detectIntel(effects, await pci)
  const read = intelGpus(devices, effects.findGpu)
  return {gpus: read.value, pairs, problems: [...problems, ...read.problems]}
}

const gaudi: VendorProbe = async (effects, _surroundings, pci) => {
  const answer = onLinux(effects) ? await detectGaudi(effects, await pci) : NOTHING
  return plainAnswer({devices: [], ...answer}, GAUDI_MAKER, effects)
}

const ascend: VendorProbe = async (effects, _surroundings, pci) => {
  const answer = onLinux(effects) ? await detectAscend(effects, await pci) : NOTHING
  return plainAnswer({devices: [], ...answer}, ASCEND_MAKER, effects)
}

function plainAnswer({devices, pairs, problems}: AcceleratorAnswer, maker: Maker, {findGpu, env}: DetectionEffects): VendorAnswer {
  const read = plainGpus(devices, maker, findGpu)
  const visible = visibleGpus(read.value, maker.vendor, env, new Map())
  return {
    gpus: visible.gpus,
    pairs: pairs.length > 0 ? pairs : builtInPairs(visible.gpus, findGpu),
    problems: [...problems, ...read.problems, ...visible.problems],
  }
}

/** Links that no tool prints, but that every box with these modules has: the network among Gaudi cards. The catalogue knows how far it reaches. */
function builtInPairs(gpus: DetectedGpu[], findGpu: FindGpu | undefined): GpuPair[] {
  const [first] = gpus
  const {scaleUp} = (first?.id ? findGpu?.(first.id) : undefined) ?? {}
  if (!scaleUp || !/roce/i.test(scaleUp.kind) || gpus.some(({id}) => id !== first?.id) || gpus.length > (scaleUp.maxGpuCount ?? 0)) return []
  return gpus.flatMap((a, at) => gpus.slice(at + 1).map((b): GpuPair => ({gpus: [a.index, b.index], kind: 'other', path: 'RoCE'})))
}

/** In the order in which a machine's GPUs are listed: the first that finds any keeps its tool's numbers. */
export const VENDOR_PROBES: VendorProbe[] = [nvidia, amd, apple, intel, gaudi, ascend]
