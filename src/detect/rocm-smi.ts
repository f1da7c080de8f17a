import {type AmdDevice, amdNames, gfxTargetOf} from './amd-device.ts'
import {deviceIdOf} from './amd-smi.ts'
import {parseRocmConcise, rocmFieldsOf} from './amd-text.ts'
import {parseGpuMatrix} from './gpu-matrix.ts'
import {objectOf, parseLooseJson, textOf} from './loose-json.ts'
import type {GpuPair} from './machine-document.ts'
import type {Exec, ExecOutcome} from './probe.ts'
import {bytesOf, known, pciAddressOf, totalBytesOf} from './quantity.ts'

/** Deprecated by its makers, and often the only one that is installed. */
export function runRocmSmi(exec: Exec, timeoutMs: number): Promise<ExecOutcome> {
  return exec('rocm-smi', ['--showproductname', '--showid', '--showbus', '--showmeminfo', 'vram', 'gtt', '--json'], {timeoutMs})
}

export function runRocmTopology(exec: Exec, timeoutMs: number): Promise<ExecOutcome> {
  return exec('rocm-smi', ['--showtopotype'], {timeoutMs})
}

/** The table that it prints when asked nothing: the only one that tells how a package is divided. */
export function runRocmConcise(exec: Exec, timeoutMs: number): Promise<ExecOutcome> {
  return exec('rocm-smi', [], {timeoutMs})
}

/**
 * Cards by `card0`, `card1`, ... in JSON, or `GPU[0]` lines, or CSV; keys are compared without their capitals, which changed
 * between releases. The table without memory stands in where there is nothing else.
 */
export function parseRocmSmi(text: string): AmdDevice[] {
  const cards = rocmFieldsOf(text)
  for (const [name, value] of parseLooseJson(text).flatMap((document) => Object.entries(objectOf(document)))) {
    const index = /^card(\d{1,3})$/.exec(name)?.[1]
    if (index === undefined) continue
    const told = Object.entries(objectOf(value)).map(([key, field]) => [key.toLowerCase(), known(textOf(field))] as const)
    // Several answers of the tool one after another tell of the same cards.
    cards.set(Number(index), new Map([...(cards.get(Number(index)) ?? []), ...told]))
  }
  const devices = [...cards].flatMap(([index, fields]) => readCard(index, fields)).sort((a, b) => a.index - b.index)
  return devices.length > 0 ? devices : parseRocmConcise(text)
}

function readCard(index: number, fields: Map<string, string | undefined>): AmdDevice[] {
  const gfxTarget = gfxTargetOf(fields.get('gfx version'))
  const vramBytes = totalBytesOf(fields.get('vram total memory (b)'))
  const names = amdNames(fields.get('card series'), fields.get('device name'))
  if (names.length === 0 && gfxTarget === undefined && vramBytes === undefined) return []
  const used = bytesOf(fields.get('vram total used memory (b)'))
  return [
    {
      index,
      names,
      gfxTarget,
      vramBytes,
      vramUsedBytes: used !== undefined && used <= (vramBytes ?? 0) ? used : undefined,
      gttBytes: totalBytesOf(fields.get('gtt total memory (b)')),
      gttUsedBytes: bytesOf(fields.get('gtt total used memory (b)')),
      pciAddress: pciAddressOf(fields.get('pci bus')),
      // "Card model" is the chip in newer releases and the board in older ones.
      pciDeviceId: deviceIdOf(fields.get('device id')) ?? (gfxTarget ? deviceIdOf(fields.get('card model')) : undefined),
    },
  ]
}

/** The matrix under "Link Type between two GPUs". Whether peers may reach each other over PCIe is not told. */
export function parseRocmTopology(text: string): GpuPair[] {
  const from = text.search(/Link Type between two GPUs/i)
  if (from < 0) return []
  return parseGpuMatrix(text.slice(from), /^(?:XGMI|PCIE)$/).map(({gpus, cell}) => ({
    gpus,
    kind: cell === 'XGMI' ? 'xgmi' : 'pcie-host',
    path: cell,
  }))
}
