import type {DetectionEffects} from './probe.ts'

/** What kind of place the program runs in, so that advice fits. */
export interface Surroundings {
  container: boolean
  wsl: boolean
}

/** Marks that container runtimes and WSL leave. */
export async function readSurroundings(effects: Pick<DetectionEffects, 'readFile' | 'env' | 'exists' | 'system'>): Promise<Surroundings> {
  if (effects.system && effects.system.platform !== 'linux') return {container: false, wsl: false}
  const exists = async (path: string) => (await effects.exists?.(path)) ?? false
  const [docker, podman, version, groups] = await Promise.all([
    exists('/.dockerenv'),
    exists('/run/.containerenv'),
    effects.readFile('/proc/version'),
    effects.readFile('/proc/1/cgroup'),
  ])
  return {
    container: docker || podman || Boolean(effects.env.KUBERNETES_SERVICE_HOST || effects.env.container) || containerGroups(groups ?? ''),
    wsl: Boolean(effects.env.WSL_DISTRO_NAME) || /microsoft/i.test(version ?? ''),
  }
}

/** Control groups of the first process as cgroup v1 shows them; v2 shows only `0::/` and tells nothing. */
function containerGroups(text: string): boolean {
  return /\/(?:docker|kubepods|containerd|lxc|libpod)[/-]/.test(text)
}
