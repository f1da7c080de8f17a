import type {LaunchFlag} from '../../engines/engine.ts'
import type {Startable} from './startable.ts'

type Setting = {name: string; value: string; because: string}

/**
 * Variables that show a process only some of the GPUs. CUDA numbers cards by speed unless told to keep the order of the bus,
 * which is what nvidia-smi numbers by (CUDA C++ Programming Guide, CUDA_DEVICE_ORDER). Intel GPUs and NUMA nodes: vLLM 0.33.0
 * vllm/platforms/xpu.py and cpu.py, device_control_env_var.
 */
export function deviceEnvironment({devices, vendor, devicesAreGuessed}: Startable): Setting[] {
  if (!devices) return []
  const because = `the other GPUs take no part${devicesAreGuessed ? '; numbered in the order they were given' : ''}`
  const only = (name: string): Setting[] => [{name, value: devices.join(','), because}]
  if (vendor === 'amd') return only('HIP_VISIBLE_DEVICES')
  if (vendor === 'intel') return only('ZE_AFFINITY_MASK')
  if (vendor === 'cpu') return [{name: 'CPU_VISIBLE_MEMORY_NODES', value: devices.join(','), because: 'the other NUMA nodes take no part'}]
  return [
    {name: 'CUDA_DEVICE_ORDER', value: 'PCI_BUS_ID', because: 'number GPUs as nvidia-smi does'},
    {name: 'CUDA_VISIBLE_DEVICES', value: devices.join(','), because},
  ]
}

/** Whether a container is given its devices by a variable: all of them are there. NVIDIA's are picked by the daemon. */
export const pickedByVariable = ({vendor}: Startable): boolean => vendor !== 'nvidia'

/** Where Intel's collectives look the cards up (vLLM 0.33.0 docs/getting_started/installation/gpu.xpu.inc.md). */
export const INTEL_CARDS = '/dev/dri/by-path'

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
  if (vendor === 'intel')
    return [
      {flag: '--device', value: '/dev/dri', because: 'Intel devices'},
      {flag: '--volume', value: `${INTEL_CARDS}:${INTEL_CARDS}`, because: 'where oneCCL looks the cards up'},
      {flag: '--privileged', value: true, because: "as vLLM's guide for XPU starts it"},
    ]
  // Threads are bound to cores and memory to its node (vLLM 0.33.0 docs/getting_started/installation/cpu.x86.inc.md).
  if (vendor === 'cpu')
    return [
      {flag: '--security-opt', value: 'seccomp=unconfined', because: 'memory is bound to its NUMA node'},
      {flag: '--cap-add', value: 'SYS_NICE', because: 'threads are bound to cores'},
    ]
  // The option is read as comma-separated values: a list of devices stands in quotes of its own.
  return [{flag: '--gpus', value: devices ? `"device=${devices.join(',')}"` : 'all', because: 'GPUs that it uses'}]
}
