import type {NvidiaDevice} from './nvidia-device.ts'
import type {DetectionEffects} from './probe.ts'
import {known, pciAddressOf} from './quantity.ts'

const GPUS = '/proc/driver/nvidia/gpus'

/** What the kernel module itself tells when nvidia-smi does not: the cards' names and the driver's version, no memory. */
export async function runNvidiaProc(effects: Pick<DetectionEffects, 'readFile' | 'listDirectory'>): Promise<NvidiaDevice[]> {
  const addresses = ((await effects.listDirectory?.(GPUS)) ?? []).slice(0, 64).sort()
  if (addresses.length === 0) return []
  const version = parseNvidiaProcVersion((await effects.readFile('/proc/driver/nvidia/version')) ?? '')
  const devices = await Promise.all(
    addresses.map(async (address, index) => parseNvidiaProcGpu((await effects.readFile(`${GPUS}/${address}/information`)) ?? '', address, index)),
  )
  return devices.filter((device) => device !== undefined).map((device) => ({...device, driver: version}))
}

/** One `information` file: `Model: NVIDIA GeForce RTX 3090`, `Bus Location: 0000:01:00.0`. */
export function parseNvidiaProcGpu(text: string, address: string, index: number): NvidiaDevice | undefined {
  const name = known(/^Model:\s*(.*)$/m.exec(text)?.[1])
  const pciAddress = pciAddressOf(/^Bus Location:\s*(\S+)/m.exec(text)?.[1]) ?? pciAddressOf(address)
  return name || pciAddress ? {index, pciAddress, name, slices: [], unknownFields: []} : undefined
}

/** `NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.247.01  Tue ...` */
export function parseNvidiaProcVersion(text: string): string | undefined {
  return /^NVRM version:.*?\s(\d{3,4}\.\d{1,4}(?:\.\d{1,4})?)\s/m.exec(text)?.[1]
}
