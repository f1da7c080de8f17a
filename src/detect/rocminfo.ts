import {type AmdDevice, amdNames, gfxTargetOf} from './amd-device.ts'
import type {Exec, ExecOutcome} from './probe.ts'
import {known, quotable, totalBytesOf} from './quantity.ts'

/** Quick, written in C++, and the only tool in many containers. */
export function runRocminfo(exec: Exec, timeoutMs: number): Promise<ExecOutcome> {
  return exec('rocminfo', [], {timeoutMs})
}

/**
 * GPUs among the agents; processors and NPUs are agents too. `BDFID` is bus, device and function in one number. The memory is
 * that of the global coarse-grained pool, which is what ROCm may allocate.
 */
export function parseRocminfo(text: string): AmdDevice[] {
  return text
    .split(/^\*+\s*\n\s*Agent \d+\s*$/m)
    .slice(1)
    .filter((agent) => /^\s*Device Type:\s*GPU\s*$/m.test(agent))
    .map((agent, index): AmdDevice => {
      const field = (name: string) => known(new RegExp(`^ {2}${name}:[ \\t]*(\\S.*?)\\s*$`, 'm').exec(agent)?.[1])
      const marketing = field('Marketing Name')
      return {
        index,
        names: amdNames(marketing ? quotable(marketing, 80) : undefined),
        gfxTarget: gfxTargetOf(field('Name')),
        pciAddress: addressOf(field('BDFID'), field('Domain')),
        vramBytes: poolOf(agent),
      }
    })
}

function addressOf(bdf: string | undefined, domain: string | undefined): string | undefined {
  if (!/^\d{1,5}$/.test(bdf ?? '')) return undefined
  const location = Number(bdf)
  const hex = (value: number, width: number) => value.toString(16).padStart(width, '0')
  const segment = /^\d{1,5}$/.test(domain ?? '') ? Number(domain) : 0
  return location > 0xffff ? undefined : `${hex(segment, 4)}:${hex(location >> 8, 2)}:${hex((location >> 3) & 0x1f, 2)}.${location & 7}`
}

/** `Size: 67092480(0x3ffc000) KB`: both spellings of the number have to agree. */
function poolOf(agent: string): number | undefined {
  const pool = /Segment:\s*GLOBAL; FLAGS:\s*COARSE GRAINED\s*\n\s*Size:\s*(\d{1,12})\(0x([0-9a-f]{1,10})\)\s*KB/i.exec(agent)
  return pool?.[1] && Number(pool[1]) === Number.parseInt(pool[2] ?? '', 16) ? totalBytesOf(pool[1], 'KiB') : undefined
}
