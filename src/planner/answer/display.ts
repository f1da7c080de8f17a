/** What a desktop takes of a card that also drives a screen. */
import type {Machine} from '../../core/accelerator.ts'
import type {Deployment} from '../../core/deployment.ts'
import type {Warning} from '../../core/terms.ts'
import type {Engine} from '../../engines/engine.ts'

/** Shares from here on leave a desktop no room: 1.7 GiB of a 32 GiB card under WSL is 0.05. */
const HIGH_SHARE = 0.95
/** A high share on a card that may drive a screen or stand under WSL. A machine that was looked at tells what is free. */
export function displayWarnings(machine: Machine, engine: Engine, {gpuMemoryUtilization}: Deployment): Warning[] {
  if (engine.id === 'trtllm' || gpuMemoryUtilization < HIGH_SHARE) return []
  const screen = machine.gpus.find(({accelerator, freeBytes}) => freeBytes === undefined && !accelerator.unifiedMemory && isForDesks(accelerator.name))
  if (!screen) return []
  return [
    {
      code: 'display-memory',
      message: `a desktop session or WSL takes 1 to 2 GiB of ${screen.accelerator.name}; with a share of ${gpuMemoryUtilization} the engine would not start then (--reserved-bytes-per-gpu 2GiB accounts for it)`,
    },
  ]
}

/** Cards with a screen: by name, since boards of both kinds are PCIe cards. */
const isForDesks = (name: string): boolean => /geforce|rtx|radeon|arc|titan|quadro/i.test(name) && !/server/i.test(name)
