import {FILE_IN_CONTAINER} from './docker.ts'
import {cannot, requireImage} from './format.ts'
import {killSeconds, startPatience, stopPatience} from './patience.ts'
import {foldersOf, homeOf, inContainer, keptFolders, keyVariable, localPath, replacedEntrypoint, type Startable} from './startable.ts'
import {type Line, linesOf, plainWords, type Word} from './words.ts'
import {remarked, yamlText} from './yaml.ts'
import {dictionary} from '../../core/dictionary.ts'

type Mapping = Record<string, unknown>

/**
 * `$(NAME)` in arguments and values is replaced; a doubled dollar sign stands for itself
 * (kubernetes/kubernetes third_party/forked/golang/expansion/expand.go).
 */
export const podText = (text: string): string => text.replaceAll('$', '$$$$')

/** Seconds between probes of a server that starts. */
const STARTUP_PERIOD_SECONDS = 10

export const SECRET = {name: 'hf-token', key: 'HF_TOKEN'}

/** The token from a Secret that need not exist, and what the launch sets. */
export function podEnvironment(startable: Startable): Mapping[] {
  const {launch} = startable
  const key = keyVariable(startable)
  return [
    {name: 'HF_TOKEN', valueFrom: {secretKeyRef: {...SECRET, optional: true}}},
    ...launch.environment.filter(({secret}) => !secret).map(({name, value, because}) => ({name, value: remarked(podText(value), because)})),
    ...(key === undefined ? [] : [{name: key, valueFrom: {secretKeyRef: {name: keySecret(startable), key}}}]),
  ]
}

/** Names that the vendors' device plug-ins give GPUs; Intel's by the driver that came with Battlemage (intel-device-plugins-for-kubernetes, gpu_plugin). */
const GPU_RESOURCES: Record<string, string> = dictionary({nvidia: 'nvidia.com/gpu', amd: 'amd.com/gpu', intel: 'gpu.intel.com/xe'})

/** InfiniBand and RoCE by the name that the shared-device plug-in's usual configuration gives them; one is access to all of a node's. */
const RDMA_RESOURCE = 'rdma/ib'

/** Whether the nodes of a deployment are known to be joined by RDMA that a plug-in hands out. */
export const hasRdma = ({launch, networkFabric}: Startable): boolean =>
  launch.nodes !== undefined && networkFabric !== undefined && /InfiniBand|RoCE/i.test(networkFabric) && !/Ethernet|gVNIC|EFA/i.test(networkFabric)

/** A slice is a resource of its own where the plug-in's MIG strategy is `mixed` (NVIDIA/k8s-device-plugin, README: MIG). */
export const sliceResource = (profile: string): string => `nvidia.com/mig-${profile.replace('+', '.')}`

/** GPUs of one pod by the name that the vendor's device plug-in gives them; processors are not counted so. */
export function gpuResources(startable: Startable, count: number): Mapping {
  const {vendor, slice} = startable
  const resource = slice ? sliceResource(slice.profile) : GPU_RESOURCES[vendor]
  if (resource === undefined) return {}
  return {
    limits: {
      [resource]: slice ? remarked(String(count), "needs the device plug-in's MIG strategy `mixed`") : String(count),
      ...(hasRdma(startable) && {[RDMA_RESOURCE]: remarked('1', `${startable.networkFabric} between the nodes; some clusters call it otherwise`)}),
    },
  }
}

/** The kubelet puts the variable's value in its place. */
const secretWord = (variable: string): string => `$(${variable})`

/** Words of a pod's command line, with remarks; node values by the names that `nodeText` gives them. */
export const podWords = (lines: readonly Line[], nodeText?: (word: Exclude<Word, string>) => string): unknown[] =>
  lines.flatMap((line) => {
    const words = nodeText
      ? line.words.map((word) => (typeof word === 'string' ? podText(word) : word.node.of === 'secret' ? secretWord(word.node.variable!) : nodeText(word)))
      : plainWords([line], podText, secretWord)
    return words.map((word, index) => remarked(word, index === 0 ? line.because : undefined))
  })

