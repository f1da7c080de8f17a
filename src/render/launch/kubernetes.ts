import {cannot, type Format} from './format.ts'
import {cacheClaim, engineConfigMap, engineContainer, mounts, podLines, podWords, probes, secretNote, service} from './pod.ts'
import type {Startable} from './startable.ts'
import {commentLines, yamlDocuments} from './yaml.ts'

/** A Deployment with its Service and the claim of its cache. */
export const kubernetes: Format = {
  id: 'kubernetes',
  summary: 'a Kubernetes Deployment and Service',
  write(startable) {
    if (startable.launch.nodes)
      throw cannot(`a Deployment's pod lives on one node; this one takes ${startable.launch.nodes.count}: use --format leaderworkerset`)
    const {name} = startable
    const documents = [
      ...engineConfigMap(startable),
      cacheClaim(startable, (startable.replicas ?? 1) > 1 ? 'ReadWriteMany' : 'ReadWriteOnce'),
      deployment(startable),
      service(startable, name, {app: name}),
    ]
    return [{name: 'kubernetes.yaml', text: `${commentLines(secretNote(startable))}${yamlDocuments(documents)}`}]
  },
}

function deployment(startable: Startable): Record<string, unknown> {
  const {name, port, gpusPerNode} = startable
  const container = engineContainer(startable, podWords(podLines(startable)), gpusPerNode)
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {name, labels: {app: name}},
    spec: {
      replicas: startable.replicas ?? 1,
      // A second pod beside the first would wait for GPUs that the first holds.
      strategy: {type: 'Recreate'},
      selector: {matchLabels: {app: name}},
      template: {
        metadata: {labels: {app: name}},
        spec: {
          containers: [{...container, ports: [{name: 'http', containerPort: port}], ...probes(startable)}],
          // A Service of the same name would set variables such as VLLM_PORT that the engine reads as its own.
          enableServiceLinks: false,
          terminationGracePeriodSeconds: 90,
          volumes: mounts(startable).volumes,
        },
      },
    },
  }
}
