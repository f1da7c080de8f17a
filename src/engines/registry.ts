import type {Engine, EngineData} from './engine.ts'
import {createSglang} from './sglang/index.ts'
import {createTrtllm} from './trtllm/index.ts'
import {createVllm} from './vllm/index.ts'
import {dictionary} from '../core/dictionary.ts'

/** Every engine: a folder each, by the id that scenarios use. The first is the one that is meant when none is named. */
export const ENGINES: Record<string, (data: EngineData) => Engine> = dictionary({
  vllm: createVllm,
  sglang: createSglang,
  trtllm: createTrtllm,
})

/** Other spellings of an engine's id. */
export const ENGINE_ALIASES: Record<string, string> = dictionary({
  'tensorrt-llm': 'trtllm',
  tensorrtllm: 'trtllm',
  trt: 'trtllm',
  'trt-llm': 'trtllm',
  sgl: 'sglang',
})

export const DEFAULT_ENGINE = 'vllm'
