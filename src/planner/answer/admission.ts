import type {Deployment, Workload} from '../../core/deployment.ts'
import type {MemoryEstimate} from '../../core/memory.ts'
import type {Warning} from '../../core/terms.ts'
import {countInWords} from '../../core/words.ts'
import {admittedRequests} from '../../engines/admission.ts'
import {requestTokens} from './settle.ts'

interface Stood {
  deployment: Deployment
  memory: MemoryEstimate
}

/** The load that is let in: requests beyond the limit of what may wait are turned away and served by nobody. */
export function admittedLoad({deployment, memory}: Stood, workload: Workload): Workload {
  const {concurrency} = workload
  if (typeof concurrency !== 'number' || deployment.admission === undefined) return workload
  const replicas = deployment.dp
  const running = Math.min(deployment.maxNumSeqs, memory.requestsOfTokens(requestTokens(workload))) * replicas
  const most = admittedRequests(deployment, running)
  return most === undefined || most >= concurrency ? workload : {...workload, concurrency: most}
}

/** Settings that are taken and, so far as is known here, move no number. */
export function uncountedOptions({deployment, memory}: Stood): Warning[] {
  const {lora, graphs} = deployment
  const isCounted = memory.terms.some(({name}) => /lora|adapter/i.test(name))
  const names = [
    ...(lora && !isCounted ? [`the memory of ${lora.count} LoRA adapter${lora.count === 1 ? '' : 's'} of rank ${lora.maxRank}`] : []),
    ...(graphs?.mode !== undefined && graphs.mode !== 'none' ? [`the mode of CUDA graphs (${graphs.mode})`] : []),
  ]
  return names.length === 0 ? [] : [{code: 'not-counted', message: `the figures do not account for ${names.join(', ')}`}]
}

/** What is turned away, in words. */
export function admissionWarnings(stood: Stood, workload: Workload): Warning[] {
  const {concurrency, inputTokens} = workload
  const {admission} = stood.deployment
  if (typeof concurrency !== 'number' || admission === undefined) return []
  const admitted = admittedLoad(stood, workload).concurrency as number
  if (admitted < concurrency)
    return [
      {
        code: 'requests-turned-away',
        message: `of ${countInWords(concurrency)} requests in flight, ${countInWords(admitted)} are admitted and ${countInWords(concurrency - admitted)} are turned away; the speeds are those of the admitted ones`,
      },
    ]
  const {maxQueuedTokens} = admission
  return maxQueuedTokens !== undefined && concurrency * inputTokens > maxQueuedTokens
    ? [
        {
          code: 'requests-turned-away',
          message: `prompts of ${countInWords(concurrency * inputTokens)} tokens in total may wait at once, and ${countInWords(maxQueuedTokens)} are admitted: some requests are turned away when all arrive together`,
        },
      ]
    : []
}
