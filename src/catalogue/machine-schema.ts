import * as z from 'zod'
import {bandwidth, confidence, count, id, memory, networkRate, power, text} from './quantity-schema.ts'
import type {System} from './system.ts'
import {withoutAbsent} from './without-absent.ts'
import {problemsOf} from './zod-problems.ts'

const linkKind = z.enum(['nvlink', 'xgmi', 'pcie-p2p', 'pcie-host', 'network', 'unified', 'other'])

const host = z.strictObject({
  cpu: text.optional(),
  sockets: count.optional(),
  virtualCpus: count.optional(),
  memory: memory.optional(),
  memoryBandwidth: bandwidth.optional(),
  memoryBandwidthBasis: text.optional(),
})

const link = z.strictObject({
  kind: linkKind,
  domainGpus: count.optional(),
  beyondDomain: linkKind.optional(),
  topology: text.optional(),
})

const hostLink = z.strictObject({
  kind: z.enum(['pcie', 'nvlink-c2c']),
  generation: z.int().min(1).max(7).optional(),
  lanes: z.int().min(1).max(16).optional(),
  bandwidthPerDirection: bandwidth.optional(),
})

/** One machine, `data/machines/<id>.yaml`; the id comes from the path. GPUs and host are those of one node. */
export const MachineFile = z
  .strictObject({
    name: text,
    aliases: z.array(text).min(1).optional(),
    kind: z.enum(['server', 'rack', 'workstation', 'desktop', 'embedded', 'cluster', 'cloud-instance']),
    gpus: z.array(z.strictObject({id, count, memory: memory.optional()})),
    nodes: count,
    host: host.optional(),
    unifiedMemory: z.boolean().optional(),
    link: link.optional(),
    hostLink: hostLink.optional(),
    /** Compute fabric only, storage ports left out where known. */
    network: z.strictObject({perGpu: networkRate.optional(), nics: text.optional(), fabric: text.optional()}).optional(),
    maxPower: power.optional(),
    localDeployment: z.boolean(),
    sources: z.array(text).min(1),
    confidence: confidence.optional(),
    notes: z.array(text).min(1).optional(),
  })
  .superRefine((file, context) => {
    const gpusOfNode = file.gpus.reduce((sum, gpu) => sum + gpu.count, 0)
    if (gpusOfNode > 1 && !file.link) {
      context.addIssue({code: 'custom', path: ['link'], message: 'missing: a node with several GPUs needs to say how they are joined'})
    }
  })

export type MachineFile = z.output<typeof MachineFile>

/** The system in a file's content, or every problem of it at once, each with the file and the field. */
export function checkMachineFile(path: string, value: unknown): {system?: System; problems: string[]} {
  const name = (path.split(/[\\/]/).at(-1) ?? '').replace(/\.(?:ya?ml|json)$/, '')
  const problems = id.safeParse(name).success ? [] : [`${path}: "${name}" is not an id: lower case letters, digits and hyphens`]
  const parsed = MachineFile.safeParse(value)
  if (!parsed.success) return {problems: [...problems, ...problemsOf(path, parsed.error)]}
  if (problems.length > 0) return {problems}
  return {system: systemFrom(name, parsed.data), problems}
}

/** A checked file as the catalogue holds it. Absent stays absent. */
export function systemFrom(id: string, file: MachineFile): System {
  return withoutAbsent({
    id,
    name: file.name,
    aliases: file.aliases ?? [],
    kind: file.kind,
    gpus: file.gpus.map((gpu) => withoutAbsent({id: gpu.id, count: gpu.count, memoryBytes: gpu.memory})),
    nodeCount: file.nodes,
    host: file.host && hostFrom(file.host),
    unifiedMemory: file.unifiedMemory,
    link:
      file.link &&
      withoutAbsent({
        kind: file.link.kind,
        domainGpuCount: file.link.domainGpus,
        beyondDomain: file.link.beyondDomain,
        topology: file.link.topology,
      }),
    hostLink:
      file.hostLink &&
      withoutAbsent({
        kind: file.hostLink.kind,
        generation: file.hostLink.generation,
        laneCount: file.hostLink.lanes,
        bytesPerSecondPerDirection: file.hostLink.bandwidthPerDirection,
      }),
    network:
      file.network &&
      withoutAbsent({
        bytesPerSecondPerGpu: file.network.perGpu,
        nics: file.network.nics,
        fabric: file.network.fabric,
      }),
    maxPowerWatts: file.maxPower,
    localDeployment: file.localDeployment,
    confidence: file.confidence,
  })
}

function hostFrom(file: z.output<typeof host>): System['host'] {
  return withoutAbsent({
    cpu: file.cpu,
    socketCount: file.sockets,
    virtualCpuCount: file.virtualCpus,
    memoryBytes: file.memory,
    memoryBandwidthBytesPerSecond: file.memoryBandwidth,
  })
}
