import type {Difference, Side} from './options.ts'
import type {Published} from './read.ts'

/** Why a class of differences is a fault of neither side. */
export const CLASSES: Record<string, string> = {
  layout:
    'The planner lays the model out for these cards and this load. `--tp`, `--pp`, `--dp`, `--ep` and `--dp-attention` fix the layout instead; the other options are then expected to agree.',
  sizes:
    'Context length, concurrent requests, tokens per step and the share of memory are computed from the free memory, and left out where the engine would choose the same. A recipe has one number for all cards; a benchmark has the number of its run.',
  speculation: 'Speculative decoding is planned only on request (`--speculative`): whether it pays depends on the load.',
  'cache format':
    "A cache in fewer bits changes the model's answers. It is used where the checkpoint or the model calls for it, otherwise on request (`--kv-cache fp8`).",
  'state format':
    "Keeping the linear-attention state in 16 bits changes the model's answers, and the memory estimate counts the format that the checkpoint names. servefit keeps that format; `--set mamba-ssm-dtype=bfloat16` overrides it.",
  'parser in a separate file': 'The recipe first downloads a Python file with the parser; the engine has no parser of that name.',
  'block size':
    'Either the block size that the recipe found fastest with one AMD attention backend (gpt-oss), or the one that older releases needed for sparse attention (1; ROCM_AITER_MLA_SPARSE in 0.28.0 also accepts multiples of 16). The engine picks one that its backend supports.',
  'kernel tuning':
    'Which of several equivalent kernels runs, the page size in which it reads the cache, and how cards exchange tokens. The engine chooses by card and format, and the best choice changes from release to release. Not needed to start the model; `--set` passes such an option on.',
  'CUDA graph tuning':
    'Which batch sizes and which parts of a step are captured: a trade of memory and start-up time for speed. The memory estimate counts the graphs that the release captures by default, so servefit leaves them alone. The recipe for MiniMax-M2.5 asks for piecewise graphs only; those for M2, M2.1 and M2.7, with the same architecture, do not, so it is not needed.',
  'scheduler tuning':
    'The order and grouping of work inside the engine, tuned for the load of one measurement. Not needed to start the model; `--set` passes such an option on.',
  adapters: 'The entry serves LoRA adapters that its reader has; servefit does so with `--lora`.',
  'prefix cache':
    'Benchmarks and some recipes switch prefix caching off to make runs comparable, or choose how hybrid models store it. It helps in production, and it is on by default.',
  'cache offloading': 'Keeping cache in host memory or on disk is an extension that the plan does not count.',
  'text only':
    'Leaving out the vision tower, or replicating it on every rank, is a choice about what to serve. servefit starts everything that the model can do.',
  'server and requests': 'Name, port, logging, metrics, server limits and time-outs, or request defaults: the operator decides, and `--set` passes them on.',
  'weight loading': 'How fast the files are loaded and by which reader; what runs afterwards is the same.',
  'read from the checkpoint': "The engine reads the weight format from the checkpoint's own configuration.",
  '8-bit cache for the card':
    "The entry keeps the cache in 8 bits on this card, with the attention backend and block size to match. Such a cache changes the model's answers, so it is used on request (`--kv-cache fp8`), and the engine then picks an attention backend that can read it.",
  'CUDA graphs for the card':
    'What is captured on this card, or that nothing is. The memory estimate counts the graphs that the release captures by default; `--graph-mode`, `--graph-max-batch` and `--enforce-eager` ask for others, and are counted then.',
  'kernels that need expert parallelism':
    '`deep_gemm_mega_moe` refuses to run without expert parallelism (vllm/models/deepseek_v4/nvidia/model.py of 0.33.0) and keeps buffers that the memory estimate does not count. `--ep N --set moe-backend=deep_gemm_mega_moe` passes it on.',
  "kernels for the publisher's formats":
    "The recipe's kernels for this card exist for the formats of its publisher. Nobody has shown that they accept these 4-bit weights, or weights with per-token scales, and the engine stops where they do not.",
  'card requirements':
    "What the recipe gives to another card of the same capability, to another build of the same name, or to the entry above this one; the engine's own choice is the same there.",
  'custom build': 'Started from an image built for this machine, whose vLLM has kernels and variables (B12X) that the release lacks.',
  'network interfaces': 'Interface names of one pair of machines. servefit writes them into the start files of several nodes, where they can be known.',
  'one variant only':
    "One entry of the recipe has it; the other entries for the same model do not, nor does the model's publisher. It belongs to one measurement.",
  'already the default':
    'What this release does anyway, so servefit leaves it out (variables: vllm/envs.py of 0.33.0; the second model runner is the default for every architecture from 0.29.0; `--reasoning-config` follows from `--reasoning-parser`, vllm/engine/arg_utils.py). This includes 32-bit states for Nemotron-3: vLLM takes `mamba_ssm_cache_dtype` from the checkpoint, which names float32, and uses float32 where none is named.',
  'not in this release':
    'The newest release has no such option, or does not read such a variable; another build does. `VLLM_USE_FLASHINFER_MOE_FP4`, its siblings for FP8 and MXFP4, and `VLLM_FLASHINFER_MOE_BACKEND` were last in vLLM 0.23.0; since then the engine chooses MoE kernels by card and format, and `--moe-backend` chooses by hand.',
  'file outside the installation':
    "It names a file in the source tree of the engine, the recipe or the benchmark, which an installation does not include. Without it the checkpoint's own chat template is used.",
  'benchmark only': 'Filled in by the script at run time, a fragment of the script, or meant for the benchmark client.',
  'parser added':
    "The entry is tuned for speed, or leaves the choice to the reader, and has no parser. servefit adds the one given on the model's own page (sources in data/engines/needs.yaml), so that tool calls and reasoning are separated from the start; requests that use neither are answered as before.",
  'parser alias': 'Both names exist and parse the same output format, or the entry names one that needs a separate file.',
  'no remote code needed':
    "`--trust-remote-code` runs code that comes with a repository. These repositories need none: Qwen3, Qwen3.5, MiniMax-M3 and GLM-5 have no code in their configuration (no `auto_map`) and an architecture that the engine implements; Qwen3.8 has the class of Qwen3.5; vLLM's recipes start LFM2.5, whose classes are in Transformers, without it.",
  'remote code needed':
    'The repository names code of its own (`auto_map`), and its page gives `--trust-remote-code`; a benchmark script without it relies on what its image contains.',
  'model requirements':
    "The model's recipe, or another page of its family, gives this in general (sources in data/engines/needs.yaml); this entry, which is for one card or one measurement, leaves it out.",
  'node addresses': 'Addresses and ranks of several machines; servefit keeps them in its node plan, apart from the options.',
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
  {class: 'node addresses', name: /^--(?:nnodes|node-rank|dist-init-addr|master-addr|headless)$/},
  {
    class: 'sizes',
    name: /^--(?:max-model-len|max-num-seqs|max-num-batched-tokens|gpu-memory-utilization|context-length|max-running-requests|chunked-prefill-size|mem-fraction-static|max-prefill-tokens|max_seq_len|max_batch_size|max_num_tokens|kv_cache_free_gpu_memory_fraction|free_gpu_memory_fraction|swa-full-tokens-ratio|max-total-tokens|cpu-offload-gb|max-mamba-cache-size|mamba-full-memory-ratio)$/,
  },
  {class: 'speculation', name: /^--(?:speculative-|spec-)/},
  {class: 'already the default', isDefault: true},
  {class: 'cache format', side: ['theirs', 'other'], name: /^--(?:kv-cache-dtype|kv_cache_dtype)$/},
  {
    class: 'benchmark only',
    from: 'benchmark',
    side: ['theirs', 'other'],
    value: /\$|\\$|^true$|^qualitative$/,
    name: /^--(?:config|extra_llm_api_options|kv-transfer-config|served-model-name|tokenizer-path|tokenizer|kv-offloading-size)$/,
  },
  {class: 'file outside the installation', side: ['theirs'], name: /^--(?:chat-template|reasoning-parser-plugin|tool-call-parser-plugin)$/},
  {
    class: 'not in this release',
    side: ['theirs'],
    name: /^\$(?:VLLM_USE_FLASHINFER_MOE_(?:FP4|FP8|MXFP4_MXFP8)|VLLM_FLASHINFER_MOE_BACKEND|VLLM_ATTENTION_BACKEND|VLLM_USE_TRTLLM_ATTENTION|VLLM_RPC_TIMEOUT|SAFETENSORS_FAST_GPU|VLLM_OMNI_\w+)$/,
  },
  {class: 'not in this release', side: ['theirs'], unknown: true, name: /^--/},
  {
    class: 'cache offloading',
    side: ['theirs'],
    name: /^--(?:kv-offloading-.*|kv-transfer-config|enable-hierarchical-cache|hicache-.*|disable-hybrid-kv-cache-manager)$/,
  },
  {
    class: 'kernel tuning',
    isForCard: false,
    side: ['theirs', 'other'],
    name: /^--(?:page-size|.*-backend(?:-\w+)?|.*-runner|attention-config(?:\..*)?|kernel-config(?:\..*)?|enable-flashinfer-autotune|disable-flashinfer-autotune|disable-custom-all-reduce|disable-cascade-attn|disable-shared-experts-fusion|enable-aiter-allreduce-fusion|enable-flashinfer-allreduce-fusion|enable-symm-mem|enable-nccl-nvls|enable-deepseek-v4-fp4-indexer|deepep-config|deepep-mode|quantize-and-serve|fp8-gemm-backend|fp4-gemm-backend|enforce-shared-experts-fusion)$/,
  },
  {class: 'kernel tuning', isForCard: false, side: ['theirs', 'other', 'ours'], name: /^\$VLLM_ROCM_USE_AITER_MOE$/},
  {
    class: 'kernel tuning',
    isForCard: false,
    side: ['theirs'],
    name: /^\$(?:VLLM_ROCM_(?!USE_AITER$)\w+|VLLM_USE_OINK_OPS|VLLM_BLOCKSCALE\w+|VLLM_FLASHINFER_ALLREDUCE_BACKEND|VLLM_ALLREDUCE_USE_FLASHINFER|VLLM_FLOAT32_MATMUL_PRECISION|VLLM_USE_DEEP_GEMM|VLLM_DEEP_GEMM_WARMUP|AMDGCN_\w+|HSA_\w+|HIP_\w+|AITER_\w+|NCCL_\w+|FLASH_ATTENTION_\w+|SGLANG_(?:OPT_|DP_|HACK_|SHARED_|USE_AITER|USE_ROCM|DEEPEP_|DSV4_)\w*|VLLM_USE_FASTOKENS|FLASHINFER_\w+)$/,
  },
  {
    class: 'CUDA graph tuning',
    isForCard: false,
    side: ['theirs', 'other'],
    name: /^(?:--(?:compilation-config(?:\..*)?|cuda-graph-.*|max-cudagraph-capture-size|disable-piecewise-cuda-graph|disable-prefill-cuda-graph|piecewise-.*|enforce-eager)|\$VLLM_(?:USE_BREAKABLE_CUDAGRAPH|DISABLE_COMPILE_CACHE))$/,
  },
  {
    class: 'scheduler tuning',
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
  {class: 'weight loading', side: ['theirs'], name: /^--(?:model-loader-extra-config|safetensors-load-strategy|weight-loader-.*)$/},
  {class: 'weight loading', side: ['theirs'], name: /^--load-format$/, value: /^fastsafetensors$/},
  {class: 'read from the checkpoint', side: ['theirs'], name: /^--(?:quantization|dtype)$/},
  {class: 'already the default', side: ['theirs'], name: /^\$VLLM_MEMORY_PROFILER_ESTIMATE_CUDAGRAPHS$/, value: /^1$/},
  {class: 'already the default', engine: 'vllm', side: ['theirs'], name: /^\$VLLM_ROCM_USE_AITER$/, value: /^0$/},
  {class: 'already the default', engine: 'vllm', side: ['theirs'], name: /^\$VLLM_USE_V2_MODEL_RUNNER$/, value: /^1$/},
  {
    class: 'already the default',
    engine: 'vllm',
    side: ['theirs'],
    name: /^\$VLLM_(?:ROCM_USE_AITER_(?:MOE|MHA|LINEAR|RMSNORM)|USE_DEEP_GEMM|ALLREDUCE_USE_FLASHINFER|USE_FLASHINFER_SAMPLER)$/,
    value: /^1$/,
  },
  {class: 'already the default', engine: 'vllm', side: ['theirs'], name: /^\$VLLM_ROCM_USE_AITER_FP[48]BMM$/, value: /^0$/},
  // AMD's platform opts no architecture of these into breakable graphs (vllm/config/vllm.py default_breakable_cudagraph_architectures).
  {class: 'already the default', engine: 'vllm', side: ['theirs'], name: /^\$VLLM_USE_BREAKABLE_CUDAGRAPH$/, value: /^0$/, gpu: /^mi3/},
  {class: 'already the default', engine: 'vllm', side: ['theirs'], name: /^--enable-flashinfer-autotune$/, value: /^true$/},
  {class: 'already the default', engine: 'vllm', side: ['theirs'], name: /^--reasoning-config$/},
  {
    class: 'CUDA graphs for the card',
    engine: 'vllm',
    isForCard: true,
    side: ['theirs'],
    name: /^(?:--(?:compilation-config|max-cudagraph-capture-size|enforce-eager|compilation-config\.(?!pass_config|use_inductor).*)|\$VLLM_USE_BREAKABLE_CUDAGRAPH)$/,
  },
  {
    class: 'custom build',
    engine: 'vllm',
    gpu: /^gb10$/,
    side: ['theirs', 'other'],
    name: /^\$(?:B12X_\w+|VLLM_USE_B12X_\w+|CUTE_DSL_ARCH|VLLM_USE_AOT_COMPILE|VLLM_USE_MEGA_AOT_ARTIFACT|VLLM_MEMORY_PROFILE_INCLUDE_ATTN)$/,
  },
  {class: 'custom build', engine: 'vllm', gpu: /^gb10$/, side: ['theirs', 'other'], name: /^--(?:attention|moe|linear)-backend$/, value: /b12x/i},
  {class: 'custom build', engine: 'vllm', gpu: /^gb10$/, side: ['theirs', 'other'], name: /^--attention-config\.indexer_kv_dtype$/},
  {
    class: 'network interfaces',
    engine: 'vllm',
    side: ['theirs'],
    name: /^\$(?:GLOO_SOCKET_IFNAME|MN_IF_NAME|NCCL_(?:IB|SOCKET|IGNORE)_\w+|OMPI_\w+|TP_SOCKET_IFNAME|UCX_\w+)$/,
  },
  {class: 'kernels that need expert parallelism', engine: 'vllm', side: ['theirs'], name: /^--moe-backend$/, value: /^deep_gemm_mega_moe$/},
  {
    class: '8-bit cache for the card',
    engine: 'vllm',
    isForCard: true,
    side: ['theirs'],
    name: /^--(?:attention-backend|attention-config\..*|block-size)$/,
    beside: /--kv-cache-dtype fp8/,
  },
  {class: 'cache format', engine: 'vllm', side: ['theirs', 'other'], name: /^--attention-config\.indexer_kv_dtype$/},
  {
    class: "kernels for the publisher's formats",
    engine: 'vllm',
    isForCard: true,
    side: ['theirs'],
    name: /^(?:--(?:moe|linear|attention)-backend|\$VLLM_USE_DEEP_GEMM)$/,
    repository: /^RedHatAI|Int4|W4A8/i,
  },
  {
    class: 'card requirements',
    engine: 'vllm',
    side: ['ours'],
    name: /^(?:--(?:moe|linear|attention)-backend|--attention-config\..*|--mm-encoder-attn-backend|\$(?:GPU_MAX_HW_QUEUES|NCCL_MIN_NCHANNELS|TORCH_BLAS_PREFER_HIPBLASLT)|\$VLLM_(?:USE_DEEP_GEMM|FLASHINFER_ALLREDUCE_BACKEND|FLOAT32_MATMUL_PRECISION|MARLIN_\w+|ROCM_\w+))$/,
  },
  {class: 'cache offloading', engine: 'sglang', side: ['theirs'], name: /^\$(?:MOONCAKE_|MC_)\w+$/},
  {class: 'adapters', engine: 'sglang', side: ['theirs'], name: /^(?:--(?:enable-lora|lora-.*|max-loras-per-batch)|\$SGLANG_EXPERIMENTAL_LORA_OPTI)$/},
  {class: 'speculation', engine: 'sglang', side: ['theirs'], name: /^--enable-(?:multi-layer-eagle|linear-replayssm-spec)$/},
  {class: 'layout', engine: 'sglang', side: ['theirs'], name: /^--enable-eplb$/},
  {class: 'server and requests', engine: 'sglang', side: ['theirs'], name: /^--dist-timeout$/},
  {class: 'prefix cache', engine: 'sglang', side: ['theirs'], name: /^\$SGLANG_ENABLE_UNIFIED_RADIX_TREE$/},
  {
    class: 'kernel tuning',
    engine: 'sglang',
    side: ['theirs'],
    name: /^(?:--(?:deepep-v2-mode|enable-torch-symm-mem)|\$(?:EP_DISABLE_GIN|SGLANG_FLASHINFER_MNNVL_\w+|SGLANG_USE_(?:CUDA_IPC|IPC_POOL)\w*))$/,
  },
  {class: 'benchmark only', from: 'benchmark', side: ['theirs'], name: /^--hf-overrides$/},
  {class: 'prefix cache', engine: 'vllm', side: ['theirs'], name: /^--(?:prefix-match-unit|enable-mamba-shared-prefix-checkpoint)$/},
  {
    class: 'state format',
    engine: 'vllm',
    side: ['theirs'],
    name: /^--(?:mamba-ssm-cache-dtype|enable-mamba-cache-stochastic-rounding|mamba-cache-philox-rounds)$/,
  },
  {class: 'weight loading', engine: 'vllm', side: ['theirs'], name: /^--load-format$/, value: /^instanttensor$/},
  {class: 'parser in a separate file', engine: 'vllm', side: ['theirs'], name: /^--tool-parser-plugin$/},
  {class: 'parser alias', engine: 'vllm', side: ['other'], name: /^--reasoning-parser$/, value: /^glm47$/},
  {
    class: 'one variant only',
    engine: 'vllm',
    side: ['theirs'],
    name: /^--(?:chat-template-content-format|block-size)$/,
    repository: /Nemotron-3\.5-Super-VL/,
  },
  {class: 'one variant only', engine: 'vllm', isForCard: true, side: ['theirs'], name: /^--mamba-backend$/},
  {class: 'state format', engine: 'sglang', side: ['theirs'], name: /^--mamba-ssm-dtype$/, value: /^bfloat16$/},
  {class: 'parser in a separate file', side: ['theirs'], name: /^--(?:enable-auto-tool-choice|tool-call-parser)$/, repository: /Nemotron-Nano-9B-v2/},
  {class: 'block size', engine: 'vllm', side: ['theirs'], name: /^--block-size$/, gpu: /^mi3/},
  {class: 'already the default', engine: 'vllm', side: ['theirs'], name: /^--mamba-ssm-cache-dtype$/, value: /^float32$/, repository: /Nemotron-3-Ultra/},
  {
    class: 'no remote code needed',
    side: ['theirs'],
    name: /^--trust[-_]remote[-_]code$/,
    repository: /Qwen3-235B|Qwen3\.5-|Qwen3\.8-|LFM2\.5-|MiniMaxAI\/MiniMax-M3|GLM-5/,
  },
  {class: 'remote code needed', side: ['ours'], name: /^--trust[-_]remote[-_]code$/, repository: /DeepSeek-R1|tencent\/Hy3$/},
  {class: 'parser added', side: ['ours'], name: /^--(?:reasoning[-_]parser|tool-call-parser|tool_parser|enable-auto-tool-choice)$/},
  {
    class: 'parser alias',
    side: ['other', 'theirs'],
    name: /^--(?:reasoning-parser|tool-call-parser)$/,
    value: /^(?:auto|qwen3-thinking|nano_v3|nemotron_json)$/,
  },
  {
    class: 'model requirements',
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
