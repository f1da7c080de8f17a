import type {Exec, ExecOutcome} from './probe.ts'
import {bytesOf, known, pciAddressOf, totalBytesOf, withoutStyling} from './quantity.ts'
import type {PlainDevice} from './plain-gpus.ts'

export const HABANA = '0x1da3'

const FIELDS = ['index', 'uuid', 'name', 'driver_version', 'memory.total', 'memory.used', 'memory.free', 'bus_id'] as const

/** The short query of Intel's Gaudi tool. */
export function runGaudiQuery(exec: Exec): Promise<ExecOutcome> {
  return exec('hl-smi', ['-Q', FIELDS.join(','), '-f', 'csv,noheader'])
}

export function runGaudiTable(exec: Exec): Promise<ExecOutcome> {
  return exec('hl-smi', [])
}

/** Rows of the query: index, identity, name, driver, then memory with units; more columns may follow. */
export function parseGaudiQuery(text: string): PlainDevice[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const [index, , name, driver, total, used, free, ...more] = line.split(',').map((cell) => cell.trim())
    if (!/^\d{1,3}$/.test(index ?? '') || !/^HL-/.test(name ?? '')) return []
    return [
      {
        index: Number(index),
        name: known(name),
        driver: known(driver),
        pciAddress: more.map(pciAddressOf).find((address) => address !== undefined),
        ...memoryOf(totalBytesOf(total, 'MiB'), bytesOf(used, 'MiB'), bytesOf(free, 'MiB')),
      },
    ]
  })
}

/** The table: two rows a card. */
export function parseGaudiTable(text: string): PlainDevice[] {
  const devices: PlainDevice[] = []
  const driver = known(/Driver Version:\s*(\S+)/.exec(text.replace(/Nic Driver Version:[^\n]*/i, ''))?.[1])
  for (const line of withoutStyling(text).split(/\r?\n/)) {
    const card = /^\|\s+(\d{1,3})\s+(HL-\S+)\s+\S+\s*\|\s*([0-9a-f:.]+)\s/i.exec(line)
    const usage = /\|\s*(\d{1,9})MiB\s*\/\s*(\d{1,9})MiB\s*\|/.exec(line)
    const last = devices.at(-1)
    if (card) devices.push({index: Number(card[1]), name: card[2], driver, pciAddress: pciAddressOf(card[3])})
    else if (usage && last && last.memoryBytes === undefined) Object.assign(last, memoryOf(totalBytesOf(usage[2], 'MiB'), bytesOf(usage[1], 'MiB'), undefined))
  }
  return [...new Map(devices.toReversed().map((device) => [device.index, device])).values()].toReversed()
}

function memoryOf(memoryBytes: number | undefined, used: number | undefined, free: number | undefined) {
  const within = (bytes: number | undefined) => (bytes !== undefined && memoryBytes !== undefined && bytes <= memoryBytes ? bytes : undefined)
  const usedBytes = within(used)
  return {memoryBytes, usedBytes, freeBytes: within(free) ?? (usedBytes === undefined || memoryBytes === undefined ? undefined : memoryBytes - usedBytes)}
}
