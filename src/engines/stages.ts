import type {Architecture} from '../core/architecture.ts'
import type {Stage} from '../core/weights.ts'

/** How an engine hands out the layers that the stages do not divide. */
export type StagePolicy = 'middle-stages-first' | 'last-stages-first' | 'first-stages-first'

/**
 * Layers of each stage. vLLM adds left-over layers one by one from the second last stage backwards (vllm/distributed/utils.py
 * get_pp_indices); SGLang to the last stages (python/sglang/srt/distributed/utils.py); TensorRT-LLM to the first.
 */
export function stageSizes(layerCount: number, stageCount: number, policy: StagePolicy): number[] {
  const sizes = Array.from({length: stageCount}, () => Math.floor(layerCount / stageCount))
  const rest = layerCount % stageCount
  for (let i = 0; i < rest; i++) {
    const at = policy === 'middle-stages-first' ? stageCount - 2 - i : policy === 'last-stages-first' ? stageCount - rest + i : i
    sizes[at]! += 1
  }
  return sizes
}

export function stagesOf(architecture: Architecture, stageCount: number, policy: StagePolicy): Stage[] {
  let first = 0
  return stageSizes(architecture.layerSequence.length, stageCount, policy).map((size, index, sizes) => {
    const stage = {first, last: first + size, embedding: index === 0, head: index === sizes.length - 1}
    first += size
    return stage
  })
}
