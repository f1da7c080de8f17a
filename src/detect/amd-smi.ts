import {type AmdDevice, amdNames, gfxTargetOf} from './amd-device.ts'
import {parseAmdMemoryText, parseAmdStaticText, parseAmdTable, parseAmdTopologyText} from './amd-text.ts'
import {arrayOf, objectOf, parseLooseJson, textOf} from './loose-json.ts'
import type {GpuPair} from './machine-document.ts'
import type {Exec, ExecOutcome} from './probe.ts'
import {bytesOf, known, pciAddressOf, totalBytesOf} from './quantity.ts'

export function runAmdStatic(exec: Exec, timeoutMs: number): Promise<ExecOutcome> {
  return exec('amd-smi', ['static', '--json'], {timeoutMs})
}

export function runAmdMemory(exec: Exec, timeoutMs: number): Promise<ExecOutcome> {
  return exec('amd-smi', ['metric', '--mem-usage', '--json'], {timeoutMs})
}

export function runAmdTopology(exec: Exec, timeoutMs: number): Promise<ExecOutcome> {
  return exec('amd-smi', ['topology', '--json'], {timeoutMs})
}

/** Asked without JSON, for versions that print none. */
export function runAmdText(exec: Exec, question: 'static' | 'topology', timeoutMs: number): Promise<ExecOutcome> {
  return exec('amd-smi', [question], {timeoutMs})
}

/** `amd-smi static --json`: a bare array up to version 25, an object with `gpu_data` since; or what it prints for people. */
export function parseAmdStatic(text: string): AmdDevice[] {
  const found = entries(text)
  if (found.length === 0) return firstTold(parseAmdStaticText(text), parseAmdTable(text))
  return found.flatMap(({index, entry}) => {
    const asic = objectOf(entry.asic)
    const board = objectOf(entry.board)
    const vram = objectOf(entry.vram)
    const names = amdNames(known(textOf(asic.market_name)), known(textOf(board.product_name)))
    const gfxTarget = gfxTargetOf(textOf(asic.target_graphics_version))
    const vramBytes = totalBytesOf(amountOf(vram.size))
    if (names.length === 0 && gfxTarget === undefined && vramBytes === undefined) return []
    return [
      {
        index,
        names,
        gfxTarget,
        vramBytes,
        pciAddress: pciAddressOf(textOf(objectOf(entry.bus).bdf)),
        pciDeviceId: deviceIdOf(textOf(asic.device_id)),
        driver: driverOf(textOf(objectOf(entry.driver).version)),
        partition: partitionOf(objectOf(entry.partition)),
      },
    ]
  })
}

const firstTold = (...readings: AmdDevice[][]): AmdDevice[] => readings.find((devices) => devices.length > 0) ?? []

/** `amd-smi metric --mem-usage --json`: what is in use, by GPU. */
export function parseAmdMemory(text: string): Map<number, Partial<AmdDevice>> {
  const found = entries(text)
  if (found.length === 0) return parseAmdMemoryText(text)
  return new Map(
    found.map(({index, entry}) => {
      const usage = objectOf(entry.mem_usage)
      return [
        index,
        {
          vramUsedBytes: bytesOf(amountOf(usage.used_vram)),
          gttBytes: totalBytesOf(amountOf(usage.total_gtt)),
          gttUsedBytes: bytesOf(amountOf(usage.used_gtt)),
        },
      ]
    }),
  )
}

/** `amd-smi topology --json`, the shape with maps of `gpu_0` and the later one with `links`. */
export function parseAmdTopology(text: string): GpuPair[] {
  const pairs = new Map<string, GpuPair>()
  const add = (from: number, to: number, type: string | undefined, status: string | undefined) => {
    const path = type?.toUpperCase()
    if (from === to || (path !== 'XGMI' && path !== 'PCIE')) return
    const gpus: [number, number] = from < to ? [from, to] : [to, from]
    const peerAccess = status === 'ENABLED' ? true : status === 'DISABLED' ? false : undefined
    const kind = path === 'XGMI' ? 'xgmi' : peerAccess ? 'pcie-p2p' : 'pcie-host'
    if (!pairs.has(gpus.join('-'))) pairs.set(gpus.join('-'), {gpus, kind, path, ...(peerAccess === undefined ? {} : {peerAccess})})
  }
  const found = entries(text)
  if (found.length === 0) return parseAmdTopologyText(text)
  for (const {index, entry} of found) {
    for (const link of arrayOf(entry.links).map(objectOf)) {
      const to = indexOf(link.gpu)
      if (to !== undefined) add(index, to, textOf(link.link_type), textOf(link.link_status))
    }
    const status = objectOf(entry.link_accessibility)
    for (const [name, type] of Object.entries(objectOf(entry.link_type))) {
      const to = /^gpu_(\d{1,3})$/.exec(name)?.[1]
      if (to !== undefined) add(index, Number(to), textOf(type), textOf(status[name]))
    }
  }
  return [...pairs.values()].sort((a, b) => a.gpus[0] - b.gpus[0] || a.gpus[1] - b.gpus[1])
}

function entries(text: string): {index: number; entry: Record<string, unknown>}[] {
  return parseLooseJson(text)
    .flatMap((document) => (Array.isArray(document) ? document : arrayOf(objectOf(document).gpu_data)))
    .map(objectOf)
    .flatMap((entry) => {
      const index = indexOf(entry.gpu)
      return index === undefined ? [] : [{index, entry}]
    })
}

function indexOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < 1000 ? value : undefined
}

/** `{"compute_partition": "QPX", "memory_partition": "NPS1", "partition_id": 1}`; spellings of the keys changed. */
function partitionOf(entry: Record<string, unknown>): AmdDevice['partition'] {
  const compute = known(textOf(entry.compute_partition ?? entry.accelerator_partition))
  if (!compute || !/^[A-Z]PX$/.test(compute)) return undefined
  const memory = known(textOf(entry.memory_partition))
  const id = indexOf(entry.partition_id)
  return {compute, ...(memory ? {memory} : {}), ...(id === undefined ? {} : {id})}
}

/** `{"value": 65520, "unit": "MB"}`, where MB are 1,048,576 bytes; older versions print one string. */
function amountOf(value: unknown): string | undefined {
  const {value: number, unit} = objectOf(value)
  const text = textOf(value) ?? (textOf(number) === undefined ? undefined : `${textOf(number)} ${textOf(unit) ?? 'MB'}`)
  return text?.replace(/\s*([KMG])B$/, ' $1iB')
}

export function deviceIdOf(text: string | undefined): string | undefined {
  const id = text?.trim().toLowerCase()
  return id && /^0x[0-9a-f]{4}$/.test(id) ? id : undefined
}

/** `6.12.12`; in-tree drivers print the whole line of the kernel's version, which says nothing of the driver. */
function driverOf(text: string | undefined): string | undefined {
  return text && /^\d{1,4}(?:\.\d{1,4}){1,3}$/.test(text.trim()) ? text.trim() : undefined
}
