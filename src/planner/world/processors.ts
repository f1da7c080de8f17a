/** A machine without GPUs: its processors as what serves, one for each socket, which is one rank to an engine. */
import type {Accelerator, MachineGpu} from '../../core/accelerator.ts'
import type {System} from '../../catalogue/system.ts'

/** Processors by the words in their names: what images are built for. Others are not known. */
const ARCHITECTURES: [RegExp, string][] = [
  [/\b(?:xeon|epyc|ryzen|threadripper|core)\b/i, 'x86-64'],
  [/\b(?:grace|graviton|neoverse|altra|ampereone|axion|cobalt|kunpeng)/i, 'arm64'],
]

/** "2x Intel Xeon 6980P (128 cores each)": one of them, without what is in brackets. */
const nameOf = (cpu: string): string =>
  cpu
    .replace(/^\d+\s*x\s+/i, '')
    .replace(/\s*\(.*\)$/, '')
    .trim()

/**
 * The processors of a node. Each socket is taken for one NUMA node with its share of memory and bandwidth; where the firmware splits sockets there are
 * more. Empty where the machine's memory is not known.
 */
export function processorsOf({host, name}: System): MachineGpu[] {
  if (host?.memoryBytes === undefined) return []
  const {cpu = name, socketCount = 1, memoryBytes, memoryBandwidthBytesPerSecond: bandwidth} = host
  const architecture = ARCHITECTURES.find(([pattern]) => pattern.test(cpu))?.[1] ?? 'unknown'
  const processor: Accelerator = {
    id: 'cpu',
    name: nameOf(cpu),
    vendor: 'cpu',
    aliases: [],
    architecture,
    memoryBytes: Math.floor(memoryBytes / socketCount),
    memoryBasis: 'nominal',
    ...(bandwidth !== undefined && {memoryBandwidthBytesPerSecond: bandwidth / socketCount}),
    denseOperationsPerSecond: {},
    native: ['bf16', 'int8'],
    remarks: [`the compute rates of ${nameOf(cpu)} are not known: the time for prompts is estimated from its memory bandwidth`],
  }
  return Array.from({length: socketCount}, (_, index) => ({index, accelerator: processor, memoryBytes: processor.memoryBytes}))
}
