import type {LinkKind} from '../core/accelerator.ts'
import {InputError} from '../core/input-error.ts'
import {nearest, quotedShort} from '../core/nearest.ts'

/** A machine one can buy or rent, by name. GPUs and host are those of one node; nodes are alike. */
export interface System {
  id: string
  name: string
  aliases: string[]
  /** server, rack, workstation, desktop, embedded, cluster, cloud-instance. */
  kind: string
  /** Of each node; empty for a machine without accelerators. */
  gpus: SystemGpu[]
  nodeCount: number
  host?: SystemHost
  /** CPU and GPU share one memory: host memory must not be counted beside GPU memory. */
  unifiedMemory?: boolean
  link?: SystemLink
  hostLink?: SystemHostLink
  network?: {bytesPerSecondPerGpu?: number; nics?: string; fabric?: string}
  /** Watts of the whole system, all nodes. */
  maxPowerWatts?: number
  /** False for what can only be rented. */
  localDeployment: boolean
  confidence?: 'high' | 'medium' | 'low'
}

export interface SystemGpu {
  /** Id of a GPU of the catalogue. */
  id: string
  count: number
  /** Where the memory of this machine differs from the GPU's entry (unified memory is chosen with the machine). */
  memoryBytes?: number
}

/** Of each node. */
export interface SystemHost {
  cpu?: string
  socketCount?: number
  virtualCpuCount?: number
  memoryBytes?: number
  memoryBandwidthBytesPerSecond?: number
}

/** How the GPUs of a node reach each other. The rate is the GPU's own, or the host link's for PCIe. */
export interface SystemLink {
  kind: LinkKind
  /** GPUs in one domain of this link; may be fewer than a node has (bridged pairs) or more (one tray of a rack). */
  domainGpuCount?: number
  /** Between domains of one node. */
  beyondDomain?: LinkKind
  topology?: string
}

/** Between a GPU and its CPU. */
export interface SystemHostLink {
  kind: 'pcie' | 'nvlink-c2c'
  generation?: number
  laneCount?: number
  bytesPerSecondPerDirection?: number
}

/** The system with this id, name or alias. Throws InputError MACHINE_UNKNOWN with the closest ids. */
export function requireSystem(systems: readonly System[], name: string): System {
  const asked = plain(name)
  const found = systems.find((system) => systemSpellings(system).some((spelling) => plain(spelling) === asked))
  if (found) return found
  const known = systems.map(({id, name: title, aliases}) => ({name: id, spellings: [title, ...aliases]}))
  throw new InputError(
    'MACHINE_UNKNOWN',
    `No machine named ${quotedShort(name)} in the catalogue: servefit machines lists them; ${/^\d{1,4}\s*[x×]\s*\S/i.test(name) ? `cards are given with --gpu, as in --gpu ${name.slice(0, 40)}` : 'a file is given by its path, such as ./box.txt'}`,
    {
      suggestions: nearest(name, known),
    },
  )
}

/** The shortest beginning of a name that is taken for one. */
const LEAST_CHARACTERS = 4

/** The systems one of whose names begins so: a Mac mini, an instance in a cloud. */
export function systemsCalled(systems: readonly System[], name: string): System[] {
  const asked = plain(name)
  return asked.length < LEAST_CHARACTERS ? [] : systems.filter((system) => systemSpellings(system).some((spelling) => plain(spelling).startsWith(asked)))
}

/** Every name that a system goes by. */
export const systemSpellings = ({id, name, aliases}: System): string[] => [id, name, ...aliases]

const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '')
