import type {NvidiaDevice, NvidiaProcess, NvidiaSlice, UnknownField} from './nvidia-device.ts'
import {nvidiaLog} from './nvidia-log.ts'
import type {Exec, ExecOutcome} from './probe.ts'
import {bytesOf, computeCapabilityOf, countOf, known, pciAddressOf, quotable, saysUnknown, totalBytesOf} from './quantity.ts'
import {elementAt, elementsAt, parseXml, textAt, type XmlElement} from './xml.ts'

/** `nvidia-smi -q -x`: the fullest answer, the same in shape from driver 390 to 610. */
export function runNvidiaXml(exec: Exec, command: string): Promise<ExecOutcome> {
  return exec(command, ['-q', '-x'])
}

/** Cards in the order of the driver's numbers, from XML or from what `-q` alone prints. Whatever the text, memory is a positive number of bytes or absent. */
export function parseNvidiaXml(text: string): NvidiaDevice[] {
  const log = elementAt(parseXml(text), 'nvidia_smi_log') ?? nvidiaLog(text)
  // Driver 610 tells kernel-mode and user-mode driver apart in its table.
  const driverText = driverOf(textAt(log, 'driver_version')) ? textAt(log, 'driver_version') : (textAt(log, 'kmd_version') ?? textAt(log, 'driver_version'))
  const cudaText = textAt(log, 'cuda_version') ?? textAt(log, 'cuda_umd_version')
  const cudaVersion = cudaText && /^\d{1,2}\.\d{1,2}$/.test(cudaText.trim()) ? cudaText.trim() : undefined
  return elementsAt(log, 'gpu')
    .map((gpu, index) => ({...readGpu(gpu, index, driverText), ...(cudaVersion ? {cudaVersion} : {})}))
    .filter(({name, memoryBytes, pciAddress, slices}) => Boolean(name || memoryBytes || pciAddress || slices.length > 0))
}

function readGpu(gpu: XmlElement, index: number, driverText: string | undefined): NvidiaDevice {
  const nameText = textAt(gpu, 'product_name')
  const memory = readMemory(elementAt(gpu, 'fb_memory_usage'))
  const fabricState = known(textAt(gpu, 'fabric', 'state'))
  return {
    index,
    pciAddress: pciAddressOf(gpu.attributes.id) ?? pciAddressOf(textAt(gpu, 'pci', 'pci_bus_id')),
    pciDeviceId: pciDeviceIdOf(textAt(gpu, 'pci', 'pci_device_id')),
    name: known(nameText),
    uuid: uuidOf(textAt(gpu, 'uuid')),
    architecture: known(textAt(gpu, 'product_architecture')),
    computeCapability: computeCapabilityOf(textAt(gpu, 'compute_cap')),
    driver: driverOf(driverText),
    ...memory.values,
    ...processesOf(gpu),
    pcie: pcieOf(elementAt(gpu, 'pci', 'pci_gpu_link_info')),
    migEnabled: migEnabledOf(textAt(gpu, 'mig_mode', 'current_mig')),
    slices: elementsAt(gpu, 'mig_devices', 'mig_device').map(readSlice),
    fabric: fabricState ? {state: fabricState, status: known(textAt(gpu, 'fabric', 'status'))} : undefined,
    unknownFields: [...unknownField('name', nameText), ...memory.unknownFields, ...unknownField('driver_version', driverText)],
  }
}

function readMemory(usage: XmlElement | undefined) {
  const total = textAt(usage, 'total')
  const free = textAt(usage, 'free')
  return {
    values: memoryOf(total, textAt(usage, 'used'), free),
    unknownFields: [...unknownField('memory.total', total), ...unknownField('memory.free', free)],
  }
}

