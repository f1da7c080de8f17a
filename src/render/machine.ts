import type {DetectedGpu, MachineDocument} from '../detect/machine-document.ts'
import {gib} from './numbers.ts'
import {harmless, padEnd, paint, wrap} from './style.ts'

const LINKS: Record<string, string> = {
  nvlink: 'NVLink', xgmi: 'xGMI', 'pcie-p2p': 'PCIe with peer access', 'pcie-host': 'PCIe through the host, no peer access', network: 'network', unified: 'one memory', other: 'other', none: '', unknown: 'not known',
}

/** `detect` for people: the machine at a glance, then what is wrong and what to do. */
export function renderMachine(machine: MachineDocument, {columns, colour}: {columns: number; colour: boolean}): string {
  const style = paint(colour)
  const row = (label: string, text: string) => `  ${padEnd(label, 14)}${wrap(text, columns - 16, 16)}`
  const lines = [style.bold(machine.hostname ? harmless(machine.hostname) : 'This machine'), '']
  if (machine.gpus.length === 0) lines.push(row('GPUs', 'none that can be used'))
  for (const [index, gpu] of machine.gpus.entries()) lines.push(row(index === 0 ? 'GPUs' : '', gpuWords(gpu)))
  const link = LINKS[machine.interconnect.kind] ?? machine.interconnect.kind
  if (machine.gpus.length > 1 && link) lines.push(row('Joined by', link))
  const {cpu} = machine
  if (cpu.name ?? cpu.logicalCount) lines.push(row('CPU', [cpu.name && harmless(cpu.name), cpu.logicalCount && `${cpu.logicalCount} threads`].filter(Boolean).join(', ')))
  if (machine.memoryBytes) lines.push(row('Memory', `${gib(machine.memoryBytes)} GiB${machine.availableMemoryBytes === undefined ? '' : `, ${gib(machine.availableMemoryBytes)} GiB available`}`))
  for (const disk of machine.disk) lines.push(row(disk.use === 'checkpoints' ? 'Disk' : 'Shared memory', `${gib(disk.freeBytes)} GiB free at ${harmless(disk.path)}`))
  for (const {message, remedy} of machine.problems) lines.push('', `  ${style.warn(wrap(harmless(message), columns - 4, 2))}`, `    ${wrap(harmless(remedy), columns - 6, 4)}`)
  lines.push('', row('Next', machine.gpus.length > 0 ? 'servefit check qwen3-32b' : 'servefit check qwen3-32b --gpu 1xrtx-4090 asks about another machine'))
  return `${lines.join('\n')}\n`
}

function gpuWords(gpu: DetectedGpu): string {
  const memory = gpu.memoryBytes === undefined ? 'memory not known' : `${gib(gpu.memoryBytes)} GiB${gpu.freeBytes === undefined ? '' : `, ${gib(gpu.freeBytes)} GiB free`}`
  return `${gpu.index}  ${harmless(gpu.name)}  ${memory}${gpu.id ? '' : '  (not in the catalogue)'}${gpu.driver ? `  driver ${harmless(gpu.driver)}` : ''}`
}
