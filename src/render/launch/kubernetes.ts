import {cannot, type Format} from './format.ts'
import {cacheClaim, engineConfigMap, engineContainer, podFrame, podLines, podWords, probes, secretNote, service} from './pod.ts'
import {needsRouter} from './router.ts'
import {routerDocuments} from './router-pod.ts'
import type {Startable} from './startable.ts'
import {aroundIn, commentLines, remarked, yamlDocuments} from './yaml.ts'

type Mapping = Record<string, unknown>

/** A Deployment with its Service and the claim of its caches; with several pods a router in front of them. */
export const kubernetes: Format = {
  id: 'kubernetes',
  summary: 'a Kubernetes Deployment and Service',
  write: (startable) => [{name: 'kubernetes.yaml', text: `${commentLines(secretNote(startable))}${yamlDocuments(documents(startable))}`}],
  around: (startable) => documents(startable).flatMap((document) => aroundOf(document)),
}

/** What the engine is given is told by its own options. */
export function aroundOf(document: Mapping): {what: string; because: string}[] {
  const {spec} = document as {spec?: {template?: {spec?: {containers: Mapping[]}}}}
  const pod = spec?.template?.spec
  if (!pod) return aroundIn(document)
  const containers = pod.containers.map(({args: _args, env: _env, ...rest}) => rest)
  return aroundIn({...spec, template: {spec: {...pod, containers}}})
}

function documents(startable: Startable): Mapping[] {
  if (startable.launch.nodes) throw cannot(`a Deployment's pod lives on one node; this one takes ${startable.launch.nodes.count}: use --format leaderworkerset`)
  const {name} = startable
  const several = needsRouter(startable)
  return [
    ...engineConfigMap(startable),
    cacheClaim(startable, several ? 'ReadWriteMany' : 'ReadWriteOnce'),
    deployment(startable),
    ...(several ? routerDocuments(startable, {app: name}, name) : [service(startable, name, {app: name})]),
  ]
}

function deployment(startable: Startable): Mapping {
  const {name, port, gpusPerNode, replicas = 1} = startable
  const container = engineContainer(startable, podWords(podLines(startable)), gpusPerNode)
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {name, labels: {app: name}},
    spec: {
      replicas,
      // A second pod beside the first would wait for GPUs that the first holds.
      strategy:
        replicas > 1
          ? {type: 'RollingUpdate', rollingUpdate: {maxSurge: 0, maxUnavailable: remarked(1, 'one pod after the other gives its GPUs to its successor')}}
          : {type: 'Recreate'},
      selector: {matchLabels: {app: name}},
      template: {
        metadata: {labels: {app: name}},
        spec: {containers: [{...container, ports: [{name: 'http', containerPort: port}], ...probes(startable)}], ...podFrame(startable)},
      },
    },
  }
}
