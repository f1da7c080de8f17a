import type {NodePlan, Subject} from '../engine.ts'

/** Nodes that this many GPUs take on the subject's machine, evenly; undefined where one is enough. */
export function nodesNeeded({machine}: Subject, gpuCount: number): Pick<NodePlan, 'count' | 'gpusPerNode' | 'problem'> | undefined {
  const perNode = machine.gpus.length
  if (gpuCount <= perNode) return undefined
  const count = Math.ceil(gpuCount / perNode)
  if (gpuCount % count !== 0) return {count, gpusPerNode: perNode, problem: `${gpuCount} GPUs cannot be spread evenly over ${count} nodes of ${perNode}`}
  return {count, gpusPerNode: gpuCount / count}
}