/** The whole command, or the arguments of an image that starts what it is given. */
export function podCommand(startable: Startable, words: unknown[]): Mapping {
  const program = startable.launch.program.map(podText)
  return replacedEntrypoint(startable) === undefined ? {args: [...program, ...words]} : {command: program, args: words}
}

/** Seconds in which a Service learns that a pod is about to end, before it is told to stop. */
const LEAVING_SECONDS = 5

/** Probes over HTTP: patient at the first start, quick to take a stuck server out; and a stop that requests do not run into. */
export function probes(startable: Startable): Mapping {
  const httpGet = {path: startable.serving.healthPath, port: 'http'}
  const patience = startPatience(startable)
  return {
    startupProbe: {
      httpGet,
      periodSeconds: STARTUP_PERIOD_SECONDS,
      timeoutSeconds: 5,
      failureThreshold: remarked(Math.ceil(patience.seconds / STARTUP_PERIOD_SECONDS), patience.because),
    },
    readinessProbe: {httpGet, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3},
    livenessProbe: {httpGet, periodSeconds: 30, timeoutSeconds: 10, failureThreshold: 5},
    lifecycle: {preStop: {exec: {command: remarked(['sleep', String(LEAVING_SECONDS)], 'no new requests come before it is told to stop')}}},
  }
}

/** Shared memory, the caches, the configuration file, a model folder of the node. */
export function mounts(startable: Startable): {volumeMounts: Mapping[]; volumes: Mapping[]} {
  const {launch, name, model} = startable
  const volumeMounts: Mapping[] = [
    {name: 'shm', mountPath: '/dev/shm'},
    ...keptFolders(startable).map(({folder, because}) => ({
      name: 'cache',
      mountPath: remarked(`${homeOf(startable)}/${folder}`, because),
      subPath: folder.slice(folder.lastIndexOf('/') + 1),
    })),
  ]
  const volumes: Mapping[] = [
    {name: 'shm', emptyDir: {medium: 'Memory', sizeLimit: remarked('16Gi', 'processes of the engine share memory')}},
    {name: 'cache', persistentVolumeClaim: {claimName: `${name}-cache`}},
  ]
  if (launch.file) {
    volumeMounts.push({name: 'engine', mountPath: FILE_IN_CONTAINER.slice(0, FILE_IN_CONTAINER.lastIndexOf('/'))})
    volumes.push({name: 'engine', configMap: {name: `${name}-engine`}})
  }
  const local = localPath(model)
  if (local === 'relative') throw cannot(`${model} is a relative path, which a pod cannot see: give the absolute path of the model's folder`)
  for (const [index, {path, because}] of foldersOf(startable).entries()) {
    const volume = because === 'the model' ? 'model' : `adapter-${index}`
    volumeMounts.push({name: volume, mountPath: path, readOnly: true})
    volumes.push({name: volume, hostPath: {path, type: 'Directory'}})
  }
  return {volumeMounts, volumes}
}

/** What every pod of an engine has around its containers: on which nodes, as whom, how long it may take to end. */
export function podFrame(startable: Startable): Mapping {
  const {nodeLabel} = startable
  return {
    ...(nodeLabel && {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{matchExpressions: [{key: remarked(nodeLabel.key, nodeLabel.because), operator: 'In', values: nodeLabel.values}]}],
          },
        },
      },
    }),
    ...userOf(startable),
    automountServiceAccountToken: remarked(false, 'it asks nothing of Kubernetes'),
    // A Service of the same name would set variables such as VLLM_PORT that the engine reads as its own.
    enableServiceLinks: false,
    terminationGracePeriodSeconds: remarked(killSeconds(startable) + LEAVING_SECONDS, stopPatience(startable).because),
    volumes: mounts(startable).volumes,
  }
}

