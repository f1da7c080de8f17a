import type {Pooling} from '../../core/model.ts'
import {traitsOf} from './traits.ts'

/** Endings of classes that vLLM takes for pooling models by default (vllm/config/model.py _SUFFIX_TO_DEFAULTS, 0.28.0). */
const POOLING_CLASS =
  /(?:ForTextEncoding|ForSequenceClassification|ForTokenClassification|ForRewardModeling|RewardModel|ClassificationModel|EmbeddingModel|ForMaskedLM|Model)$/
/** Classes that end like them and write all the same (vllm/model_executor/models/registry.py _TEXT_GENERATION_MODELS, _MULTIMODAL_MODELS, 0.28.0). */
const WRITING_CLASS = /Chat(?:GLM)?Model$|^ChatGLMModel$|OmniModel$|^UltravoxModel$|^MossAudioModel$/
const SCORES = /ForSequenceClassification|Reward|Classification/

/** Whether a configuration is that of an embedding model or a reranker: by its class, or its family where all are encoders. */
export function poolingOf(className: string | undefined, modelType: string): Pooling | undefined {
  const {encoder} = traitsOf(modelType).traits
  const byClass = className !== undefined && POOLING_CLASS.test(className) && !WRITING_CLASS.test(className)
  if (!encoder && !byClass) return undefined
  const bidirectional = encoder || /Bidirectional/.test(className ?? '')
  return {task: SCORES.test(className ?? '') ? 'rerank' : 'embed', ...(bidirectional && {bidirectional: true as const})}
}