/** Total, used and free from their texts. Used or free above the total is nonsense and left out. */
export function memoryOf(total: string | undefined, used: string | undefined, free: string | undefined) {
  const memoryBytes = totalBytesOf(total, 'MiB')
  const atMost = (bytes: number | undefined) => (bytes !== undefined && bytes <= (memoryBytes ?? Number.POSITIVE_INFINITY) ? bytes : undefined)
  return {memoryBytes, usedBytes: atMost(bytesOf(used, 'MiB')), freeBytes: atMost(bytesOf(free, 'MiB'))}
}

export function unknownField(field: UnknownField['field'], printed: string | undefined): UnknownField[] {
  return printed !== undefined && saysUnknown(printed) ? [{field, printed}] : []
}

/** Device and vendor run together: `248710DE`, and with `0x` in the query. */
export function pciDeviceIdOf(text: string | undefined): string | undefined {
  const match = /^(?:0x)?([0-9a-f]{4})10de$/i.exec(text?.trim() ?? '')
  return match ? `0x${match[1]}`.toLowerCase() : undefined
}

export function migEnabledOf(text: string | undefined): boolean | undefined {
  const mode = known(text)?.toLowerCase()
  return mode === 'enabled' ? true : mode === 'disabled' ? false : undefined
}

function readSlice(slice: XmlElement, position: number): NvidiaSlice {
  const indexText = textAt(slice, 'index') ?? ''
  // Newer drivers call it shared in their text output.
  const usage = elementAt(slice, 'fb_memory_usage') ?? elementAt(slice, 'shared_fb_memory_usage')
  return {device: /^\d{1,3}$/.test(indexText) ? Number(indexText) : position, ...readMemory(usage).values}
}

/** Programs on the card, largest first, and the sum of what is told of them. Containers and WSL hide programs, or their memory. */
function processesOf(gpu: XmlElement): Pick<NvidiaDevice, 'processListBytes' | 'processes'> {
  const processes = elementsAt(gpu, 'processes', 'process_info').map((info): NvidiaProcess => {
    const usedBytes = bytesOf(textAt(info, 'used_memory'), 'MiB')
    return processOf(textAt(info, 'process_name') ?? '', textAt(info, 'type')?.trim(), usedBytes)
  })
  const held = processes.map(({usedBytes}) => usedBytes).filter((bytes) => bytes !== undefined)
  return {
    processListBytes: held.length > 0 ? held.reduce((sum, bytes) => sum + bytes, 0) : undefined,
    ...(processes.length > 0 ? {processes} : {}),
  }
}

/** A program without the folders that it stands in and without its arguments, since both may hold names of people. */
export function processOf(path: string, type: string | undefined, usedBytes: number | undefined): NvidiaProcess {
  const name =
    quotable(
      path
        .trim()
        .split(/ --?\w/)[0]
        ?.split(/[\\/]/)
        .at(-1) ?? '',
      40,
    ) || 'unknown'
  return {name, graphics: type === 'G' || type === 'C+G', ...(usedBytes === undefined ? {} : {usedBytes})}
}

/** A version; newer drivers print a sentence about where it has gone. */
export function driverOf(text: string | undefined): string | undefined {
  const version = known(text)
  return version && /^\d{2,4}(?:\.\d{1,4}){1,3}$/.test(version) ? version : undefined
}

/** `GPU-`, `MIG-` and hexadecimal groups. */
export function uuidOf(text: string | undefined): string | undefined {
  return /^(?:GPU|MIG)-[\w-]{6,60}(?:\/\d{1,3}\/\d{1,3})?$/.exec(text?.trim() ?? '')?.[0]
}

/** The current generation drops at idle, so the highest that both ends can do counts; the width does not drop. */
function pcieOf(link: XmlElement | undefined) {
  const generations = [textAt(link, 'pcie_gen', 'max_link_gen'), textAt(link, 'pcie_gen', 'max_host_link_gen')]
    .map(countOf)
    .filter((generation) => generation !== undefined)
  const generation = generations.length > 0 ? Math.min(...generations) : undefined
  const laneCount = countOf(textAt(link, 'link_widths', 'current_link_width'))
  return generation === undefined && laneCount === undefined ? undefined : {generation, laneCount}
}