/** Not root where the image allows it; the claim is made its group's. Pinning memory for RDMA is for root alone. */
function userOf(startable: Startable): Mapping {
  const {nonRoot} = startable
  if (!nonRoot || hasRdma(startable)) return {}
  return {
    securityContext: {
      runAsNonRoot: remarked(true, "the image has a user of its own (vLLM's docs/deployment/docker.md)"),
      runAsUser: nonRoot.user,
      runAsGroup: nonRoot.group,
      fsGroup: remarked(nonRoot.group, 'that group may write to the cache'),
    },
  }
}

/** Rights of the engine's container: none beyond what it is started with, and pinned memory where nodes are joined by RDMA. */
const rightsOf = (startable: Startable): Mapping => ({
  securityContext: {
    allowPrivilegeEscalation: false,
    ...(hasRdma(startable) && {capabilities: {add: remarked(['IPC_LOCK'], 'RDMA pins memory')}}),
    ...(startable.nonRoot && !hasRdma(startable) && {capabilities: {drop: ['ALL']}}),
  },
})

/** The engine's container, as all kinds of pods hold it. */
export function engineContainer(startable: Startable, words: unknown[], gpuCount: number): Mapping {
  return {
    name: startable.engine.id,
    image: requireImage(startable),
    ...podCommand(startable, words),
    env: podEnvironment(startable),
    resources: gpuResources(startable, gpuCount),
    ...rightsOf(startable),
    volumeMounts: mounts(startable).volumeMounts,
  }
}

export const podLines = (startable: Startable): Line[] => linesOf(inContainer(startable, FILE_IN_CONTAINER))

/** A claim large enough for the checkpoint and a half of it again, 50 GiB at least. */
export function cacheClaim({name, checkpointBytes = 0}: Startable, accessMode: 'ReadWriteOnce' | 'ReadWriteMany'): Mapping {
  const size = Math.max(50, Math.ceil((checkpointBytes * 1.5) / 2 ** 30))
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {name: `${name}-cache`},
    spec: {accessModes: [accessMode], resources: {requests: {storage: `${size}Gi`}}},
  }
}

/** The configuration file as a ConfigMap, where there is one. */
export function engineConfigMap({launch, name}: Startable): Mapping[] {
  if (!launch.file) return []
  const key = FILE_IN_CONTAINER.slice(FILE_IN_CONTAINER.lastIndexOf('/') + 1)
  return [{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: `${name}-engine`}, data: {[key]: yamlText(launch.file.content, launch.file.because)}}]
}

export const service = ({port, isPublic}: Startable, name: string, selector: Mapping): Mapping => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {name},
  spec: {...(isPublic && {type: 'LoadBalancer'}), selector, ports: [{name: 'http', port, targetPort: 'http'}]},
})

/** The Secret that holds the API key; it is made before. */
export const keySecret = ({name}: Startable): string => `${name}-api-key`

/** What has to be there before: Secrets, by the commands that make them; labels of the nodes. */
export function secretNote(startable: Startable): string {
  const key = keyVariable(startable)
  const {nodeLabel, launch, networkFabric} = startable
  const lines = [`A private model needs its token: kubectl create secret generic ${SECRET.name} --from-literal=${SECRET.key}=...`]
  if (key !== undefined)
    lines.push(`The API key is read from a Secret: kubectl create secret generic ${keySecret(startable)} --from-literal=${key}="$(openssl rand -hex 32)"`)
  if (nodeLabel) lines.push(`Nodes are chosen by their label ${nodeLabel.key}; where nobody sets it, take the affinity out.`)
  if (launch.nodes && !hasRdma(startable))
    lines.push(
      `${networkFabric === undefined ? 'Where InfiniBand or RoCE joins the nodes' : `The nodes are joined by ${networkFabric}: for RDMA`}, add its resource (often ${RDMA_RESOURCE}: "1") to the limits and IPC_LOCK to the capabilities, or NCCL goes over TCP.`,
    )
  return lines.join('\n')
}
