import * as z from 'zod'
import type {Accelerator, ComputeType, Vendor} from '../core/accelerator.ts'
import {bandwidth, confidence, count, id, memory, power, text} from './quantity-schema.ts'
import {withoutAbsent} from './without-absent.ts'
import {problemsOf} from './zod-problems.ts'

const vendors = ['nvidia', 'amd', 'apple', 'intel', 'huawei', 'google', 'cerebras', 'other'] as const

/** Dense tera-operations a second, by type of the operands. */
const tflops = z.strictObject({
  fp16: z.number().positive().optional(),
  bf16: z.number().positive().optional(),
  fp8: z.number().positive().optional(),
  fp6: z.number().positive().optional(),
  fp4: z.number().positive().optional(),
  int8: z.number().positive().optional(),
  int4: z.number().positive().optional(),
})

const scaleUp = z.strictObject({
  kind: z.string().regex(/^[a-z]+(?:-[a-z]+)*$/, 'expected a kind such as nvlink or nvlink-bridge'),
  generation: z.int().positive().optional(),
  /** Left out where no rate is published. */
  bandwidthPerDirection: bandwidth.optional(),
  scope: text.optional(),
  maxGpus: z.int().min(2),
})

const pcie = z.strictObject({
  generation: z.int().min(1).max(7).optional(),
  lanes: z.int().min(1).max(16).optional(),
  bandwidthPerDirection: bandwidth,
})

const sources = z.strictObject({
  memory: z.array(text).min(1),
  bandwidth: z.array(text).min(1).optional(),
  rates: z.array(text).min(1).optional(),
  interconnect: z.array(text).min(1).optional(),
})

/**
 * One accelerator, `data/gpus/<vendor>/<id>.yaml`; id and vendor come from the path. Every figure is for one device as the driver
 * shows it. What is unknown is left out.
 */
export const GpuFile = z
  .strictObject({
    name: text,
    /** Only for a file outside `data/gpus`, whose folder does not tell. */
    vendor: z.enum(vendors).optional(),
    /** As the driver prints it, the usual spelling first. */
    aliases: z.array(text),
    sharedAliases: z.array(text).min(1).optional(),
    nicknames: z.array(text).min(1).optional(),
    form: text.optional(),
    architecture: text.optional(),
    computeCapability: z.number().positive().optional(),
    gfxTarget: z
      .string()
      .regex(/^gfx[0-9a-f]+$/, 'expected a target such as gfx942')
      .optional(),
    pciDeviceIds: z
      .array(z.string().regex(/^0x[0-9a-f]{4}$/, 'expected four lower case hex digits: 0x74a1'))
      .min(1)
      .optional(),
    memory,
    memoryBasis: z.enum(['reported', 'system', 'nominal']),
    memoryReservedByDriver: memory.optional(),
    memoryOptions: z.array(memory).min(2).optional(),
    memoryVariants: z
      .array(z.strictObject({memory, source: text}))
      .min(1)
      .optional(),
    memoryType: text.optional(),
    unifiedMemory: z.boolean().optional(),
    memoryBandwidth: bandwidth.optional(),
    denseTflops: tflops.optional(),
    fp16AccumulateTflops: tflops.optional(),
    estimatedTflops: tflops.optional(),
    estimateBasis: text.optional(),
    native: z.array(z.enum(['fp16', 'bf16', 'tf32', 'int8', 'int4', 'fp8', 'fp6', 'nvfp4', 'mxfp4'])),
    scaleUp: scaleUp.optional(),
    pcie: pcie.optional(),
    hostLink: z.strictObject({kind: z.literal('nvlink-c2c'), bandwidthPerDirection: bandwidth.optional()}).optional(),
    pciePeerAccess: z.boolean().optional(),
    devicesPerPackage: z.int().min(2).optional(),
    gpuCores: z.strictObject({min: count, max: count}).optional(),
    tdp: power.optional(),
    releaseYear: z.int().min(2010).max(2040).optional(),
    localDeployment: z.boolean().optional(),
    sources,
    confidence: confidence.optional(),
    notes: z.array(text).min(1).optional(),
  })
  .superRefine((file, context) => {
    const problem = (path: string[], message: string) => context.addIssue({code: 'custom', path, message})
    if (file.memoryBandwidth && !file.sources.bandwidth) problem(['sources', 'bandwidth'], 'missing: memoryBandwidth needs a source')
    if (file.denseTflops && !file.sources.rates) problem(['sources', 'rates'], 'missing: denseTflops needs a source')
    if (file.scaleUp && !file.sources.interconnect) problem(['sources', 'interconnect'], 'missing: scaleUp needs a source')
    if ((file.estimatedTflops === undefined) !== (file.estimateBasis === undefined)) {
      problem(['estimateBasis'], 'estimatedTflops and estimateBasis go together')
    }
    const largest = Math.max(...(file.memoryOptions ?? [file.memory]))
    if (largest !== file.memory) problem(['memory'], 'must be the largest of memoryOptions')
  })

