import * as z from 'zod'
import type {MachineDocument} from './machine-document.ts'

/**
 * The machine document as a schema: for files that people hand in, and for `servefit schema machine`. Load it only there.
 * Fields that this version does not know are let through, since a newer one may have written the file.
 */
const bytes = z.int().nonnegative()
const positiveBytes = z.int().positive()
const index = z.int().nonnegative()
const linkKind = z.enum(['nvlink', 'xgmi', 'pcie-p2p', 'pcie-host', 'network', 'unified', 'other'])

const gpu = z.looseObject({
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
  cudaVersion: z.string().optional().describe('Newest CUDA that the driver can run'),
  mig: z
    .looseObject({parentIndex: index, device: index, profile: z.string().optional(), parentMemoryBytes: positiveBytes.optional()})
    .optional()
    .describe('Present on a MIG slice'),
  partition: z.looseObject({mode: z.string().optional(), count: z.int().positive()}).optional().describe('AMD: one of several logical devices of a package'),
  unifiedMemory: z.boolean().optional(),
  processesBytes: bytes.optional().describe('Held by programs now'),
  processes: z
    .array(z.looseObject({name: z.string(), graphics: z.boolean(), usedBytes: bytes.optional()}))
    .optional()
    .describe('Who holds it, most first; containers and WSL hide programs'),
  pcie: z.looseObject({generation: z.int().positive().optional(), laneCount: z.int().positive().optional()}).optional(),
})

const pair = z.looseObject({
  gpus: z.tuple([index, index]),
  kind: linkKind,
  path: z.string().optional().describe('As the tool prints it: NV18, PIX, PHB, SYS, XGMI'),
  linkCount: z.int().positive().optional(),
  bytesPerSecondPerDirection: z.number().positive().optional(),
  peerAccess: z.boolean().optional(),
})

export const MachineDocumentSchema = z.looseObject({
  schemaVersion: z.literal(1),
  hostname: z.string().optional(),
  gpus: z.array(gpu),
  interconnect: z.looseObject({
    kind: z.enum([...linkKind.options, 'none', 'unknown']).describe('That of the slowest pair; none for fewer than two GPUs'),
    pairs: z.array(pair).optional(),
  }),
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
  containers: z.looseObject({engines: z.array(z.string()), nvidiaToolkit: z.boolean().optional(), dockerKnowsNvidia: z.boolean().optional()}).optional(),
  disk: z.array(z.looseObject({path: z.string(), use: z.enum(['checkpoints', 'shared-memory']), totalBytes: positiveBytes, freeBytes: bytes})),
  problems: z.array(z.looseObject({code: z.string(), message: z.string(), remedy: z.string()})),
}) satisfies z.ZodType<MachineDocument>
