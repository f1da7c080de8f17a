import type {Deployment} from '../../core/deployment.ts'
import type {NodePlan, Subject} from '../engine.ts'
import {nodesNeeded} from '../launch/nodes.ts'

/** The port at node 0 where ranks meet; some ports after it are taken too. */
const RENDEZVOUS_PORT = 20_000

/**
 * How SGLang spreads a deployment over nodes: the same command on every node, sizes are those of the whole
 * (docs/references/multi_node_deployment/multi_node.mdx at v0.5.18). Node 0 answers requests.
 */
export function sglangNodes(subject: Subject, deployment: Deployment): NodePlan | undefined {
  const {tp, pp, dp, dpAttention} = deployment
  const group = nodesNeeded(subject, tp * pp * (dpAttention ? 1 : dp))
  if (!group) return undefined
  if (dp > 1 && !dpAttention) return {...group, problem: 'SGLang keeps plain replicas on one node: use --dp-attention, or start one deployment for each node'}
  return {
    ...group,
    own: {
      every: [
        {flag: '--nnodes', value: group.count, because: `one deployment over ${group.count} nodes`},
        {flag: '--node-rank', value: {of: 'rank'}, because: 'which of them this is'},
        {flag: '--dist-init-addr', value: {of: 'address', after: `:${RENDEZVOUS_PORT}`}, because: 'where node 0 is, and a port there'},
      ],
      followers: [],
    },
  }
}
