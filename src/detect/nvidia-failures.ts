import type {MachineProblem} from './machine-document.ts'
import {type ExecOutcome, saidBy} from './probe.ts'
import {quotable} from './quantity.ts'
import type {Surroundings} from './surroundings.ts'

/** What nvidia-smi says when something is wrong, most telling first: it often prints a general line and then the cause. */
const FAILURES: {pattern: RegExp; problem: (match: RegExpExecArray, at: Surroundings) => MachineProblem}[] = [
  {
    pattern: /(?:device handle for (?:GPU)?\s*([0-9a-f:.]*\d)[^\n]*?)?GPU is lost/i,
    problem: ([, address]) => ({
      code: 'gpu-lost',
      message: `The driver has lost ${address ? `the GPU at ${address}` : 'a GPU'}`,
      remedy: 'reboot; if it happens again look for "Xid 79" in dmesg and check power, seating and cooling of the card',
    }),
  },
  {
    pattern: /unable to determine the device handle for (?:GPU)?\s*([0-9a-f:.]*\d)?[^\n]*/i,
    problem: ([line, address], {container}) => ({
      code: 'gpu-lost',
      message: `${address ? `The GPU at ${address}` : 'A GPU'} does not answer: ${quotable(line)}`,
      remedy: container
        ? 'restart the container; if the host shows the same, look for "Xid" in its dmesg and reboot'
        : 'look for "Xid" in dmesg, then reboot; check power and seating of the card',
    }),
  },
  {
    pattern: /driver\/library version mismatch(?:[^\n]*\n\s*NVML library version:\s*([\d.]+))?/i,
    problem: ([, version]) => ({
      code: 'driver-mismatch',
      message: `The NVIDIA library${version ? ` (${version})` : ''} and the loaded kernel module are of different versions`,
      remedy: 'reboot, or unload and load the nvidia kernel modules: the driver was updated while the old module was loaded',
    }),
  },
  {
    pattern: /couldn'?t communicate with the NVIDIA driver|NVML:?\s*Driver Not Loaded|driver is not loaded/i,
    problem: (_, {wsl}) => ({
      code: 'driver-not-loaded',
      message: wsl ? 'nvidia-smi cannot reach the NVIDIA driver of Windows' : 'nvidia-smi cannot reach the NVIDIA driver: its kernel module is not loaded',
      remedy: wsl
        ? 'install or update the NVIDIA driver in Windows (none in WSL), then run `wsl --update` and `wsl --shutdown` in Windows'
        : 'run `sudo modprobe nvidia`; if that fails reinstall the driver for the running kernel (DKMS, Secure Boot signing) and read dmesg',
    }),
  },
  {
    pattern: /no devices were found|no devices found/i,
    problem: (_, {container}) => ({
      code: 'no-devices',
      message: 'nvidia-smi runs but finds no GPU',
      remedy: container
        ? 'start the container with `--gpus all` (Docker) or a GPU resource request (Kubernetes)'
        : 'check that the card is seated, powered and supported by this driver (`lspci`, dmesg), and not bound to vfio-pci',
    }),
  },
  {
    pattern: /insufficient permissions|permission denied|no permission/i,
    problem: () => ({
      code: 'no-permission',
      message: 'This user is not allowed to use the NVIDIA driver',
      remedy: 'check the permissions of /dev/nvidiactl and /dev/nvidia0 (often the group video or render), or ask the administrator',
    }),
  },
  {
    pattern: /couldn'?t find (?:the )?(?:libnvidia-ml|nvml)|NVML[^\n]*(?:library not found|shared library)|libnvidia-ml\S*: cannot open/i,
    problem: (_, {container}) => ({
      code: 'driver-library-missing',
      message: 'nvidia-smi is there, but the driver library libnvidia-ml is not',
      remedy: container ? 'start the container through the NVIDIA Container Toolkit (`--gpus all`)' : 'reinstall the NVIDIA driver, and run `sudo ldconfig`',
    }),
  },
  {
    pattern: /failed to initialize NVML:?\s*Unknown Error/i,
    problem: (_, {container}) =>
      container
        ? {
            code: 'container-lost-gpus',
            message: 'The container has lost its access to the GPUs, as happens when the host reloads systemd',
            remedy: 'restart the container; to prevent it pass the device nodes explicitly (`--device /dev/nvidia0 ...`) or use the cgroupfs driver',
          }
        : {
            code: 'unreadable-output',
            message: 'nvidia-smi could not start: Failed to initialize NVML: Unknown Error',
            remedy: 'look for "NVRM" in dmesg, then reboot',
          },
  },
]

/** Exit codes by themselves, from the manual of nvidia-smi ("RETURN VALUE"), for a tool that fails without a word. */
const EXIT_TEXT: Record<number, string> = {
  4: 'insufficient permissions',
  9: 'driver is not loaded',
  12: "couldn't find libnvidia-ml",
  15: 'GPU is lost',
}

/** Named problems in the words of nvidia-smi, each at most once. Nothing where none is recognised. */
export function parseNvidiaFailure(text: string, surroundings: Surroundings): MachineProblem[] {
  for (const {pattern, problem} of FAILURES) {
    const match = pattern.exec(text)
    if (match) return [problem(match, surroundings)]
  }
  return []
}

/** What is to be said of a run of nvidia-smi that gave no devices. A missing tool is for the caller to judge. */
export function nvidiaProblemOf(outcome: ExecOutcome, surroundings: Surroundings, timeoutMs: number): MachineProblem[] {
  if (outcome.kind === 'missing') return []
  if (outcome.kind === 'no-permission')
    return [{code: 'no-permission', message: 'nvidia-smi may not be run by this user', remedy: 'check the permissions of the nvidia-smi program'}]
  if (outcome.kind === 'failed')
    return [
      {
        code: 'unreadable-output',
        message: `nvidia-smi could not be started: ${quotable(outcome.message)}`,
        remedy: 'run `nvidia-smi` by hand and see what it says',
      },
    ]
  const said = saidBy(outcome)
  const named = parseNvidiaFailure(said, surroundings)
  if (named.length > 0) return named
  if (outcome.kind === 'timeout') {
    return [
      {
        code: 'tool-timeout',
        message: `nvidia-smi did not answer within ${timeoutMs} ms`,
        remedy: 'turn persistence mode on (`sudo nvidia-smi -pm 1`) and try again; if it still hangs look for "Xid" in dmesg',
      },
    ]
  }
  const byCode = parseNvidiaFailure(EXIT_TEXT[outcome.exitCode ?? -1] ?? '', surroundings)
  if (byCode.length > 0) return byCode
  const saying = quotable(said, 80)
  return [
    {
      code: 'unreadable-output',
      message: `nvidia-smi ended with status ${outcome.exitCode ?? 'none (killed)'} and ${saying ? `printed nothing that can be read: "${saying}"` : 'printed nothing'}`,
      remedy: 'run `nvidia-smi` by hand and see what it says; name the GPUs with --gpu meanwhile',
    },
  ]
}
