/** What flags are for that no field stands for: whether they could move a number, and what to say. */

export interface Purpose {
  /** It could change memory or speed, and is not reckoned with. */
  matters: boolean
  because: string
}

const harmless = (because: string): Purpose => ({matters: false, because})
const uncounted = (because: string): Purpose => ({matters: true, because})

/** By the beginning or a part of the name, in any engine; the first that fits. Names are compared with dashes. */
const PURPOSES: [RegExp, Purpose][] = [
  [
    /^(?:host|port|uds|uvicorn|ssl|root-path|fastapi|middleware|allowed-(?:origins|methods|headers)|allow-credentials|h11|http2|enable-http2|grpc|smg|disable-fastapi-docs|enable-offline-docs|enable-request-id-headers|response-role|metadata-server|server-role|sidecar|headless|api-server-count)/,
    harmless('how the server is reached'),
  ],
  [/^(?:api-key|admin-api-key|hf-token)/, harmless('a key: neither shown nor passed on')],
  [
    /^(?:chat-template|completion-template|hf-chat-template|default-chat-template|trust-request-chat|tool-|enable-auto-tool|exclude-tools|reasoning|enable-reasoning|strip-thinking|enable-strict-thinking|cohere|interleave-mm|response-|return-tokens|enable-prompt-tokens|structured|guided|grammar|constrained|override-generation|generation-config|sampling-defaults|preferred-sampling|logits-processor|max-logprobs|logprobs|enable-custom-logit|enable-force-include|stream|incremental|enable-cache-report|default-priority|post-processor|allow-request-chat|io-processor)/,
    harmless('what requests and answers look like'),
  ],
  [/^(?:served-model-name|weight-version|file-storage|model-checksum)/, harmless('a name')],
  [
    /^(?:log|disable-log|enable-log|max-log|uvicorn|show-|decode-log|crash|collect|otlp|enable-metrics|enable-request-time|bucket|prompt-tokens-buckets|generation-tokens-buckets|tokenizer-metrics|extra-metric|kv-cache-metrics|cudagraph-metrics|enable-mfu|enable-per-request|enable-server-load|enable-trace|trace|export-metrics|gc-warning|enable-layerwise|profiler|debug|dump|aggregate|jit-monitor|forward-pass|enable-forward-pass|print|return-perf|perf-metrics|prometheus|iter-stats|request-stats|enable-iter|max-stats|telemetry|disable-uvicorn|disable-access|fingerprint|load-snapshot|kv-events|enable-tokenizer-info|enable-energy)/,
    harmless('logs and metrics'),
  ],
  [
    /^(?:tokenizer|skip-tokenizer|detokenizer|revision|code-revision|hf-config-path|config-format|download-dir|load-format|model-loader|safetensors|ignore-patterns|use-tqdm|pt-load|max-parallel-loading|weight-loader|custom-weight-loader|startup-weight|trust-remote-code|allowed-(?:local|media)|seed|random-seed|model-impl|checkpoint-format|custom-tokenizer|custom-module|hf-|decrypted|skip-server-warmup|warmups|model-class|model-config-parser|media-io|allow-deprecated|postprocess|delete-ckpt|remote-instance)/,
    harmless('how the model is found and loaded'),
  ],
  [
    /^(?:node-rank|nnodes|master|dist-|nccl-port|data-parallel-(?:address|rpc|backend|size-local|start-rank|rank|hybrid|external|supervisor|multi)|dp-supervisor|distributed-(?:executor|timeout)|cpu-distributed|worker|ray-|use-ray|gpus-per-node|device-ids|base-gpu-id|gpu-id-step|numa|load-balance|disagg|device$|orchestrator|watchdog|soft-watchdog|shutdown|dynamic-batch-tokenizer|num-postprocess|input-processor|media-load|renderer|fail-)/,
    harmless('how processes find each other'),
  ],
  [
    /^(?:limit-mm-data|mm-hasher|mm-shm|enable-prompt-embeds|disable-cascade|batch-notify|sleep-on-idle|scheduler-recv|num-continuous|decode-|watermark|min-free|schedule-|scheduling-policy|retraction|enable-priority|disable-priority|abort-on-priority|priority-)/,
    uncounted('scheduling is modelled as the engine does it by default'),
  ],
  [
    /(?:backend|kernel|cutlass|deepgemm|flashinfer|fa3|triton|torch-compile|all-reduce|allreduce|symm-mem|nccl|mscclpp|fused|fusion|autotune|gemm|optimization-level|compilation|attention-config|enable-dbo|ubatch|performance-mode|cuda-graph|cudagraph|two-batch|single-batch|overlap|async-scheduling|p2p-check|deepep)/,
    uncounted("choice of kernels: speeds are those of the engine's own choice"),
  ],
  [/(?:eplb|expert|redundant|moe)/, uncounted('of how experts are placed and run, only their parallelism is modelled')],
  [
    /(?:offload|hicache|hierarchical|lmcache|kv-transfer|ec-transfer|disaggregation|host-cache|swap|flexkv)/,
    uncounted('a cache beyond the GPU is not modelled'),
  ],
  [/(?:mm-|multimodal|video|image|encoder)/, uncounted('the preparation of images and sounds is not modelled')],
  [/lora/, uncounted('adapters are modelled by their number, rank and modules')],
  [/(?:hf-overrides|json-model-override|model-kwargs|rope)/, uncounted("changes of the model's configuration are not modelled")],
]

