/** Weights that are to stay in the host's memory, as far as engines agree on them. */
import {type ExpertWork, type Product, workOf} from '../core/throughput/work.ts'
import type {Deployment} from '../core/deployment.ts'
import type {CacheLayout} from '../core/kv-cache.ts'
import type {ShardLayout} from '../core/weights.ts'
import type {OffloadUse, Subject} from './engine.ts'

/** Where card and host share one memory nothing is freed by moving weights within it. */
export const sharedMemory = ({gpu}: Subject): OffloadUse | undefined =>
  gpu.accelerator.unifiedMemory
    ? {
        ignored: `${gpu.accelerator.name} shares one memory with its host: weights moved to host memory stay where they are, so offloading has no effect`,
      }
    : undefined

/** For the terms of the weights: nothing where nothing is offloaded. */
export const offloadAsked = ({cpuOffloadBytes}: Pick<Deployment, 'cpuOffloadBytes'>, use: OffloadUse): {offload?: {bytes: number; use: OffloadUse}} =>
  cpuOffloadBytes > 0 || use.layers ? {offload: {bytes: cpuOffloadBytes, use}} : {}

/** Flags that are passed on and read here: they move the numbers. */
export const COUNTED_OFFLOAD_FLAGS: ReadonlySet<string> = new Set([
  '--offload-backend',
  '--cpu-offload-params',
  '--offload-group-size',
  '--offload-num-in-group',
  '--offload-prefetch-step',
  '--engram-config',
])

/** Experts are stored as two tensors: gate and up for all of them, and down (w13_weight and w2_weight in vLLM and SGLang). */
const GATE_AND_UP = 2 / 3

const powerOfTwoAbove = (bytes: number): number => 2 ** Math.ceil(Math.log2(Math.max(1, bytes)))

function pinnedOf({products, experts}: {products: readonly Product[]; experts: readonly ExpertWork[]}): {stored: number; pinned: number} {
  let [stored, pinned] = [0, 0]
  const add = (bytes: number, times: number) => {
    stored += times * bytes
    pinned += times * powerOfTwoAbove(bytes)
  }
  for (const {bytes, times} of products) add(bytes, times)
  for (const {bytesPerExpert, expertCount, expertParallel, times} of experts) {
    const bytes = (bytesPerExpert * expertCount) / expertParallel
    add(bytes * GATE_AND_UP, times)
    add(bytes * (1 - GATE_AND_UP), times)
  }
  return {stored, pinned}
}

/**
 * Bytes of pinned host memory for each byte that is offloaded. PyTorch takes pinned memory in powers of two (CachingHostAllocator), one block for each
 * parameter: 1.78 times for the experts of GLM-5.3-Flash (wtdcode/vllm-backport#67), about 1.9 times in vllm-project/vllm#56410. Both engines pin parameter by parameter.
 */
export function pinnedShare({model, checkpoint}: Pick<Subject, 'model' | 'checkpoint'>, layout: ShardLayout, cache: CacheLayout): number {
  const {stored, pinned} = pinnedOf(workOf(model.architecture, checkpoint, layout, cache))
  return stored > 0 ? pinned / stored : 1
}
