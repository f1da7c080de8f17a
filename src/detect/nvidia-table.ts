import type {NvidiaDevice, NvidiaProcess, NvidiaSlice} from './nvidia-device.ts'
import {driverOf, memoryOf, migEnabledOf, processOf, unknownField} from './nvidia-xml.ts'
import {type Exec, type ExecOutcome, PROBE_TIMEOUT_MS} from './probe.ts'
import {known, pciAddressOf, withoutStyling} from './quantity.ts'

/** `nvidia-smi` alone: the last resort, since names are cut and columns move between drivers. */
export function runNvidiaTable(exec: Exec, command: string): Promise<ExecOutcome> {
  // What came before it has taken its time already.
  return exec(command, [], {timeoutMs: Math.round(PROBE_TIMEOUT_MS / 2)})
}

const CARD = /^\s*(\d{1,3})\s+(\S.*?)\s+(?:On|Off|N\/A|ERR!|WDDM|TCC|MCDM)\s*$/
const USAGE = /(\d{1,9})MiB\s*\/\s*(\d{1,9})MiB/
const SLICE = /^\s*(\d{1,3})\s+\d{1,3}\s+\d{1,3}\s+(\d{1,3})\s*$/
const PROCESS = /^\|\s+(\d{1,3})\s+(?:\S+\s+\S+\s+)?(\d{1,10})\s+(C|G|C\+G|M\+C)\s+(\S.*?)\s+(\d{1,9}MiB|N\/A)\s*\|/

/**
 * Cards from the table. A card takes two rows or three: number, name and bus address; memory; MIG mode. A name that ends in
 * dots was cut: it is kept apart, since several cards may begin with it. The table prints no free memory: it is what is neither used nor, where known, reserved.
 */
export function parseNvidiaTable(text: string): NvidiaDevice[] {
  const devices = new Map<number, NvidiaDevice>()
  const slices: {parentIndex: number; slice: NvidiaSlice}[] = []
  const processes: {parentIndex: number; process: NvidiaProcess}[] = []
  const lines = withoutStyling(text).split(/\r?\n/)
  const header = lines.find((line) => /(?:Driver|KMD) Version:/.test(line)) ?? ''
  const driverText = /(?:Driver|KMD) Version:\s*(\S+)/.exec(header)?.[1]
  const cudaVersion = cudaVersionOf(/CUDA (?:UMD )?Version:\s*(\S+)/.exec(header)?.[1])
  let last: NvidiaDevice | undefined
  for (const line of lines) {
    const cells = line.split('|').slice(1, -1)
    const card = cells.length === 3 ? CARD.exec(cells[0] ?? '') : null
    const slice = cells.length >= 4 ? SLICE.exec(cells[0] ?? '') : null
    const held = PROCESS.exec(line)
    if (card?.[2]) {
      last = newDevice(Number(card[1]), card[2], cells[1] ?? '', driverText, cudaVersion)
      devices.set(last.index, devices.get(last.index) ?? last)
    } else if (slice) {
      const usage = USAGE.exec(cells[1] ?? '')
      const {memoryBytes, usedBytes} = memoryOf(usage?.[2], usage?.[1], undefined)
      const freeBytes = memoryBytes !== undefined && usedBytes !== undefined ? memoryBytes - usedBytes : undefined
      slices.push({parentIndex: Number(slice[1]), slice: {device: Number(slice[2]), memoryBytes, usedBytes, freeBytes}})
    } else if (held) {
      const bytes = memoryOf(undefined, held[5]?.replace('MiB', ' MiB'), undefined).usedBytes
      processes.push({parentIndex: Number(held[1]), process: processOf(held[4] ?? '', held[3], bytes)})
    } else if (last && cells.length === 3) readFurtherRow(last, cells)
    else if (/^\+|^\s*$/.test(line)) last = undefined
  }
  return [...devices.values()].map((device) => ({
    ...device,
    slices: slices.filter(({parentIndex}) => parentIndex === device.index).map(({slice}) => slice),
    ...held(processes.filter(({parentIndex}) => parentIndex === device.index).map(({process}) => process)),
  }))
}

function held(processes: NvidiaProcess[]): Pick<NvidiaDevice, 'processes'> {
  return processes.length > 0 ? {processes} : {}
}

function newDevice(index: number, name: string, bus: string, driver: string | undefined, cudaVersion: string | undefined): NvidiaDevice {
  const cut = /\.{3}$/.test(name)
  return {
    index,
    pciAddress: pciAddressOf(bus.trim().split(/\s+/)[0]),
    name: cut ? undefined : known(name),
    // A beginning without a number is that of every card.
    ...(cut && /\d/.test(name) ? {cutName: name} : {}),
    driver: driverOf(driver),
    cudaVersion,
    slices: [],
    unknownFields: [...(cut ? [{field: 'name' as const, printed: name}] : unknownField('name', name)), ...unknownField('driver_version', driver)],
  }
}

/** The row of memory, or the one of the MIG mode. */
function readFurtherRow(device: NvidiaDevice, cells: string[]): void {
  const memory = cells[1]?.trim() ?? ''
  const usage = USAGE.exec(memory)
  if (usage && device.memoryBytes === undefined) {
    const {memoryBytes, usedBytes} = memoryOf(usage[2], usage[1], undefined)
    device.memoryBytes = memoryBytes
    device.usedBytes = usedBytes
    if (memoryBytes !== undefined && usedBytes !== undefined) device.freeBytes = memoryBytes - usedBytes
  } else if (memory !== '' && !usage) device.unknownFields.push(...unknownField('memory.total', memory))
  else if (memory === '') device.migEnabled = migEnabledOf(cells[2])
}

/** `13.1`; WSL may print `ERR!`. */
function cudaVersionOf(text: string | undefined): string | undefined {
  return text && /^\d{1,2}\.\d{1,2}$/.test(text.trim()) ? text.trim() : undefined
}
