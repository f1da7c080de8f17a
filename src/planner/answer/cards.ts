import type {Machine} from '../../core/accelerator.ts'
import type {Deployment} from '../../core/deployment.ts'
import type {Engine} from '../../engines/engine.ts'
import type {Reason, Warning} from '../../core/terms.ts'
import {cardRemarks, hasSlices, linkWithin} from '../world/index.ts'
import type {Evaluation} from './evaluation.ts'
import {sharesExperts} from './speed-input.ts'

/**
 * Several slices do not share a model: NCCL does not run over the MIG instances of one GPU, and a CUDA process sees one of them
 * (NVIDIA Multi-Instance GPU User Guide, Application Considerations and CUDA Device Enumeration).
 */
export function sliceReasons(evaluation: Pick<Evaluation, 'engine' | 'deployment' | 'model' | 'machine'>): Reason[] {
  const {tp, pp, dpAttention} = evaluation.deployment
  if (!hasSlices(evaluation.machine) || (tp * pp === 1 && !dpAttention && !sharesExperts(evaluation))) return []
  const how = tp * pp === 1 ? 'experts cannot be spread over slices' : 'a model cannot be split over slices'
  return [
    {
      code: 'slices-separate',
      message: `${how}: MIG slices have no link to each other, and a process sees one of them`,
      remedy: 'use --tp 1: one server for each slice, or a larger slice',
    },
  ]
}

/** What of the cards' figures stands in no source, and how several slices are started. */
export function cardWarnings(machine: Machine, deployment: Deployment): Warning[] {
  const {dp} = deployment
  const list: Warning[] = cardRemarks(machine).map((message) => ({code: 'gpu-figures-assumed', message}))
  list.push(...orderWarnings(machine, deployment))
  if (hasSlices(machine) && dp > 1)
    list.push({
      code: 'slices-separate',
      message: `each of the ${dp} slices is a server of its own: start it ${dp} times, each with CUDA_VISIBLE_DEVICES set to the UUID of one slice (nvidia-smi -L lists them), and spread the requests over them`,
    })
  return list
}

/** Replicas of an engine whose command starts one. Slices are told by themselves. */
export function replicaWarnings({title, startsReplicas}: Engine, machine: Machine, {dp, dpAttention}: Deployment): Warning[] {
  if (startsReplicas || dp <= 1 || dpAttention || hasSlices(machine)) return []
  return [
    {
      code: 'replicas-separate',
      message: `${title} starts one replica at a time: each of the ${dp} is a server of its own; config writes all of them, with a router in front, for docker, compose, systemd and kubernetes, and one for the other formats`,
    },
  ]
}

/** Engines take GPUs in order, the first ones for the first group: groups that a bridge joins must stand side by side. */
function orderWarnings(machine: Machine, {tp, dpAttention}: Deployment): Warning[] {
  const {joined, link} = machine
  if (!joined || dpAttention || linkWithin(machine, tp) === link) return []
  const order = joined.groups.flat()
  if (order.every((index, place) => place === 0 || index > order[place - 1]!)) return []
  const groups = joined.groups.map((group) => group.join(' and ')).join(', ')
  return [
    {
      code: 'links-by-pair',
      message: `only GPUs ${groups} are connected by a fast link; the speed assumes groups of ${tp} that stay within them: start with CUDA_VISIBLE_DEVICES=${order.join(',')}`,
    },
  ]
}
