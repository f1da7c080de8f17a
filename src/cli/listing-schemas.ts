/** Schemas of what the look-up commands print, of errors, and of what `doctor` found. */
import * as z from 'zod'
import {MachineDocumentSchema} from '../detect/machine-schema.ts'

const VENDORS = ['nvidia', 'amd', 'apple', 'intel', 'huawei', 'google', 'cerebras', 'cpu', 'other'] as const
const LINKS = ['nvlink', 'xgmi', 'pcie-p2p', 'pcie-host', 'network', 'unified', 'other'] as const

const rates = z.partialRecord(z.enum(['fp16', 'bf16', 'fp8', 'int8', 'int4', 'fp4', 'fp6']), z.number())

const gpu = z.looseObject({
  id: z.string(),
  name: z.string(),
  vendor: z.enum(VENDORS),
  aliases: z.array(z.string()),
  architecture: z.string().optional(),
  computeCapability: z.number().optional(),
  memoryBytes: z.int().positive(),
  unifiedMemory: z.boolean().optional(),
  memoryBandwidthBytesPerSecond: z.number().positive().optional(),
  denseOperationsPerSecond: rates,
  estimatedOperationsPerSecond: rates.optional(),
  native: z.array(z.string()),
  tdpWatts: z.number().positive().optional(),
  releaseYear: z.int().optional(),
})

/** `gpus --json`: all of them, or the one that was named. */
export const GpusSchema = z.union([
  z.object({schemaVersion: z.literal(2), dataVersion: z.string().optional(), gpus: z.array(gpu)}),
  z.object({schemaVersion: z.literal(2), dataVersion: z.string().optional(), gpu}),
])

const system = z.looseObject({
  id: z.string(),
  name: z.string(),
  aliases: z.array(z.string()),
  kind: z.string(),
  gpus: z.array(z.object({id: z.string(), count: z.int().positive(), memoryBytes: z.int().positive().optional()})),
  nodeCount: z.int().positive(),
  link: z.looseObject({kind: z.enum(LINKS)}).optional(),
  maxPowerWatts: z.number().positive().optional(),
  localDeployment: z.boolean(),
})

/** `machines --json`: all of them, or the one that was named. */
export const MachinesSchema = z.union([
  z.object({schemaVersion: z.literal(2), dataVersion: z.string().optional(), machines: z.array(system)}),
  z.object({schemaVersion: z.literal(2), dataVersion: z.string().optional(), machine: system}),
])

const engine = z.object({
  id: z.string(),
  title: z.string(),
  docsUrl: z.string(),
  newestVersion: z.string(),
  versions: z.array(z.string()),
  images: z.array(z.object({vendor: z.string(), image: z.string(), since: z.string().optional(), gfx: z.array(z.string()).optional()})),
})

/** `engines --json`: all of them, or the one that was named. */
export const EnginesSchema = z.union([
  z.object({schemaVersion: z.literal(2), dataVersion: z.string().optional(), engines: z.array(engine)}),
  z.object({schemaVersion: z.literal(2), dataVersion: z.string().optional(), engine}),
])

/** What any command prints with --json when the input was wrong; a line of `batch` has `id` and `path` too. */
export const ErrorSchema = z.object({
  schemaVersion: z.literal(2),
  dataVersion: z.string().optional(),
  id: z.string().optional(),
  error: z.object({
    code: z.string().regex(/^[A-Z_]+$/),
    message: z.string(),
    path: z.string().optional().describe('of batch: the field that is wrong'),
    suggestions: z.array(z.string()).min(1).optional().describe('the closest known names, best first'),
  }),
})

/** `schema --json`: the documents by name. */
export const DocumentsSchema = z.object({schemaVersion: z.literal(2), documents: z.array(z.object({name: z.string(), description: z.string()}))})

/** `completion --json`: the script of a shell. */
export const CompletionSchema = z.object({schemaVersion: z.literal(2), shell: z.enum(['bash', 'zsh', 'fish']), script: z.string()})

/** `web --json`: where the page is, printed once it is served. */
export const WebSchema = z.object({schemaVersion: z.literal(2), url: z.string()})

/** `doctor --json`: the machine, and what each tool was asked and said. */
export const DoctorSchema = z.object({
  schemaVersion: z.literal(2),
  dataVersion: z.string().optional(),
  machine: MachineDocumentSchema,
  recording: z.looseObject({}),
  files: z.array(z.string()).optional(),
})
