import type {Difference, Side} from './options.ts'
import type {Published} from './read.ts'

/** Why a class of differences is a fault of neither side. */
export const CLASSES: Record<string, string> = {
  layout:
    'How a model is laid over the cards is what the planner decides, for these cards and the load; a fixed layout is given with `--tp`, `--pp`, `--dp`, `--ep` and `--dp-attention`, and what must be equal then is the rest.',
  sizes:
    'Context, requests at once, tokens of one step and the share of memory are computed from the memory that is free, and are left out where they are what the engine does by itself. A recipe has one number for every card; a benchmark has the number of its run.',
  speculation: 'Draft tokens are planned only where somebody asks for them (`--speculative`): whether they pay depends on the load.',
  'cache format':
    'A cache in fewer bits changes what the model answers. It is taken where the checkpoint or the model asks for it, else on request (`--kv-cache fp8`).',
  'state format':
    'The states of linear attention in 16 bits: it changes answers, and the memory side counts what the checkpoint names. Ours keeps that; `--set mamba-ssm-dtype=bfloat16` passes it on.',
  'parser in a file': 'The parser is in a Python file that the recipe has fetched first; the engine itself has none of that name.',
  'block size':
    'The block that the recipe found fast with one attention backend of AMD (gpt-oss), or that older releases asked for with sparse attention (1; ROCM_AITER_MLA_SPARSE of 0.28.0 also takes multiples of 16). The engine takes one that its backend supports.',
  'tuning of kernels':
    'Which of several kernels computes the same thing, in which blocks it reads the cache, and how cards exchange tokens: the engine chooses by card and format, and the best choice changes from release to release. It is not needed to start; `--set` passes it on.',
  'tuning of CUDA graphs':
    'Which batch sizes and which parts are captured: speed against memory and start time. The memory side counts the graphs of the release, so ours stay as the engine has them. The recipe of MiniMax-M2.5 asks for piecewise graphs only, those of M2, M2.1 and M2.7 with the same architecture do not: it is not needed.',
  'tuning of scheduling': 'Order and grouping of work inside the engine, for the load that somebody measured. Not needed to start; `--set` passes it on.',
  adapters: 'The entry serves adapters that its reader has; ours does with `--lora`.',
  'prefix cache':
    'Benchmarks and some recipes turn the reuse of prefixes off so that runs can be compared, or set how state models keep it. Serving gains from it, and it is on by default.',
  'cache beyond the GPU': 'Keeping cache in host memory or on disk is an extension that the plan does not count.',
  'text only':
    'Leaving the vision part out, or spreading it over ranks as whole copies, is a choice about what is served: ours serves everything that the model does.',
  'server and requests':
    'Name, port, logging, metrics, limits and time-outs of the server, or defaults of requests: whoever runs it decides, and `--set` passes it on.',
  'loading of weights': 'How fast and by which reader the files are loaded; what runs afterwards is the same.',
  'known from the files': "The engine reads the format of the weights from the checkpoint's own configuration.",
  'a cache of 8 bits on the card':
    'The entry keeps the cache in 8 bits on this card, and takes the attention and the blocks that go with it. Such a cache changes what the model answers: it is on request (`--kv-cache fp8`), and the engine then takes an attention that reads it by itself.',
  'graphs of the card':
    'What is captured on this card, or that nothing is. The memory side counts the graphs that the release captures by itself; others are asked for with `--graph-mode`, `--graph-max-batch` or `--enforce-eager`, and are counted then.',
  'kernels that need experts spread':
    '`deep_gemm_mega_moe` stops without expert parallelism (vllm/models/deepseek_v4/nvidia/model.py of 0.33.0) and keeps buffers beside what the memory side counts. `--ep N --set moe-backend=deep_gemm_mega_moe` passes it on.',
  'kernels of the publisher':
    "The recipe's kernels for this card are there for the formats of its publisher; that they take these weights of 4 bits or with scales of each token was not shown, and the engine stops where they do not.",
  'needs of the card':
    "What the recipe gives another card of the same capability, another build of the same name, or the entry above this one; the engine's choice is the same there.",
  'another build': 'Started in an image of its own for this machine, whose vLLM has kernels and variables (B12X) that the release has not.',
  'network of the machine':
    'Names of the interfaces of one pair of machines. Ours writes those of several nodes into the start files, where they can be known.',
  'one variant only': "One entry of the recipe has it, the others of the same model do not, nor does the model's publisher: a measurement's own.",
  default:
    'What this release does without the option or the variable as well, so ours leaves it out (variables: vllm/envs.py of 0.33.0; the second model runner is what every architecture gets from 0.29.0; `--reasoning-config` is made from `--reasoning-parser`, vllm/engine/arg_utils.py). For Nemotron-3 that holds of states in 32 bits: vLLM takes `mamba_ssm_cache_dtype` from the checkpoint, which names float32, and float32 where none is named.',
  'not in this release':
    'The newest release has no such option, or does not read such a variable: another build takes it. `VLLM_USE_FLASHINFER_MOE_FP4`, its siblings for FP8 and MXFP4, and `VLLM_FLASHINFER_MOE_BACKEND` were last in vLLM 0.23.0; since then the kernels of experts are chosen by card and format, and by hand with `--moe-backend`.',
  'file beside the command':
    'It names a file in the source tree of the engine, of the recipe or of the benchmark that does not come with an installation. Without it the chat template of the checkpoint is used.',
  "the benchmark's own": 'Filled in by the script when it runs, a fragment of the script, or there for the measuring tool.',
  'parsers of the family':
    "The collection's entry is for speed, or leaves the choice to the reader, and has no parser. Ours takes the one that the model's own page has (sources in data/engines/needs.yaml), so that tool calls and reasoning come apart from the start; requests without them are answered as before.",
  'parsers by another name': 'Both names exist and read the same form of output, or the entry names one that needs a file of its own.',
  'no code in the repository':
    "`--trust-remote-code` runs code that comes with a repository. These need none: Qwen3, Qwen3.5, MiniMax-M3 and GLM-5 have no code in their configuration (no `auto_map`) and an architecture that the engine has itself; Qwen3.8 is of Qwen3.5's class; vLLM's recipes start LFM2.5 without it, whose classes Transformers has.",
  'code of the repository':
    'The repository names code of its own (`auto_map`), and its page gives `--trust-remote-code`; a benchmark script that leaves it out relies on what its image holds.',
  'needs of the model':
    "What the model's recipe or another page of its family gives in general (sources in data/engines/needs.yaml), and this entry, which is for one card or one measurement, leaves out.",
  'node plan': 'Addresses and ranks of several machines: ours are in the plan of nodes and not among the options.',
}

