import type {Accelerator} from '../core/accelerator.ts'
import {matchDriverReport} from './find-gpu.ts'

/** Drivers before 535, and narrow tables since, print `NVIDIA GeForce RTX 4080 ...`. */
const CUT = /\.{3}$/

/**
 * Cards whose name begins as a cut one and whose memory is what was printed, slowest first: which of them it is cannot be told, and a
 * plan for the slowest holds for all. None where the name is not cut or its memory is not known, since a beginning alone says little.
 */
export function cardsBehindCutName(gpus: readonly Accelerator[], name: string, memoryBytes: number | undefined): Accelerator[] {
  if (!CUT.test(name) || memoryBytes === undefined) return []
  const begin = spelled(name.replace(CUT, ''))
  if (!/\d/.test(begin)) return []
  const bandwidth = ({memoryBandwidthBytesPerSecond}: Accelerator) => memoryBandwidthBytesPerSecond ?? 0
  return gpus
    .filter(({aliases}) => aliases.some((spelling) => spelled(spelling).startsWith(begin)))
    .filter((gpu) => gpu.aliases.some((spelling) => isFound(gpu, spelling, memoryBytes)))
    .sort((a, b) => bandwidth(a) - bandwidth(b))
}

/** As drivers print it, with or without the maker: `GeForce RTX 50` begins no `RTX 5000 Ada`. */
const spelled = (name: string): string =>
  name
    .toLowerCase()
    .replace(/^nvidia /, '')
    .replaceAll(/\s+/g, ' ')
    .trim()

/** Whether a driver that printed the whole name and this memory would be believed. */
const isFound = (gpu: Accelerator, name: string, memoryBytes: number): boolean => matchDriverReport([gpu], {name, memoryBytes}).kind === 'found'