/** What a flag is for. `row` names of the configuration file (`kv_cache_config.dtype`) are read the same way. */
export function purposeOf(name: string): Purpose {
  const plain = name.replace(/^--?(?:no-)?/, '').replaceAll('_', '-')
  return PURPOSES.find(([pattern]) => pattern.test(plain))?.[1] ?? uncounted('not modelled')
}

/** Flags whose values are secrets. */
export const isSecretFlag = (name: string): boolean => /^-{0,2}(?:hf[-_]token|(?:admin[-_])?api[-_]key|ssl[-_]keyfile[-_]password)$/.test(name)

/** Variables of the environment whose values are secrets, by their names. */
export const isSecretVariable = (name: string): boolean => /TOKEN|SECRET|PASSWORD|PASSWD|API_?KEY|ACCESS_?KEY|CREDENTIAL|AUTH/i.test(name)

const VARIABLES: [RegExp, Purpose][] = [
  [/^(?:CUDA|NVIDIA|HIP|ROCR|ZE|ASCEND_RT)_VISIBLE_DEVICES$/, uncounted('which GPUs serve: give them with --gpu or --machine')],
  [
    /^(?:HF_|HUGGING|TRANSFORMERS_|XDG_|HOME$|PATH$|LD_|TMPDIR|MODELSCOPE|VLLM_USE_MODELSCOPE|SGLANG_USE_MODELSCOPE|PYTHON|LOG|VLLM_LOGGING|VLLM_CONFIGURE_LOGGING|VLLM_NO_USAGE|DO_NOT_TRACK|VLLM_API_KEY|VLLM_HOST|VLLM_PORT|OMP_NUM|TOKENIZERS_|TZ$|LANG|LC_)/,
    harmless('how the model is found, and how the server runs'),
  ],
  [/^(?:NCCL|GLOO|UCX|TP_SOCKET|VLLM_HOST_IP|MASTER_)/, harmless('how processes find each other')],
  [/^VLLM_ALLOW_LONG_MAX_MODEL_LEN$|^SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN$|^TLLM_ALLOW_LONG/, harmless('allows a context longer than the model says')],
  [/^VLLM_USE_V1$/, uncounted('the answer is for the engine that the release starts by default')],
]

/** Beginnings of variables that engines, PyTorch and drivers read. */
const ENGINE_VARIABLE = /^(?:VLLM|SGLANG|SGL|TRTLLM|TLLM|TENSORRT|CUDA|PYTORCH|TORCH|HIP|ROCM|HSA|AITER|FLASHINFER|TRITON|DG|NVIDIA|GPU|RAY)_/

/** What a variable of the environment is for. */
export const purposeOfVariable = (name: string): Purpose =>
  VARIABLES.find(([pattern]) => pattern.test(name))?.[1] ??
  (ENGINE_VARIABLE.test(name) ? uncounted('not modelled') : harmless('not known to be read by the engine'))