export interface Rule {
  class: string
  /** All must hold; absent: any. */
  engine?: string
  from?: Published['from']
  side?: Side[]
  name?: RegExp
  /** Of theirs where they have it. */
  value?: RegExp
  repository?: RegExp
  gpu?: RegExp
  unknown?: boolean
  isDefault?: boolean
  isForCard?: boolean
  /** Somewhere in the words of the launch. */
  beside?: RegExp
}

/** The first that holds is the one. */
export const RULES: Rule[] = [
  {
    class: 'layout',
    name: /^--(?:tensor-parallel-size|pipeline-parallel-size|data-parallel-[a-z-]+|enable-expert-parallel|tp-size|pp-size|dp-size|ep-size|enable-dp-attention|attn-dp-size|enable-dp-lm-head|attn-cp-size|moe-dense-tp-size|decode-context-parallel-size|enable-prefill-cp|enable-dsa-prefill-context-parallel|tensor_parallel_size|pipeline_parallel_size|moe_expert_parallel_size|enable_attention_dp|enable-dp-attention-local-control-broadcast|load-balance-method|moe-data-parallel-size|attention-context-parallel-size|distributed-executor-backend)$/,
  },
  {class: 'node plan', name: /^--(?:nnodes|node-rank|dist-init-addr|master-addr|headless)$/},
  {
    class: 'sizes',
    name: /^--(?:max-model-len|max-num-seqs|max-num-batched-tokens|gpu-memory-utilization|context-length|max-running-requests|chunked-prefill-size|mem-fraction-static|max-prefill-tokens|max_seq_len|max_batch_size|max_num_tokens|kv_cache_free_gpu_memory_fraction|free_gpu_memory_fraction|swa-full-tokens-ratio|max-total-tokens|cpu-offload-gb|max-mamba-cache-size|mamba-full-memory-ratio)$/,
  },
  {class: 'speculation', name: /^--(?:speculative-|spec-)/},
  {class: 'default', isDefault: true},
  {class: 'cache format', side: ['theirs', 'other'], name: /^--(?:kv-cache-dtype|kv_cache_dtype)$/},
  {
    class: "the benchmark's own",
    from: 'benchmark',
    side: ['theirs', 'other'],
    value: /\$|\\$|^true$|^qualitative$/,
    name: /^--(?:config|extra_llm_api_options|kv-transfer-config|served-model-name|tokenizer-path|tokenizer|kv-offloading-size)$/,
  },
  {class: 'file beside the command', side: ['theirs'], name: /^--(?:chat-template|reasoning-parser-plugin|tool-call-parser-plugin)$/},
  {
    class: 'not in this release',
    side: ['theirs'],
    name: /^\$(?:VLLM_USE_FLASHINFER_MOE_(?:FP4|FP8|MXFP4_MXFP8)|VLLM_FLASHINFER_MOE_BACKEND|VLLM_ATTENTION_BACKEND|VLLM_USE_TRTLLM_ATTENTION|VLLM_RPC_TIMEOUT|SAFETENSORS_FAST_GPU|VLLM_OMNI_\w+)$/,
  },
  {class: 'not in this release', side: ['theirs'], unknown: true, name: /^--/},
  {
    class: 'cache beyond the GPU',
    side: ['theirs'],
    name: /^--(?:kv-offloading-.*|kv-transfer-config|enable-hierarchical-cache|hicache-.*|disable-hybrid-kv-cache-manager)$/,
  },
  {
    class: 'tuning of kernels',
    isForCard: false,
    side: ['theirs', 'other'],
    name: /^--(?:page-size|.*-backend(?:-\w+)?|.*-runner|attention-config(?:\..*)?|kernel-config(?:\..*)?|enable-flashinfer-autotune|disable-flashinfer-autotune|disable-custom-all-reduce|disable-cascade-attn|disable-shared-experts-fusion|enable-aiter-allreduce-fusion|enable-flashinfer-allreduce-fusion|enable-symm-mem|enable-nccl-nvls|enable-deepseek-v4-fp4-indexer|deepep-config|deepep-mode|quantize-and-serve|fp8-gemm-backend|fp4-gemm-backend|enforce-shared-experts-fusion)$/,
  },
  {class: 'tuning of kernels', isForCard: false, side: ['theirs', 'other', 'ours'], name: /^\$VLLM_ROCM_USE_AITER_MOE$/},
  {
    class: 'tuning of kernels',
    isForCard: false,
    side: ['theirs'],
    name: /^\$(?:VLLM_ROCM_(?!USE_AITER$)\w+|VLLM_USE_OINK_OPS|VLLM_BLOCKSCALE\w+|VLLM_FLASHINFER_ALLREDUCE_BACKEND|VLLM_ALLREDUCE_USE_FLASHINFER|VLLM_FLOAT32_MATMUL_PRECISION|VLLM_USE_DEEP_GEMM|VLLM_DEEP_GEMM_WARMUP|AMDGCN_\w+|HSA_\w+|HIP_\w+|AITER_\w+|NCCL_\w+|FLASH_ATTENTION_\w+|SGLANG_(?:OPT_|DP_|HACK_|SHARED_|USE_AITER|USE_ROCM|DEEPEP_|DSV4_)\w*|VLLM_USE_FASTOKENS|FLASHINFER_\w+)$/,
  },
  {
    class: 'tuning of CUDA graphs',
    isForCard: false,
    side: ['theirs', 'other'],
    name: /^(?:--(?:compilation-config(?:\..*)?|cuda-graph-.*|max-cudagraph-capture-size|disable-piecewise-cuda-graph|disable-prefill-cuda-graph|piecewise-.*|enforce-eager)|\$VLLM_(?:USE_BREAKABLE_CUDAGRAPH|DISABLE_COMPILE_CACHE))$/,
  },
  {
    class: 'tuning of scheduling',
    side: ['theirs', 'other'],
    name: /^--(?:async-scheduling|enable-chunked-prefill|long-prefill-token-threshold|prefill-schedule-interval|stream-interval|scheduler-recv-interval|schedule-conservativeness|num-continuous-decode-steps|enable-two-batch-overlap|enable-single-batch-overlap|enable-mixed-chunk|enable-prefill-delayer|prefill-delayer-.*|tokenizer-worker-num|mamba-scheduler-strategy|enable-dynamic-chunking|disable-overlap-schedule|num_postprocess_workers)$/,
  },
  {
    class: 'prefix cache',
    side: ['theirs', 'other'],
    name: /^--(?:enable-prefix-caching|disable-radix-cache|mamba-cache-mode|mamba-radix-cache-strategy|radix-.*|mamba-track-interval)$/,
  },
  {
    class: 'text only',
    side: ['theirs'],
    name: /^--(?:language-model-only|mm-encoder-tp-mode|limit-mm-per-prompt(?:\..*)?|mm-processor-cache-.*|enable-multimodal|mm-enable-dp-encoder|skip-mm-profiling)$/,
  },
  {
    class: 'server and requests',
    side: ['theirs'],
    name: /^(?:--(?:served-model-name|host|port|default-chat-template-kwargs(?:\..*)?|exclude-tools-when-tool-choice-none|enable-metrics|enable-cache-report|enable-prompt-tokens-details|watchdog-timeout|decode-log-interval|skip-server-warmup|incremental-streaming-output|generation-config|allowed-local-media-path|log-.*|no-enable-log-requests|enable-log-requests|tokenizer-path|media-io-kwargs|video-pruning-rate|seed|sampling-defaults|allow-auto-truncate|limit.*)|\$(?:VLLM_ENGINE_READY_TIMEOUT_S|VLLM_USE_RUST_FRONTEND|VLLM_VIDEO_LOADER_BACKEND|VLLM_HAS_FLASHINFER_CUBIN|PYTHONNOUSERSITE|VLLM_WORKER_MULTIPROC_METHOD|AITER_TRITON_LOG_LEVEL|PYTORCH_\w+|OMP_\w+))$/,
  },
  {class: 'loading of weights', side: ['theirs'], name: /^--(?:model-loader-extra-config|safetensors-load-strategy|weight-loader-.*)$/},
  {class: 'loading of weights', side: ['theirs'], name: /^--load-format$/, value: /^fastsafetensors$/},
  {class: 'known from the files', side: ['theirs'], name: /^--(?:quantization|dtype)$/},
  {class: 'default', side: ['theirs'], name: /^\$VLLM_MEMORY_PROFILER_ESTIMATE_CUDAGRAPHS$/, value: /^1$/},
  {class: 'default', engine: 'vllm', side: ['theirs'], name: /^\$VLLM_ROCM_USE_AITER$/, value: /^0$/},
  {class: 'default', engine: 'vllm', side: ['theirs'], name: /^\$VLLM_USE_V2_MODEL_RUNNER$/, value: /^1$/},
  {
    class: 'default',
    engine: 'vllm',
    side: ['theirs'],
    name: /^\$VLLM_(?:ROCM_USE_AITER_(?:MOE|MHA|LINEAR|RMSNORM)|USE_DEEP_GEMM|ALLREDUCE_USE_FLASHINFER|USE_FLASHINFER_SAMPLER)$/,
    value: /^1$/,
  },
  {class: 'default', engine: 'vllm', side: ['theirs'], name: /^\$VLLM_ROCM_USE_AITER_FP[48]BMM$/, value: /^0$/},
  // AMD's platform opts no architecture of these into breakable graphs (vllm/config/vllm.py default_breakable_cudagraph_architectures).
  {class: 'default', engine: 'vllm', side: ['theirs'], name: /^\$VLLM_USE_BREAKABLE_CUDAGRAPH$/, value: /^0$/, gpu: /^mi3/},
  {class: 'default', engine: 'vllm', side: ['theirs'], name: /^--enable-flashinfer-autotune$/, value: /^true$/},
  {class: 'default', engine: 'vllm', side: ['theirs'], name: /^--reasoning-config$/},
  {
    class: 'graphs of the card',
    engine: 'vllm',
    isForCard: true,
    side: ['theirs'],
    name: /^(?:--(?:compilation-config|max-cudagraph-capture-size|enforce-eager|compilation-config\.(?!pass_config|use_inductor).*)|\$VLLM_USE_BREAKABLE_CUDAGRAPH)$/,
  },
  {
    class: 'another build',
    engine: 'vllm',
    gpu: /^gb10$/,
    side: ['theirs', 'other'],
    name: /^\$(?:B12X_\w+|VLLM_USE_B12X_\w+|CUTE_DSL_ARCH|VLLM_USE_AOT_COMPILE|VLLM_USE_MEGA_AOT_ARTIFACT|VLLM_MEMORY_PROFILE_INCLUDE_ATTN)$/,
  },
  {class: 'another build', engine: 'vllm', gpu: /^gb10$/, side: ['theirs', 'other'], name: /^--(?:attention|moe|linear)-backend$/, value: /b12x/i},
  {class: 'another build', engine: 'vllm', gpu: /^gb10$/, side: ['theirs', 'other'], name: /^--attention-config\.indexer_kv_dtype$/},
  {
    class: 'network of the machine',
    engine: 'vllm',
    side: ['theirs'],
    name: /^\$(?:GLOO_SOCKET_IFNAME|MN_IF_NAME|NCCL_(?:IB|SOCKET|IGNORE)_\w+|OMPI_\w+|TP_SOCKET_IFNAME|UCX_\w+)$/,
  },
  {class: 'kernels that need experts spread', engine: 'vllm', side: ['theirs'], name: /^--moe-backend$/, value: /^deep_gemm_mega_moe$/},
  {
    class: 'a cache of 8 bits on the card',
    engine: 'vllm',
    isForCard: true,
    side: ['theirs'],
    name: /^--(?:attention-backend|attention-config\..*|block-size)$/,
    beside: /--kv-cache-dtype fp8/,
  },
  {class: 'cache format', engine: 'vllm', side: ['theirs', 'other'], name: /^--attention-config\.indexer_kv_dtype$/},
  {
    class: 'kernels of the publisher',
    engine: 'vllm',
    isForCard: true,
    side: ['theirs'],
    name: /^(?:--(?:moe|linear|attention)-backend|\$VLLM_USE_DEEP_GEMM)$/,
    repository: /^RedHatAI|Int4|W4A8/i,
  },
  {
    class: 'needs of the card',
    engine: 'vllm',
    side: ['ours'],
    name: /^(?:--(?:moe|linear|attention)-backend|--attention-config\..*|--mm-encoder-attn-backend|\$VLLM_(?:USE_DEEP_GEMM|FLASHINFER_ALLREDUCE_BACKEND|FLOAT32_MATMUL_PRECISION|MARLIN_\w+|ROCM_\w+))$/,
  },
  {class: 'cache beyond the GPU', engine: 'sglang', side: ['theirs'], name: /^\$(?:MOONCAKE_|MC_)\w+$/},
  {class: 'adapters', engine: 'sglang', side: ['theirs'], name: /^(?:--(?:enable-lora|lora-.*|max-loras-per-batch)|\$SGLANG_EXPERIMENTAL_LORA_OPTI)$/},
  {class: 'speculation', engine: 'sglang', side: ['theirs'], name: /^--enable-(?:multi-layer-eagle|linear-replayssm-spec)$/},
  {class: 'layout', engine: 'sglang', side: ['theirs'], name: /^--enable-eplb$/},
  {class: 'server and requests', engine: 'sglang', side: ['theirs'], name: /^--dist-timeout$/},
  {class: 'prefix cache', engine: 'sglang', side: ['theirs'], name: /^\$SGLANG_ENABLE_UNIFIED_RADIX_TREE$/},
  {
    class: 'tuning of kernels',
    engine: 'sglang',
    side: ['theirs'],
    name: /^(?:--(?:deepep-v2-mode|enable-torch-symm-mem)|\$(?:EP_DISABLE_GIN|SGLANG_FLASHINFER_MNNVL_\w+|SGLANG_USE_(?:CUDA_IPC|IPC_POOL)\w*))$/,
  },
  {class: "the benchmark's own", from: 'benchmark', side: ['theirs'], name: /^--hf-overrides$/},
  {class: 'prefix cache', engine: 'vllm', side: ['theirs'], name: /^--(?:prefix-match-unit|enable-mamba-shared-prefix-checkpoint)$/},
  {
    class: 'state format',
    engine: 'vllm',
    side: ['theirs'],
    name: /^--(?:mamba-ssm-cache-dtype|enable-mamba-cache-stochastic-rounding|mamba-cache-philox-rounds)$/,
  },
  {class: 'loading of weights', engine: 'vllm', side: ['theirs'], name: /^--load-format$/, value: /^instanttensor$/},
  {class: 'parser in a file', engine: 'vllm', side: ['theirs'], name: /^--tool-parser-plugin$/},
  {class: 'parsers by another name', engine: 'vllm', side: ['other'], name: /^--reasoning-parser$/, value: /^glm47$/},
  {
    class: 'one variant only',
    engine: 'vllm',
    side: ['theirs'],
    name: /^--(?:chat-template-content-format|block-size)$/,
    repository: /Nemotron-3\.5-Super-VL/,
  },
  {class: 'one variant only', engine: 'vllm', isForCard: true, side: ['theirs'], name: /^--mamba-backend$/},
  {class: 'state format', engine: 'sglang', side: ['theirs'], name: /^--mamba-ssm-dtype$/, value: /^bfloat16$/},
  {class: 'parser in a file', side: ['theirs'], name: /^--(?:enable-auto-tool-choice|tool-call-parser)$/, repository: /Nemotron-Nano-9B-v2/},
  {class: 'block size', engine: 'vllm', side: ['theirs'], name: /^--block-size$/, gpu: /^mi3/},
  {class: 'default', engine: 'vllm', side: ['theirs'], name: /^--mamba-ssm-cache-dtype$/, value: /^float32$/, repository: /Nemotron-3-Ultra/},
  {
    class: 'no code in the repository',
    side: ['theirs'],
    name: /^--trust[-_]remote[-_]code$/,
    repository: /Qwen3-235B|Qwen3\.5-|Qwen3\.8-|LFM2\.5-|MiniMaxAI\/MiniMax-M3|GLM-5/,
  },
  {class: 'code of the repository', side: ['ours'], name: /^--trust[-_]remote[-_]code$/, repository: /DeepSeek-R1|tencent\/Hy3$/},
  {class: 'parsers of the family', side: ['ours'], name: /^--(?:reasoning[-_]parser|tool-call-parser|tool_parser|enable-auto-tool-choice)$/},
  {
    class: 'parsers by another name',
    side: ['other', 'theirs'],
    name: /^--(?:reasoning-parser|tool-call-parser)$/,
    value: /^(?:auto|qwen3-thinking|nano_v3|nemotron_json)$/,
  },
  {
    class: 'needs of the model',
    side: ['ours'],
    name: /^(?:--(?:chat-template-content-format|tokenizer-mode|block-size|kv-cache-dtype|enable-flashinfer-autotune|config|generation-config|custom_tokenizer)|\$VLLM_ROCM_USE_AITER)$/,
  },
]

const holds = (rule: Rule, launch: Published, {side, name, theirs, ours, isForCard = false}: Difference): boolean =>
  (rule.engine === undefined || rule.engine === launch.engine) &&
  (rule.from === undefined || rule.from === launch.from) &&
  (rule.side === undefined || rule.side.includes(side)) &&
  (rule.name === undefined || rule.name.test(name)) &&
  (rule.value === undefined || (theirs ?? ours)!.values.every((value) => rule.value!.test(value))) &&
  (rule.repository === undefined || rule.repository.test(launch.repository)) &&
  (rule.gpu === undefined || rule.gpu.test(launch.gpu)) &&
  (rule.beside === undefined || rule.beside.test(launch.words.join(' '))) &&
  (rule.isForCard === undefined || rule.isForCard === isForCard) &&
  (rule.unknown === undefined || rule.unknown === (theirs?.unknown ?? false)) &&
  (rule.isDefault === undefined || rule.isDefault === (theirs?.isDefault ?? false))

/** The class of the first rule that holds; undefined: nothing explains it. */
export const classOf = (launch: Published, difference: Difference): string | undefined => RULES.find((rule) => holds(rule, launch, difference))?.class
