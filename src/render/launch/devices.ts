import type {LaunchFlag} from '../../engines/engine.ts'
import type {Startable} from './startable.ts'

type Setting = {name: string; value: string; because: string}

/**
 * Variables that show a process only some of the GPUs. CUDA numbers cards by speed unless told to keep the order of the bus,
 * which is what nvidia-smi numbers by (CUDA C++ Programming Guide, CUDA_DEVICE_ORDER).
 */
export function deviceEnvironment({devices, vendor, devicesAreGuessed}: Startable): Setting[] {
  if (!devices) return []
  const because = `the other GPUs take no part${devicesAreGuessed ? '; numbered in the order they were given' : ''}`
  if (vendor === 'amd') return [{name: 'HIP_VISIBLE_DEVICES', value: devices.join(','), because}]
  return [
    {name: 'CUDA_DEVICE_ORDER', value: 'PCI_BUS_ID', because: 'number GPUs as nvidia-smi does'},
    {name: 'CUDA_VISIBLE_DEVICES', value: devices.join(','), because},
  ]
}

/** Options of `docker run` that give a container its GPUs. */
export function dockerDevices({devices, vendor}: Startable): LaunchFlag[] {
  if (vendor === 'amd') {
    return [
      {flag: '--device', value: '/dev/kfd', because: 'AMD compute interface'},
      {flag: '--device', value: '/dev/dri', because: 'AMD devices'},
      {flag: '--group-add', value: 'video', because: 'who may use them'},
      {flag: '--cap-add', value: 'SYS_PTRACE', because: 'GPUs reach each other'},
      {flag: '--security-opt', value: 'seccomp=unconfined', because: 'ROCm pins memory'},
    ]
  }
  // The option is read as comma-separated values: a list of devices stands in quotes of its own.
  return [{flag: '--gpus', value: devices ? `"device=${devices.join(',')}"` : 'all', because: 'GPUs that it uses'}]
}
