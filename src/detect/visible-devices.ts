import type {DetectedGpu, MachineProblem} from './machine-document.ts'
import {dictionary} from '../core/dictionary.ts'

/** Environment variables by which a maker's runtime hides devices from programs, first that is set first. */
const VARIABLES: Partial<Record<string, string[]>> = dictionary({
  nvidia: ['CUDA_VISIBLE_DEVICES'],
  amd: ['HIP_VISIBLE_DEVICES', 'ROCR_VISIBLE_DEVICES', 'CUDA_VISIBLE_DEVICES'],
  huawei: ['ASCEND_RT_VISIBLE_DEVICES'],
})

export interface Visible {
  gpus: DetectedGpu[]
  problems: MachineProblem[]
}

/**
 * Only the GPUs that engines started from this environment would see, and a word about those that are hidden. Numbers are
 * taken in the tool's order; where cards differ, CUDA may count the fastest first, and then nothing is hidden by number.
 * `identities` are those of the GPUs, by their number in the list; entries may be abbreviated.
 */
export function visibleGpus(gpus: DetectedGpu[], vendor: string, env: Record<string, string | undefined>, identities: Map<number, string>): Visible {
  const variable = VARIABLES[vendor]?.find((name) => env[name] !== undefined)
  if (variable === undefined || gpus.length === 0) return {gpus, problems: []}
  const asked = (env[variable] ?? '').trim()
  const entries = asked === '' ? [] : asked.split(',').map((entry) => entry.trim())
  const cards = gpus.filter(({mig}) => !mig)
  const names = new Set(cards.map(({name, memoryBytes}) => `${name} ${memoryBytes}`))
  const byNumber = entries.some((entry) => /^\d+$/.test(entry))
  if (vendor === 'nvidia' && byNumber && names.size > 1 && env.CUDA_DEVICE_ORDER !== 'PCI_BUS_ID') {
    return {
      gpus,
      problems: [
        {
          code: 'gpus-hidden-unclear',
          message: `${variable}=${asked} hides GPUs, but CUDA numbers unequal cards fastest first and not as nvidia-smi does; so all of them are shown`,
          remedy: 'set CUDA_DEVICE_ORDER=PCI_BUS_ID as well, so that both count in the same order',
        },
      ],
    }
  }
  const seen: DetectedGpu[] = []
  for (const entry of entries) {
    const gpu = /^\d+$/.test(entry) ? numbered(gpus, Number(entry)) : identified(gpus, entry, identities)
    // The runtime stops at the first entry that names nothing, such as -1.
    if (!gpu) break
    if (!seen.includes(gpu)) seen.push(gpu)
  }
  const hidden = gpus.length - seen.length
  if (hidden === 0) return {gpus, problems: []}
  const kept = gpus.filter((gpu) => seen.includes(gpu))
  return {
    gpus: kept,
    problems: [
      {
        code: 'gpus-hidden',
        message: `${variable}=${shown(entries)} hides ${hidden} of ${gpus.length} GPUs, which are ignored here`,
        remedy: `unset ${variable} to plan with all of them`,
      },
    ],
  }
}

/** Whole cards by the driver's number; where there are none, slices in order. */
function numbered(gpus: DetectedGpu[], number: number): DetectedGpu | undefined {
  const cards = gpus.filter(({mig}) => !mig)
  return cards.length > 0 ? cards[number] : gpus[number]
}

/** By identity, which may be cut as long as one GPU fits. */
function identified(gpus: DetectedGpu[], entry: string, identities: Map<number, string>): DetectedGpu | undefined {
  if (!/^(?:GPU|MIG)-/.test(entry)) return undefined
  const fitting = gpus.filter(({index}) => identities.get(index)?.startsWith(entry))
  return fitting.length === 1 ? fitting[0] : undefined
}

/** Identities stay out of messages. */
function shown(entries: string[]): string {
  return entries.length === 0
    ? '""'
    : entries
        .map((entry) => entry.replace(/^(GPU|MIG)-.*/, '$1-...').slice(0, 12))
        .join(',')
        .slice(0, 40)
}
