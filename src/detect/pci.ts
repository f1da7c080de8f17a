import type {DetectionEffects} from './probe.ts'
import {pciAddressOf} from './quantity.ts'

/** A display or accelerator function on the PCI bus, as the kernel sees it: it needs no vendor tool. */
export interface PciGpu {
  address: string
  /** `0x10de` NVIDIA, `0x1002` AMD, `0x8086` Intel. */
  vendorId: string
  deviceId: string
  /** Kernel driver that holds it: nvidia, amdgpu, xe, vfio-pci, nouveau. */
  driver?: string
}

export const PCI_DEVICES = '/sys/bus/pci/devices'

/** Display controllers (class 03) and processing accelerators (class 12). Bridges such as NVSwitch are class 06 and stay out. */
export async function runPciScan(effects: Pick<DetectionEffects, 'readFile' | 'listDirectory'>): Promise<PciGpu[]> {
  const names = ((await effects.listDirectory?.(PCI_DEVICES)) ?? []).slice(0, 4096)
  const gpus = await Promise.all(names.map(async (name) => parsePciEvent(await effects.readFile(`${PCI_DEVICES}/${name}/uevent`), name)))
  return gpus.filter((gpu) => gpu !== undefined).sort((a, b) => a.address.localeCompare(b.address))
}

/** One `uevent` file: DRIVER=nvidia, PCI_CLASS=30200, PCI_ID=10DE:2330. */
export function parsePciEvent(text: string | undefined, name: string): PciGpu | undefined {
  const field = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(text ?? '')?.[1]?.trim()
  const id = /^([0-9a-f]{4}):([0-9a-f]{4})$/i.exec(field('PCI_ID') ?? '')
  const address = pciAddressOf(field('PCI_SLOT_NAME') ?? name)
  // The class has six digits with the leading zero left out: 30000 VGA, 30200 3D, 38000 display, 120000 accelerator.
  if (!id || !address || !/^(?:3|12)[0-9a-f]{4}$/i.test(field('PCI_CLASS') ?? '')) return undefined
  const driver = field('DRIVER')
  return {address, vendorId: `0x${id[1]}`.toLowerCase(), deviceId: `0x${id[2]}`.toLowerCase(), ...(driver ? {driver} : {})}
}
