import {dictionary} from '../../core/dictionary.ts'

/** What llama.cpp knows of an architecture without a key in the file, and what the engines call it. */
export interface Family {
  /** Class name of Hugging Face's configuration, which the engines' tables are keyed by. */
  className: string
  /** The same with experts. */
  expertClassName?: string
  family: string
  /** Every n-th layer sees everything, the others a window: `set_swa_pattern` in llama.cpp's src/models. */
  windowPeriod?: number
  /** The first of each period sees everything, not the last. */
  fullFirst?: boolean
  /** Chunks of this many tokens instead of a window. */
  chunkTokens?: number
  /** So many first layers have a cache of their own, the others read theirs: `n_layer_kv_from_start`, fixed in llama.cpp's src/models/gemma3n.cpp. */
  ownCacheLayers?: number
  /** A window key is there but not used by the engines for this family. */
  windowUnused?: boolean
}

/** By `general.architecture` (src/llama-arch.cpp). An architecture that is not here is read from its tensors all the same. */
export const FAMILIES: Readonly<Record<string, Family>> = dictionary({
  llama: {className: 'LlamaForCausalLM', expertClassName: 'MixtralForCausalLM', family: 'llama'},
  llama4: {className: 'Llama4ForConditionalGeneration', family: 'llama4', windowPeriod: 4, chunkTokens: 8192},
  mistral3: {className: 'Mistral3ForConditionalGeneration', family: 'mistral3'},
  deci: {className: 'DeciLMForCausalLM', family: 'nemotron-nas'},
  qwen2: {className: 'Qwen2ForCausalLM', family: 'qwen2'},
  qwen2moe: {className: 'Qwen2MoeForCausalLM', family: 'qwen2'},
  qwen2vl: {className: 'Qwen2_5_VLForConditionalGeneration', family: 'qwen2-5'},
  qwen3: {className: 'Qwen3ForCausalLM', family: 'qwen3'},
  qwen3moe: {className: 'Qwen3MoeForCausalLM', family: 'qwen3'},
  qwen3next: {className: 'Qwen3NextForCausalLM', family: 'qwen3-next'},
  qwen3vl: {className: 'Qwen3VLForConditionalGeneration', family: 'qwen3'},
  qwen3vlmoe: {className: 'Qwen3VLMoeForConditionalGeneration', family: 'qwen3'},
  qwen35: {className: 'Qwen3_5ForConditionalGeneration', family: 'qwen3-5'},
  qwen35moe: {className: 'Qwen3_5MoeForConditionalGeneration', family: 'qwen3-5'},
  gemma: {className: 'GemmaForCausalLM', family: 'gemma'},
  gemma2: {className: 'Gemma2ForCausalLM', family: 'gemma2', windowPeriod: 2},
  gemma3: {className: 'Gemma3ForConditionalGeneration', family: 'gemma3', windowPeriod: 6},
  gemma3n: {className: 'Gemma3nForConditionalGeneration', family: 'gemma3n', windowPeriod: 5, ownCacheLayers: 20},
  gemma4: {className: 'Gemma4ForConditionalGeneration', family: 'gemma4'},
  deepseek: {className: 'DeepseekForCausalLM', family: 'deepseek'},
  deepseek2: {className: 'DeepseekV3ForCausalLM', family: 'deepseek-v3'},
  deepseek32: {className: 'DeepseekV32ForCausalLM', family: 'deepseek-v32'},
  deepseek4: {className: 'DeepseekV4ForCausalLM', family: 'deepseek-v4'},
  glm4: {className: 'Glm4ForCausalLM', family: 'glm4'},
  glm4moe: {className: 'Glm4MoeForCausalLM', family: 'glm4'},
  'glm-dsa': {className: 'GlmMoeDsaForCausalLM', family: 'glm-moe-dsa'},
  'gpt-oss': {className: 'GptOssForCausalLM', family: 'gpt-oss', windowPeriod: 2},
  'command-r': {className: 'CohereForCausalLM', family: 'cohere'},
  cohere2: {className: 'Cohere2ForCausalLM', family: 'cohere2', windowPeriod: 4},
  phi3: {className: 'Phi3ForCausalLM', family: 'phi3', windowUnused: true},
  phimoe: {className: 'PhiMoEForCausalLM', family: 'phimoe', windowUnused: true},
  granite: {className: 'GraniteForCausalLM', family: 'granite'},
  granitemoe: {className: 'GraniteMoeForCausalLM', family: 'granitemoe'},
  granitehybrid: {className: 'GraniteMoeHybridForCausalLM', family: 'granitemoehybrid'},
  nemotron: {className: 'NemotronForCausalLM', family: 'nemotron'},
  nemotron_h: {className: 'NemotronHForCausalLM', family: 'nemotron-h'},
  nemotron_h_moe: {className: 'NemotronHForCausalLM', family: 'nemotron-h'},
  'falcon-h1': {className: 'FalconH1ForCausalLM', family: 'falcon-h1'},
  jamba: {className: 'JambaForCausalLM', family: 'jamba'},
  mamba: {className: 'MambaForCausalLM', family: 'mamba'},
  mamba2: {className: 'Mamba2ForCausalLM', family: 'mamba2'},
  lfm2: {className: 'Lfm2ForCausalLM', family: 'lfm2'},
  lfm2moe: {className: 'Lfm2MoeForCausalLM', family: 'lfm2'},
  'minimax-m2': {className: 'MiniMaxM2ForCausalLM', family: 'minimax-m2'},
  'kimi-linear': {className: 'KimiLinearForCausalLM', family: 'kimi-linear'},
  bailingmoe2: {className: 'BailingMoeV2ForCausalLM', family: 'bailing-moe-v2'},
  'hunyuan-moe': {className: 'HunYuanMoEV1ForCausalLM', family: 'hunyuan-v1'},
  'hunyuan-dense': {className: 'HunYuanDenseV1ForCausalLM', family: 'hunyuan-v1'},
  ernie4_5: {className: 'Ernie4_5ForCausalLM', family: 'ernie4-5'},
  'ernie4_5-moe': {className: 'Ernie4_5_MoeForCausalLM', family: 'ernie4-5'},
  smollm3: {className: 'SmolLM3ForCausalLM', family: 'smollm3'},
  seed_oss: {className: 'SeedOssForCausalLM', family: 'seed-oss'},
  exaone4: {className: 'Exaone4ForCausalLM', family: 'exaone4', windowPeriod: 4},
  olmo2: {className: 'Olmo2ForCausalLM', family: 'olmo2', windowPeriod: 4},
  olmoe: {className: 'OlmoeForCausalLM', family: 'olmoe'},
  starcoder2: {className: 'Starcoder2ForCausalLM', family: 'starcoder2'},
  internlm2: {className: 'InternLM2ForCausalLM', family: 'internlm2'},
  dots1: {className: 'Dots1ForCausalLM', family: 'dots1'},
  mimo2: {className: 'MiMoV2FlashForCausalLM', family: 'mimo-v2'},
  step35: {className: 'Step3p5ForCausalLM', family: 'step3p5'},
  afmoe: {className: 'AfmoeForCausalLM', family: 'afmoe', windowPeriod: 4},
  apertus: {className: 'ApertusForCausalLM', family: 'apertus'},
  arcee: {className: 'ArceeForCausalLM', family: 'arcee'},
  smallthinker: {className: 'SmallThinkerForCausalLM', family: 'smallthinker', windowPeriod: 4, fullFirst: true},
})
