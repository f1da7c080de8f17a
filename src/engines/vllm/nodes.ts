import type {Deployment} from '../../core/deployment.ts'
import type {NodePlan, Subject} from '../engine.ts'
import {nodesNeeded} from '../launch/nodes.ts'
import {isAtLeast} from '../versions.ts'

/** Ranks of one replica are started by hand from this release on (`--nnodes`); before, only Ray spans nodes. */
const OWN_LAUNCHER_SINCE = '0.11.1'
/** Data-parallel ranks on other nodes, without their own web server (`--headless`). */
const HEADLESS_SINCE = '0.9.0'

/**
 * How vLLM spreads a deployment over nodes (docs/serving/parallelism_scaling.md, docs/serving/data_parallel_deployment.md at
 * 2f41c894e320a07a46a360ee72149dd84d6f4bec): one replica by ranks, or whole replicas on each node; never both at once.
 */
export function vllmNodes(subject: Subject, deployment: Deployment): NodePlan | undefined {
  const {tp, pp, dp, engineVersion: version} = deployment
  const group = nodesNeeded(subject, tp * pp * dp)
  if (!group) return undefined
  if (dp === 1) return {...group, ...replicaOverNodes(group.count, version)}
  const replicasPerNode = group.gpusPerNode / (tp * pp)
  if (!Number.isInteger(replicasPerNode))
    return {
      ...group,
      problem: `a replica of ${tp * pp} GPUs does not fit into nodes of ${group.gpusPerNode}: vLLM spreads either the replicas over nodes or one replica`,
    }
  if (!isAtLeast(version, HEADLESS_SINCE)) return {...group, problem: `vLLM ${version} keeps its replicas on one node; ${HEADLESS_SINCE} spreads them`}
  return {
    ...group,
    own: {
      every: [
        {
          flag: '--data-parallel-size-local',
          value: replicasPerNode,
          because: `${replicasPerNode === 1 ? 'one replica runs' : `${replicasPerNode} replicas run`} on each node`,
        },
        {flag: '--data-parallel-address', value: {of: 'address'}, because: 'where node 0 is'},
      ],
      followers: [
        {flag: '--headless', value: true, because: 'only node 0 answers requests'},
        {flag: '--data-parallel-start-rank', value: {of: 'rank', times: replicasPerNode}, because: 'replicas on the nodes before this one'},
      ],
    },
    // One process deals the replicas out over the cluster.
    ...(isAtLeast(version, '0.9.1') && {
      ray: [
        {flag: '--data-parallel-backend', value: 'ray', because: 'replicas are spread over the Ray cluster'},
        {flag: '--data-parallel-size-local', value: replicasPerNode, because: `${replicasPerNode} on each node`},
      ],
    }),
  }
}

function replicaOverNodes(count: number, version: string): Pick<NodePlan, 'own' | 'ray'> {
  const ray = [{flag: '--distributed-executor-backend', value: 'ray', because: `${count} nodes are joined by Ray`}]
  if (!isAtLeast(version, OWN_LAUNCHER_SINCE)) return {ray}
  return {
    ray,
    own: {
      every: [
        {flag: '--nnodes', value: count, because: `one replica over ${count} nodes`},
        {flag: '--node-rank', value: {of: 'rank'}, because: 'which of them this is'},
        {flag: '--master-addr', value: {of: 'address'}, because: 'where node 0 is'},
      ],
      followers: [{flag: '--headless', value: true, because: 'only node 0 answers requests'}],
    },
  }
}
