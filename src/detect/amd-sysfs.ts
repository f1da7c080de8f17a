import {type AmdDevice, amdNames} from './amd-device.ts'
import {PCI_DEVICES, type PciGpu} from './pci.ts'
import type {DetectionEffects} from './probe.ts'
import {bytesOf, known, totalBytesOf} from './quantity.ts'

export const AMD = '0x1002'
const KFD_NODES = '/sys/class/kfd/kfd/topology/nodes'

/** What the amdgpu driver tells in files: exact memory, GTT, and the compute target. Needs no tool and takes a few milliseconds. */
export async function runAmdSysfs({readFile, listDirectory}: Pick<DetectionEffects, 'readFile' | 'listDirectory'>, pci: PciGpu[]): Promise<AmdDevice[]> {
  const cards = pci.filter(({vendorId, driver}) => vendorId === AMD && driver === 'amdgpu')
  if (cards.length === 0) return []
  const nodes = (await listDirectory?.(KFD_NODES)) ?? []
  const properties = await Promise.all(nodes.slice(0, 256).map(async (node) => parseKfdNode((await readFile(`${KFD_NODES}/${node}/properties`)) ?? '')))
  const targets = new Map(properties.filter((node) => node !== undefined).map(({address, gfxTarget}) => [address, gfxTarget]))
  const driver = known((await readFile('/sys/module/amdgpu/version')) ?? '')
  return Promise.all(
    cards.map(async ({address, deviceId}, index) => {
      const file = (name: string) => readFile(`${PCI_DEVICES}/${address}/${name}`)
      const [product, vram, vramUsed, gtt, gttUsed] = await Promise.all(
        ['product_name', 'mem_info_vram_total', 'mem_info_vram_used', 'mem_info_gtt_total', 'mem_info_gtt_used'].map(file),
      )
      return {
        index,
        pciAddress: address,
        pciDeviceId: deviceId,
        names: amdNames(known(product)),
        gfxTarget: targets.get(address),
        driver,
        vramBytes: totalBytesOf(vram),
        vramUsedBytes: bytesOf(vramUsed),
        gttBytes: totalBytesOf(gtt),
        gttUsedBytes: bytesOf(gttUsed),
      }
    }),
  )
}

/**
 * A node of the compute driver: `gfx_target_version 90402` is gfx942 (major, then two digits each of minor and stepping, the
 * last two written in hex), `location_id` is bus, device and function in one number. Processors have target 0.
 */
export function parseKfdNode(text: string): {address: string; gfxTarget: string} | undefined {
  const field = (name: string) => {
    const digits = new RegExp(`^${name} (\\d{1,10})$`, 'm').exec(text)?.[1]
    return digits === undefined ? undefined : Number(digits)
  }
  const version = field('gfx_target_version')
  const location = field('location_id')
  if (!version || location === undefined) return undefined
  const hex = (value: number, width: number) => value.toString(16).padStart(width, '0')
  const gfxTarget = `gfx${Math.floor(version / 10000)}${(Math.floor(version / 100) % 100).toString(16)}${(version % 100).toString(16)}`
  const address = `${hex(field('domain') ?? 0, 4)}:${hex((location >> 8) & 0xff, 2)}:${hex((location >> 3) & 0x1f, 2)}.${location & 7}`
  return {address, gfxTarget}
}