export type GpuFile = z.output<typeof GpuFile>

/** The accelerator in a file's content, or every problem of it at once, each with the file and the field. */
export function checkGpuFile(path: string, value: unknown): {accelerator?: Accelerator; problems: string[]} {
  const named = nameParts(path)
  const problems = id.safeParse(named.id).success ? [] : [`${path}: "${named.id}" is not an id: lower case letters, digits and hyphens`]
  const parsed = GpuFile.safeParse(value)
  if (!parsed.success) return {problems: [...problems, ...problemsOf(path, parsed.error)]}
  if (problems.length > 0) return {problems}
  return {accelerator: acceleratorFrom(named.id, named.vendor, parsed.data), problems}
}

/** Id and vendor from `.../<vendor>/<id>.yaml`; a folder that is no vendor gives `other`. */
function nameParts(path: string): {id: string; vendor: Vendor} {
  const parts = path.split(/[\\/]/)
  const folder = parts.at(-2)
  return {
    id: (parts.at(-1) ?? '').replace(/\.(?:ya?ml|json)$/, ''),
    vendor: vendors.find((vendor) => vendor === folder) ?? 'other',
  }
}

/** A checked file as the arithmetic wants it: tera-operations become operations, absent stays absent. */
export function acceleratorFrom(id: string, folderVendor: Vendor, file: GpuFile): Accelerator {
  return withoutAbsent({
    id,
    name: file.name,
    vendor: file.vendor ?? folderVendor,
    aliases: file.aliases,
    sharedAliases: file.sharedAliases,
    nicknames: file.nicknames,
    pciDeviceIds: file.pciDeviceIds,
    architecture: file.architecture,
    computeCapability: file.computeCapability,
    gfxTarget: file.gfxTarget,
    form: file.form,
    memoryBytes: file.memory,
    memoryBasis: file.memoryBasis,
    driverReservedBytes: file.memoryReservedByDriver,
    memoryOptionsBytes: file.memoryOptions,
    memoryVariantsBytes: file.memoryVariants?.map((variant) => variant.memory),
    unifiedMemory: file.unifiedMemory,
    memoryBandwidthBytesPerSecond: file.memoryBandwidth,
    denseOperationsPerSecond: operations(file.denseTflops) ?? {},
    fp16AccumulateOperationsPerSecond: operations(file.fp16AccumulateTflops),
    estimatedOperationsPerSecond: operations(file.estimatedTflops),
    estimateBasis: file.estimateBasis,
    native: file.native,
    ...scaleUpFrom(file.scaleUp),
    pcie:
      file.pcie &&
      withoutAbsent({
        generation: file.pcie.generation,
        laneCount: file.pcie.lanes,
        bytesPerSecondPerDirection: file.pcie.bandwidthPerDirection,
      }),
    hostLink: file.hostLink && withoutAbsent({kind: file.hostLink.kind, bytesPerSecondPerDirection: file.hostLink.bandwidthPerDirection}),
    pciePeerAccess: file.pciePeerAccess,
    devicesPerPackage: file.devicesPerPackage,
    gpuCoreCount: file.gpuCores,
    tdpWatts: file.tdp,
    releaseYear: file.releaseYear,
    localDeployment: file.localDeployment,
    confidence: file.confidence,
  })
}

/** Two fields, since the arithmetic may only use a link whose rate is known. */
function scaleUpFrom(link: GpuFile['scaleUp']): Pick<Accelerator, 'scaleUp' | 'unratedScaleUp'> {
  if (!link) return {}
  const common = withoutAbsent({kind: link.kind, scope: link.scope, maxGpuCount: link.maxGpus})
  const rate = link.bandwidthPerDirection
  return rate === undefined ? {unratedScaleUp: common} : {scaleUp: {...common, bytesPerSecondPerDirection: rate}}
}

function operations(rates: z.output<typeof tflops> | undefined): Partial<Record<ComputeType, number>> | undefined {
  return rates && Object.fromEntries(Object.entries(rates).map(([type, tera]) => [type, Math.round(tera * 1e12)]))
}
