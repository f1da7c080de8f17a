import type {LaunchVariable, NodeFlag} from '../../engines/engine.ts'
import {isAtLeast} from '../../engines/versions.ts'
import {cannot} from './format.ts'
import type {Startable} from './startable.ts'

/** What a slice's variable must hold, in words. */
export const SLICE_WORDS = 'the identity of a slice (MIG-...), as nvidia-smi -L prints it'

const SLICE_BECAUSE = 'one slice of a card'

/** First vLLM release that takes the identity of a card for its number (vllm/platforms/cuda.py device_control_id_to_physical_device_id; 0.23.0 reads numbers only). */
const VLLM_IDENTITIES_SINCE = '0.24.0'

const takesIdentities = ({engine}: Startable): boolean => engine.id !== 'vllm' || isAtLeast(engine.version, VLLM_IDENTITIES_SINCE)

/**
 * Variables that show a process only some of the GPUs. CUDA numbers cards by speed unless told to keep the order of the bus,
 * which is what nvidia-smi numbers by (CUDA C++ Programming Guide, CUDA_DEVICE_ORDER). Intel GPUs and NUMA nodes: vLLM 0.33.0
 * vllm/platforms/xpu.py and cpu.py, device_control_env_var. @throws InputError for a slice, where the release takes numbers only.
 */
export function deviceEnvironment(startable: Startable): LaunchVariable[] {
  const {devices, identities, vendor, devicesAreGuessed, slice, engine} = startable
  if (slice) {
    if (!takesIdentities(startable))
      throw cannot(`${engine.title} ${engine.version} chooses GPUs by number, and slices have none: use --format docker, or ${VLLM_IDENTITIES_SINCE} or later`)
    const name = 'CUDA_VISIBLE_DEVICES'
    if (slice.identity !== undefined) return [{name, value: slice.identity, because: SLICE_BECAUSE}]
    return [{name, value: '', because: SLICE_BECAUSE, given: {variable: slice.variable, what: SLICE_WORDS}}]
  }
  if (!devices) return []
  const because = `the other GPUs take no part${devicesAreGuessed ? '; numbered in the order they were given' : ''}`
  const only = (name: string): LaunchVariable[] => [{name, value: devices.join(','), because}]
  if (vendor === 'amd') return only('HIP_VISIBLE_DEVICES')
  if (vendor === 'intel') return only('ZE_AFFINITY_MASK')
  if (vendor === 'cpu') return [{name: 'CPU_VISIBLE_MEMORY_NODES', value: devices.join(','), because: 'the other NUMA nodes take no part'}]
  if (identities && takesIdentities(startable))
    return [{name: 'CUDA_VISIBLE_DEVICES', value: identities.join(','), because: `${because}; by identity, whatever the order`}]
  return [
    {name: 'CUDA_DEVICE_ORDER', value: 'PCI_BUS_ID', because: 'number GPUs as nvidia-smi does'},
    {name: 'CUDA_VISIBLE_DEVICES', value: devices.join(','), because},
  ]
}

/** Whether a container is given its devices by a variable: all of them are there. NVIDIA's are picked by the daemon. */
export const pickedByVariable = ({vendor}: Startable): boolean => vendor !== 'nvidia'

/** NVIDIA devices as a container runtime picks them: by identity where that is known. Undefined: all. */
export const pickedDevices = ({devices, identities}: Startable): string[] | undefined => (devices ? (identities ?? devices.map(String)) : undefined)

/** Where Intel's collectives look the cards up (vLLM 0.33.0 docs/getting_started/installation/gpu.xpu.inc.md). */
export const INTEL_CARDS = '/dev/dri/by-path'

/** Options of `docker run` that give a container its GPUs. */
export function dockerDevices(startable: Startable): NodeFlag[] {
  const {vendor, slice, identities, devices} = startable
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
  if (slice?.identity !== undefined) return [{flag: '--gpus', value: `device=${slice.identity}`, because: SLICE_BECAUSE}]
  if (slice) return [{flag: '--gpus', value: {of: 'given', before: 'device=', variable: slice.variable, what: SLICE_WORDS}, because: SLICE_BECAUSE}]
  // The option is read as comma-separated values: a list of devices stands in quotes of its own.
  const picked = pickedDevices(startable)
  const because = devices && identities ? 'GPUs that it uses, by identity, whatever the order' : 'GPUs that it uses'
  return [{flag: '--gpus', value: picked ? `"device=${picked.join(',')}"` : 'all', because}]
}
