import * as z from 'zod'
import type {MachineDocument} from './machine-document.ts'

/**
 * The machine document as a schema: for files that people hand in, and for `servefit schema machine`. Load it only there.
 * Keys that it does not have are errors: a misspelt one would be lost without a word.
 */
const bytes = z.int().nonnegative()
const positiveBytes = z.int().positive()
const index = z.int().nonnegative()
const linkKind = z.enum(['nvlink', 'xgmi', 'pcie-p2p', 'pcie-host', 'network', 'unified', 'other'])

const gpu = z.strictObject({
  index: index.describe('Unique in the document; for a whole card the number that its driver uses'),
  id: z.string().optional().describe('The card in the catalogue; for a MIG slice the card that it is cut from'),
  name: z.string(),
  vendor: z.enum(['nvidia', 'amd', 'apple', 'intel', 'huawei', 'google', 'cerebras', 'other']),
  memoryBytes: positiveBytes.optional().describe('As the driver reports it; for unified memory the total of the operating system. Absent: not known'),
  freeBytes: bytes.optional().describe('Free now'),
  memoryBandwidthBytesPerSecond: z.number().positive().optional(),
  computeCapability: z.number().positive().optional(),
  architecture: z.string().optional(),
  gfxTarget: z.string().optional().describe('AMD: gfx942'),
  gpuCoreCount: z.int().positive().optional().describe('Apple: cores of the GPU'),
  driver: z.string().optional(),
  uuid: z
    .string()
    .regex(/^(?:GPU|MIG)-[\w-]{6,60}(?:\/\d{1,3}\/\d{1,3})?$/, 'expected GPU-... or MIG-...')
    .optional()
    .describe('NVIDIA: identity of the card or slice, which detect never prints; start files choose cards by it'),
  cudaVersion: z.string().optional().describe('Newest CUDA that the driver can run'),
  mig: z
    .looseObject({parentIndex: index, device: index, profile: z.string().optional(), parentMemoryBytes: positiveBytes.optional()})
    .optional()
    .describe('Present on a MIG slice'),
  partition: z.strictObject({mode: z.string().optional(), count: z.int().positive()}).optional().describe('AMD: one of several logical devices of a package'),
  unifiedMemory: z.boolean().optional(),
  processesBytes: bytes.optional().describe('Held by programs now'),
  processes: z
    .array(z.strictObject({name: z.string(), graphics: z.boolean(), usedBytes: bytes.optional()}))
    .optional()
    .describe('Who holds it, most first; containers and WSL hide programs'),
  pcie: z.strictObject({generation: z.int().positive().optional(), laneCount: z.int().positive().optional()}).optional(),
})

const pair = z.strictObject({
  gpus: z.tuple([index, index]),
  kind: linkKind,
  path: z.string().optional().describe('As the tool prints it: NV18, PIX, PHB, SYS, XGMI'),
  linkCount: z.int().positive().optional(),
  bytesPerSecondPerDirection: z.number().positive().optional(),
  peerAccess: z.boolean().optional(),
})

const machine = z.strictObject({
  schemaVersion: z.literal([1, 2]),
  hostname: z.string().optional(),
  gpus: z.array(gpu),
  interconnect: z.strictObject({
    kind: z.enum([...linkKind.options, 'none', 'unknown']).describe('That of the slowest pair; none for fewer than two GPUs'),
    pairs: z.array(pair).optional(),
  }),
  // Nothing is reckoned with it, and the interface leaves its keys open: others than these are no mistake.
  cpu: z.looseObject({
    name: z.string().optional(),
    vendor: z.string().optional(),
    architecture: z.string().optional(),
    logicalCount: z.int().positive().optional(),
    physicalCount: z.int().positive().optional(),
    socketCount: z.int().positive().optional(),
    numaNodeCount: z.int().positive().optional(),
  }),
  memoryBytes: positiveBytes.optional().describe('Host memory that programs may use, limits of a container applied'),
  availableMemoryBytes: bytes.optional(),
  memoryBandwidthBytesPerSecond: z.number().positive().optional().describe('Of the host memory as it runs; readable by the administrator only'),
  memoryModules: z
    .looseObject({
      type: z.string().optional(),
      count: z.int().positive(),
      megatransfersPerSecond: z.int().positive().optional(),
      ratedMegatransfersPerSecond: z.int().positive().optional(),
      channelCount: z.int().positive().optional(),
    })
    .optional(),
  containers: z.strictObject({engines: z.array(z.string()), nvidiaToolkit: z.boolean().optional(), dockerKnowsNvidia: z.boolean().optional()}).optional(),
  disk: z.array(z.strictObject({path: z.string(), use: z.enum(['checkpoints', 'shared-memory']), totalBytes: positiveBytes, freeBytes: bytes})),
  problems: z.array(z.strictObject({code: z.string(), message: z.string(), remedy: z.string()})),
}) satisfies z.ZodType<MachineDocument>

/** A figure in GiB or MB where bytes are expected would plan for a card of a few bytes. */
const LEAST_MEMORY_BYTES = 2 ** 20

export const MachineDocumentSchema = machine.check(({value: {gpus, interconnect, memoryBytes: hostBytes, availableMemoryBytes, disk}, issues}) => {
  const say = (path: PropertyKey[], message: string, input: unknown) => issues.push({code: 'custom', path, message, input})
  if (hostBytes !== undefined && availableMemoryBytes !== undefined && availableMemoryBytes > hostBytes)
    say(['availableMemoryBytes'], `${availableMemoryBytes} is more than memoryBytes, ${hostBytes}`, availableMemoryBytes)
  for (const [at, {totalBytes, freeBytes}] of disk.entries())
    if (freeBytes > totalBytes) say(['disk', at, 'freeBytes'], `${freeBytes} is more than totalBytes, ${totalBytes}`, freeBytes)
  for (const [at, {index: own, memoryBytes, freeBytes, processesBytes}] of gpus.entries()) {
    if (gpus.findIndex(({index: other}) => other === own) < at) say(['gpus', at, 'index'], `${own} is also the index of another GPU`, own)
    if (memoryBytes !== undefined && memoryBytes < LEAST_MEMORY_BYTES)
      say(['gpus', at, 'memoryBytes'], `${memoryBytes} bytes are no GPU's memory: expected bytes, such as ${24 * 2 ** 30} for 24 GiB`, memoryBytes)
    if (memoryBytes !== undefined && freeBytes !== undefined && freeBytes > memoryBytes)
      say(['gpus', at, 'freeBytes'], `${freeBytes} is more than memoryBytes, ${memoryBytes}`, freeBytes)
    if (memoryBytes !== undefined && processesBytes !== undefined && processesBytes > memoryBytes)
      say(['gpus', at, 'processesBytes'], `${processesBytes} is more than memoryBytes, ${memoryBytes}`, processesBytes)
  }
  for (const [at, {gpus: ends}] of (interconnect.pairs ?? []).entries())
    if (!ends.every((end) => gpus.some(({index: own}) => own === end)))
      say(['interconnect', 'pairs', at, 'gpus'], `no GPU has the index ${ends.find((end) => !gpus.some(({index: own}) => own === end))}`, ends)
})
