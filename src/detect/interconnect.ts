import type {LinkKind} from '../core/accelerator.ts'
import type {DetectedGpu, GpuPair, Interconnect, InterconnectKind, MachineProblem} from './machine-document.ts'

/** Fastest first; a plan that spans several pairs runs at the pace of the slowest. */
const BEST_FIRST: LinkKind[] = ['nvlink', 'xgmi', 'unified', 'pcie-p2p', 'other', 'pcie-host', 'network']

/** The kind of the slowest of the pairs; nothing where there are none. */
export function slowestKind(pairs: Pick<GpuPair, 'kind'>[]): LinkKind | undefined {
  return pairs.map(({kind}) => kind).sort((a, b) => BEST_FIRST.indexOf(b) - BEST_FIRST.indexOf(a))[0]
}

/** All pairs among these GPUs, or nothing where one is not known. */
export function pairsAmong(pairs: GpuPair[], indexes: number[]): GpuPair[] | undefined {
  const among = pairs.filter(({gpus}) => gpus.every((index) => indexes.includes(index)))
  const expected = (indexes.length * (indexes.length - 1)) / 2
  return among.length === expected ? among : undefined
}

/** How the GPUs of the document are joined as a whole. Pairs with a GPU that is not in the document are dropped. */
export function interconnectOf(gpus: DetectedGpu[], allPairs: GpuPair[]): {interconnect: Interconnect; problems: MachineProblem[]} {
  const cards = gpus.filter(({mig}) => !mig)
  // Processor graphics beside cards is no partner for them.
  const partners = cards.some(({unifiedMemory}) => !unifiedMemory) ? cards.filter(({unifiedMemory}) => !unifiedMemory) : cards
  const whole = partners.map(({index}) => index)
  const pairs = allPairs.filter(({gpus: pair}) => pair.every((index) => whole.includes(index)))
  const kind = kindOf(gpus, partners, pairs)
  const problems: MachineProblem[] = []
  if (kind === 'unknown')
    problems.push({
      code: 'topology-unknown',
      message: `No tool reported how the ${whole.length} GPUs are connected`,
      remedy: `plans for several GPUs assume that they communicate through the host; run \`${topologyCommand(partners)}\` by hand and see what it says`,
    })
  problems.push(...unequalLinks(pairs))
  return {interconnect: {kind, ...(pairs.length > 0 ? {pairs} : {})}, problems}
}

const TOPOLOGY_COMMANDS: Partial<Record<DetectedGpu['vendor'], string>> = {
  amd: 'amd-smi topology',
  intel: 'xpu-smi topology -m',
  huawei: 'npu-smi info -t topo',
}

const topologyCommand = ([first]: DetectedGpu[]): string => TOPOLOGY_COMMANDS[first?.vendor ?? 'nvidia'] ?? 'nvidia-smi topo -m'

/** Cards of different makers never share a model, so only links within one maker's count. */
function kindOf(gpus: DetectedGpu[], partners: DetectedGpu[], pairs: GpuPair[]): InterconnectKind {
  if (gpus.length === 1 && gpus[0]?.unifiedMemory) return 'unified'
  const makers = [...new Set(partners.map(({vendor}) => vendor))].map((maker) => partners.filter(({vendor}) => vendor === maker).map(({index}) => index))
  const several = makers.filter((indexes) => indexes.length > 1)
  if (several.length === 0) return 'none'
  const known = several.map((indexes) => pairsAmong(pairs, indexes))
  return known.some((among) => among === undefined) ? 'unknown' : (slowestKind(known.flatMap((among) => among ?? [])) ?? 'unknown')
}

/** Bridges join pairs; a model split over more cards than are bridged runs at the pace of PCIe. */
function unequalLinks(pairs: GpuPair[]): MachineProblem[] {
  const fast = pairs.filter(({kind}) => kind === 'nvlink' || kind === 'xgmi')
  const slow = pairs.length - fast.length
  if (fast.length === 0 || slow === 0) return []
  const named = fast
    .slice(0, 4)
    .map(({gpus: [a, b]}) => `${a} and ${b}`)
    .join(', ')
  return [
    {
      code: 'links-unequal',
      message: `Only some GPUs are connected by fast links (${named}${fast.length > 4 ? ', ...' : ''}); ${slow} other ${slow === 1 ? 'pair is' : 'pairs are'} not`,
      remedy: 'split a model only over GPUs that are connected, and run one copy for each such group',
    },
  ]
}
