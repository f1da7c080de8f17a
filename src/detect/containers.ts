import type {ContainerTools, MachineProblem} from './machine-document.ts'
import type {DetectionEffects} from './probe.ts'
import type {Surroundings} from './surroundings.ts'

const ENGINES = ['docker', 'podman', 'nerdctl', 'apptainer'] as const

/** Descriptions of devices for containers, as `nvidia-ctk cdi generate` writes them. */
const CDI_FOLDERS = ['/etc/cdi', '/var/run/cdi']

/**
 * Container programs on this host, and whether NVIDIA's toolkit is beside them. Looks at files only: asking a daemon may hang,
 * and often is not allowed.
 */
export async function runContainers(effects: Pick<DetectionEffects, 'env' | 'exists' | 'readFile' | 'listDirectory' | 'system'>): Promise<ContainerTools> {
  if (effects.system?.platform !== 'linux') return {engines: []}
  const folders = (effects.env.PATH ?? '')
    .split(':')
    .filter((folder) => folder.startsWith('/'))
    .slice(0, 24)
  const inPath = async (program: string) => (await Promise.all(folders.map((folder) => effects.exists?.(`${folder}/${program}`)))).some(Boolean)
  const [present, toolkit, runtime, daemon, ...descriptions] = await Promise.all([
    Promise.all(ENGINES.map(inPath)),
    inPath('nvidia-ctk'),
    inPath('nvidia-container-runtime'),
    effects.readFile('/etc/docker/daemon.json'),
    ...CDI_FOLDERS.map((folder) => effects.listDirectory?.(folder)),
  ])
  const engines = ENGINES.filter((_, at) => present[at])
  const described = descriptions.some((names) => names?.some((name) => /nvidia/i.test(name)))
  return {
    engines,
    nvidiaToolkit: toolkit || runtime || described,
    ...(daemon === undefined ? {} : {dockerKnowsNvidia: /"nvidia"/.test(daemon)}),
  }
}

/** Said on a host with NVIDIA cards and a container program: without the toolkit containers see no GPU. */
export function containerProblem({engines, nvidiaToolkit}: ContainerTools, hasNvidia: boolean, {container, wsl}: Surroundings): MachineProblem[] {
  if (!hasNvidia || container || wsl || engines.length === 0 || nvidiaToolkit) return []
  return [
    {
      code: 'container-toolkit-missing',
      message: `${engines[0]} is here, but not the NVIDIA Container Toolkit: containers will see no GPU`,
      remedy: 'install nvidia-container-toolkit, then `sudo nvidia-ctk runtime configure --runtime=docker` and restart docker',
    },
  ]
}
