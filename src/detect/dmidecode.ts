import type {Exec, ExecOutcome} from './probe.ts'
import {known, totalBytesOf} from './quantity.ts'

/** Only the administrator may read it; others get nothing, and the fields stay away. */
export function runDmidecode(exec: Exec): Promise<ExecOutcome> {
  return exec('dmidecode', ['-t', '17'])
}

export interface MemoryModules {
  /** DDR5, LPDDR5. */
  type?: string
  count: number
  /** What the modules run at, not what they could. Absent where they differ or it is not told. */
  megatransfersPerSecond?: number
  ratedMegatransfersPerSecond?: number
  channelCount?: number
  /** Sum over the populated channels of their width times their rate. */
  bandwidthBytesPerSecond?: number
}

interface Module {
  channel?: string
  widthBits?: number
  type?: string
  configured?: number
  rated?: number
}

/**
 * Populated modules of `dmidecode -t 17`. Bandwidth counts channels, not modules: two modules of one channel share it. An
 * LPDDR device is 32 bits wide or narrower, so its data width counts. Without a label of the channel for each module the
 * bandwidth is left out.
 */
export function parseDmidecode(text: string): MemoryModules | undefined {
  const modules = text
    .split(/^Memory Device\s*$/m)
    .slice(1)
    .map(readModule)
    .filter((module) => module !== undefined)
  if (modules.length === 0) return undefined
  const channels = new Map<string, Module>()
  for (const module of modules) if (module.channel !== undefined) channels.set(module.channel, slower(channels.get(module.channel), module))
  const complete = modules.every(({channel, widthBits, configured}) => channel !== undefined && widthBits && configured)
  const bandwidth = [...channels.values()].reduce((sum, {widthBits = 0, configured = 0}) => sum + (widthBits / 8) * configured * 1e6, 0)
  return {
    type: same(modules.map(({type}) => type)),
    count: modules.length,
    megatransfersPerSecond: same(modules.map(({configured}) => configured)),
    ratedMegatransfersPerSecond: same(modules.map(({rated}) => rated)),
    ...(complete ? {channelCount: channels.size, bandwidthBytesPerSecond: bandwidth} : {}),
  }
}

function readModule(text: string): Module | undefined {
  const field = (name: string) => known(new RegExp(`^\\s+${name}:[ \\t]*(.*?)\\s*$`, 'm').exec(text)?.[1])
  // "No Module Installed", and devices that are flash.
  const size = totalBytesOf(field('Size')?.replace(/ ([KMGT])B$/, ' $1iB'))
  if (size === undefined) return undefined
  const rate = (name: string) => {
    const value = Number(/^(\d{3,5}) (?:MT\/s|MHz)$/.exec(field(name) ?? '')?.[1] ?? 0)
    return value > 0 ? value : undefined
  }
  const width = Number(/^(8|16|32|64|128) bits$/.exec(field('Data Width') ?? '')?.[1] ?? 0)
  return {
    channel: channelOf(field('Bank Locator')) ?? channelOf(field('Locator')),
    widthBits: width > 0 ? width : undefined,
    type: /^(?:LP)?DDR\dX?$/.exec(field('Type') ?? '')?.[0],
    configured: rate('Configured Memory Speed') ?? rate('Configured Clock Speed'),
    rated: rate('Speed'),
  }
}

/** `P0 CHANNEL A`, `P0_Node0_Channel2_Dimm0`, `NODE 1 CHANNEL 0`: everything up to the channel's own name. */
function channelOf(label: string | undefined): string | undefined {
  const match = /^(.*?channel[\s_-]*(?:[a-z](?![a-z])|\d{1,2}))/i.exec(label ?? '')
  return match?.[1]?.toUpperCase().replace(/[\s_-]+/g, ' ')
}

const slower = (known: Module | undefined, module: Module): Module => (known && (known.configured ?? 0) <= (module.configured ?? 0) ? known : module)

function same<T>(values: T[]): T | undefined {
  return values.every((value) => value === values[0]) ? values[0] : undefined
}
