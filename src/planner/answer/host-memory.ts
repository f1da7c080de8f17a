/** What a start needs of the host's memory. Only for machines that were looked at: what is free elsewhere is not known. */
import type {Machine} from '../../core/accelerator.ts'
import type {Warning} from '../../core/terms.ts'
import {bytesInWords} from '../../core/words.ts'

const GIB = 1024 ** 3
/** A worker's libraries and buffers, and the file that it reads weights from: checkpoints are cut into files of about 5 GB. Assumed. */
const WORKER_BYTES = 4 * GIB
const FILE_BYTES = 5 * GIB

/** Workers of one node, and what they pin for offloaded weights. Memory shared with the GPU is judged there, not here. */
export function hostMemoryWarnings(machine: Machine, gpuCount: number, pinned: number): Warning[] {
  const {availableHostMemoryBytes: available, gpus} = machine
  if (!machine.detected || available === undefined || gpus.some(({accelerator}) => accelerator.unifiedMemory)) return []
  const workers = Math.min(gpuCount, gpus.length)
  const needed = workers * WORKER_BYTES + FILE_BYTES + pinned
  if (needed <= available) return []
  const parts = [
    `${workers} worker${workers === 1 ? '' : 's'} of about ${bytesInWords(WORKER_BYTES)}`,
    `${bytesInWords(FILE_BYTES)} for one file of weights`,
    ...(pinned > 0 ? [`${bytesInWords(pinned)} for offloaded weights, which PyTorch pins in powers of two`] : []),
  ]
  return [
    {
      code: 'host-memory-too-small',
      message: `loading needs ${bytesInWords(needed)} of host memory (${parts.join(', ')}), but only ${bytesInWords(available)} is available`,
    },
  ]
}
