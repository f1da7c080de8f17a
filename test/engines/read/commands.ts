/**
 * Launch commands in our own wording, after what is public: recipes, compose files, issues, start scripts. What a command asks for stands
 * beside it, read by hand. `flags` are all that it has, the model's own included.
 */
import type {CommandRequest} from '../../../src/engines/launch/read/reading.ts'

export interface Known {
  text: string
  /** Where such a command stands. */
  source: string
  gpu: string
  /** Release, instead of none. */
  version?: string
  flags: number
  asks: CommandRequest
}

export const COMMANDS: Known[] = [
  {text: 'vllm serve Qwen/Qwen3-8B', source: 'docs.vllm.ai quickstart', gpu: '1xrtx-4090', flags: 0, asks: {engine: 'vllm', model: 'Qwen/Qwen3-8B'}},
  {
    text: 'vllm serve openai/gpt-oss-120b --gpu-memory-utilization 0.95 --host 127.0.0.1 --max-num-seqs 256 --enable-chunked-prefill --port 8000',
    source: 'BjornWest/instance_scripts vllm_scripts/120b.sh',
    gpu: '1xh100-sxm',
    flags: 5,
    asks: {engine: 'vllm', model: 'openai/gpt-oss-120b', gpuMemoryUtilization: 0.95, maxNumSeqs: 256},
  },
  {
    text: 'vllm serve openai/gpt-oss-20b --gpu-memory-utilization 0.2 --host 127.0.0.1 --max-num-seqs 128 --enable-chunked-prefill --port 8001 --disable-log-requests',
    source: 'BjornWest/instance_scripts vllm_scripts/20b2.sh',
    gpu: '1xh100-sxm',
    version: '0.11.0',
    flags: 6,
    asks: {engine: 'vllm', model: 'openai/gpt-oss-20b', gpuMemoryUtilization: 0.2, maxNumSeqs: 128},
  },
  {
    text: 'docker run --rm --gpus all -v $PWD/.cache/huggingface:/root/.cache/huggingface -p 8000:8000 --ipc=host vllm/vllm-openai:v0.8.5.post1 --model deepseek-ai/DeepSeek-V3 --trust-remote-code --tensor-parallel-size 8',
    source: 'yandy/dockerapps vllm/run.ps1',
    gpu: '8xh200-sxm',
    flags: 3,
    asks: {engine: 'vllm', model: 'deepseek-ai/DeepSeek-V3', tp: 8},
  },
  {
    text: 'docker run -d --runtime nvidia --gpus all -v ~/.cache/huggingface:/root/.cache/huggingface -p 9898:8000 --ipc=host vllm/vllm-openai:latest --model Qwen/Qwen2.5-7B-Instruct --max_model_len 1024 --api-key "a secret" --gpu_memory_utilization 0.7',
    source: 'dagnaputra/nlp scripts/serve_7b_model.sh',
    gpu: '1xrtx-3090',
    flags: 4,
    asks: {engine: 'vllm', model: 'Qwen/Qwen2.5-7B-Instruct', maxModelLen: 1024, gpuMemoryUtilization: 0.7},
  },
  {
    text: `docker run -it --name vllm-server-0 --rm --gpus='"device=0"' --ipc=host --ulimit memlock=-1 --ulimit stack=67108864 -v $(pwd):/workspace -p 8000:8000 -e NCCL_P2P_DISABLE=1 -e NCCL_SHM_DISABLE=1 vllm/vllm-openai:v0.8.4 --model meta-llama/Llama-3.1-8B-Instruct --tool-call-parser hermes --enable-auto-tool-choice --quantization bitsandbytes --load-format bitsandbytes --gpu-memory-utilization 0.8 --port 8000 --max_model_len 2048`,
    source: 'zeuscsc/OpenReinforcedAgent start_vllm.sh',
    gpu: '1xrtx-4090',
    flags: 8,
    asks: {engine: 'vllm', model: 'meta-llama/Llama-3.1-8B-Instruct', weights: 'nf4', gpuMemoryUtilization: 0.8, maxModelLen: 2048},
  },
  {
    text: `vllm serve meta-llama/Llama-3.3-70B-Instruct --tensor-parallel-size 4 --speculative-config $'{"method": "eagle3",\n"num_speculative_tokens": 3, "model": "nvidia/Llama-3.3-70B-Instruct-Eagle3"}'`,
    source: 'vLLM docs/benchmarking/cli.md',
    gpu: '4xh100-sxm',
    flags: 2,
    asks: {
      engine: 'vllm',
      model: 'meta-llama/Llama-3.3-70B-Instruct',
      tp: 4,
      speculative: {method: 'eagle3', tokens: 3, draft: 'nvidia/Llama-3.3-70B-Instruct-Eagle3'},
    },
  },
  {
    text: `vllm serve meta-llama/Llama-3.1-8B-Instruct --speculative-config '{"method": "ngram", "num_speculative_tokens": 5, "prompt_lookup_max": 5, "prompt_lookup_min": 2}'`,
    source: 'vLLM docs/benchmarking/cli.md',
    gpu: '1xl40s',
    flags: 1,
    asks: {engine: 'vllm', model: 'meta-llama/Llama-3.1-8B-Instruct', speculative: {method: 'ngram', tokens: 5}},
  },
  {
    text: 'vllm serve meta-llama/Llama-3.1-8B-Instruct -O2 -cc.pass_config.fuse_allreduce_rms=False',
    source: 'vLLM docs/design/fusions.md',
    gpu: '1xh100-sxm',
    flags: 2,
    asks: {engine: 'vllm', model: 'meta-llama/Llama-3.1-8B-Instruct'},
  },
  {
    text: `vllm serve meta-llama/Llama-3.1-8B-Instruct --compilation-config '{"cudagraph_capture_sizes": [1, 2, 4, 8]}'`,
    source: 'vLLM docs/design/torch_compile.md',
    gpu: '1xh100-sxm',
    flags: 1,
    asks: {engine: 'vllm', model: 'meta-llama/Llama-3.1-8B-Instruct', graphs: {sizes: [1, 2, 4, 8]}},
  },
  {
    text: `vllm serve meta-llama/Llama-4-Scout-17B-16E-Instruct -tp 8 --limit-mm-per-prompt '{"image": 1}' --compilation-config '{"cudagraph_mm_encoder": true}'`,
    source: 'vLLM docs/design/cuda_graphs_multimodal.md',
    gpu: '8xh100-sxm',
    flags: 3,
    asks: {engine: 'vllm', model: 'meta-llama/Llama-4-Scout-17B-16E-Instruct', tp: 8, multimodal: {limits: {image: 1}}},
  },
  {
    text: 'vllm serve openai/gpt-oss-20b --enable-auto-tool-choice --tool-call-parser openai --reasoning-parser openai_gptoss',
    source: 'vLLM docs/benchmarking/cli.md',
    gpu: '1xrtx-4090',
    flags: 3,
    asks: {engine: 'vllm', model: 'openai/gpt-oss-20b'},
  },
  {
    text: `vllm serve nvidia/Qwen3.6-35B-A3B-NVFP4 --quantization modelopt --dtype bfloat16 --enable-prefix-caching --limit-mm-per-prompt '{"image": 2, "audio": 0}' --enable-chunked-prefill --max-model-len 65536`,
    source: 'noonghunna/club-3090 issue 612',
    gpu: '1xrtx-5090',
    version: '0.24.0',
    flags: 6,
    asks: {
      engine: 'vllm',
      model: 'nvidia/Qwen3.6-35B-A3B-NVFP4',
      weights: 'fp8',
      prefixCaching: true,
      multimodal: {limits: {image: 2, audio: 0}},
      maxModelLen: 65536,
    },
  },
  {
    text: 'NCCL_P2P_DISABLE=1 vllm serve Qwen/Qwen3-32B-AWQ --dtype float16 --disable-custom-all-reduce --tensor-parallel-size 2 --max-model-len 32768',
    source: 'noonghunna/club-3090 issue 642',
    gpu: '2xrtx-3090',
    flags: 4,
    asks: {engine: 'vllm', model: 'Qwen/Qwen3-32B-AWQ', tp: 2, maxModelLen: 32768},
  },
  {
    text: 'vllm serve RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic --enable-prefix-caching --block-size 128 --tensor-parallel-size 2',
    source: 'llm-d-planner empirical memory results',
    gpu: '2xh100-sxm',
    version: '0.11.0',
    flags: 3,
    asks: {engine: 'vllm', model: 'RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic', prefixCaching: true, blockTokens: 128, tp: 2},
  },
  {
    text: 'vllm serve mistralai/Mistral-Small-3.2-24B-Instruct-2506 --tokenizer-mode mistral --config-format mistral --load-format mistral --enable-prefix-caching',
    source: 'llm-d-planner empirical memory results',
    gpu: '1xh100-sxm',
    version: '0.11.0',
    flags: 4,
    asks: {engine: 'vllm', model: 'mistralai/Mistral-Small-3.2-24B-Instruct-2506', prefixCaching: true},
  },
  {
    text: `vllm serve nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-NVFP4 --limit-mm-per-prompt '{"image": 0, "audio": 0}' --moe-backend marlin --mamba-ssm-cache-dtype float32 --no-enable-prefix-caching --async-scheduling --max-model-len 131072`,
    source: 'djangodevreng/dgx-spark-benchmarks',
    gpu: '1xgb10',
    version: '0.19.1',
    flags: 6,
    asks: {
      engine: 'vllm',
      model: 'nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-NVFP4',
      multimodal: {limits: {image: 0, audio: 0}},
      stateFormat: 'fp32',
      prefixCaching: false,
      maxModelLen: 131072,
    },
  },
  {
    text: 'python3 -m vllm.entrypoints.openai.api_server --model Qwen/Qwen2.5-72B-Instruct-AWQ --tensor-parallel-size 2 --swap-space 16 --disable-log-requests --max-model-len 8k',
    source: 'Qwen documentation on deployment with vLLM',
    gpu: '2xl40s',
    version: '0.8.5',
    flags: 5,
    asks: {engine: 'vllm', model: 'Qwen/Qwen2.5-72B-Instruct-AWQ', tp: 2, maxModelLen: 8000},
  },
  {
    text: 'vllm serve deepseek-ai/DeepSeek-V3.1 --tensor-parallel-size 8 --enable-expert-parallel --tool-call-parser deepseek_v31 --enable-auto-tool-choice --max-model-len 64K',
    source: 'vllm-project/recipes DeepSeek-V3.1',
    gpu: '8xh200-sxm',
    version: '0.11.0',
    flags: 5,
    asks: {engine: 'vllm', model: 'deepseek-ai/DeepSeek-V3.1', tp: 8, ep: 8, maxModelLen: 65536},
  },
  {
    text: 'vllm serve deepseek-ai/DeepSeek-V3.2 --data-parallel-size 8 --enable-expert-parallel --max-num-seqs 256 --tokenizer-mode deepseek_v32',
    source: 'vllm-project/recipes DeepSeek-V3.2',
    gpu: '8xh200-sxm',
    flags: 4,
    asks: {engine: 'vllm', model: 'deepseek-ai/DeepSeek-V3.2', dp: 8, ep: 8, maxNumSeqs: 256},
  },
  {
    text: 'vllm serve deepseek-ai/DeepSeek-R1-0528 -tp 8 --decode-context-parallel-size 8 --gpu-memory-utilization 0.92',
    source: 'vLLM docs/serving/context_parallel_deployment.md',
    gpu: '8xh200-sxm',
    flags: 3,
    asks: {engine: 'vllm', model: 'deepseek-ai/DeepSeek-R1-0528', tp: 8, decodeContextParallel: 8, gpuMemoryUtilization: 0.92},
  },
  {
    text: `vllm serve Qwen/Qwen3.5-397B-A17B-FP8 --tensor-parallel-size 8 --language-model-only --reasoning-parser qwen3 --speculative-config.method mtp --speculative-config.num_speculative_tokens 1`,
    source: 'vllm-project/recipes Qwen3.5',
    gpu: '8xh200-sxm',
    flags: 4,
    asks: {engine: 'vllm', model: 'Qwen/Qwen3.5-397B-A17B-FP8', tp: 8, multimodal: {languageOnly: true}, speculative: {method: 'mtp', tokens: 1}},
  },
  {
    text: 'vllm serve Qwen/Qwen3.6-35B-A3B --tensor-parallel-size 2 --max-model-len 65536 --max-num-seqs 64 --max-num-batched-tokens 8192',
    source: 'vllm-project/recipes Qwen3.6',
    gpu: '2xh100-sxm',
    flags: 4,
    asks: {engine: 'vllm', model: 'Qwen/Qwen3.6-35B-A3B', tp: 2, maxModelLen: 65536, maxNumSeqs: 64, maxNumBatchedTokens: 8192},
  },
  {
    text: 'vllm serve google/gemma-3-27b-it --max-model-len 16384 --enforce-eager --kv-cache-dtype fp8_e4m3 --gpu_memory_utilization=0.95',
    source: 'vllm-project/vllm issues on Gemma 3',
    gpu: '1xa100-80gb-sxm',
    flags: 4,
    asks: {engine: 'vllm', model: 'google/gemma-3-27b-it', maxModelLen: 16384, enforceEager: true, kvCache: 'fp8', gpuMemoryUtilization: 0.95},
  },
  {
    text: 'vllm serve Qwen/Qwen3-32B --cpu-offload-gb 10 --max-model-len 4096 --max-cudagraph-capture-size 16',
    source: 'vllm-project/vllm issues on offloading',
    gpu: '1xa100-80gb-sxm',
    flags: 3,
    asks: {engine: 'vllm', model: 'Qwen/Qwen3-32B', cpuOffloadBytes: 10 * 2 ** 30, maxModelLen: 4096, graphs: {maxBatch: 16}},
  },
  {
    text: 'vllm serve Qwen/Qwen3-32B -tp 2 --enable-lora --max-loras 8 --max-lora-rank 256 --lora-modules sql=org/sql-lora',
    source: 'vllm-project/vllm issue 17822',
    gpu: '2xa100-80gb-sxm',
    flags: 5,
    asks: {engine: 'vllm', model: 'Qwen/Qwen3-32B', tp: 2, lora: {count: 8, maxRank: 256}},
  },
  {
    text: 'vllm serve Qwen/Qwen3-Embedding-0.6B --runner pooling --gpu-memory-utilization 0.25 --max-model-len 8192',
    source: 'xorbitsai/inference issue 4077',
    gpu: '1xrtx-4090',
    flags: 3,
    asks: {engine: 'vllm', model: 'Qwen/Qwen3-Embedding-0.6B', runner: 'pooling', gpuMemoryUtilization: 0.25, maxModelLen: 8192},
  },
  {
    text: 'vllm serve meta-llama/Llama-3.1-70B-Instruct --quantization fp8 --kv-cache-memory-bytes 20G --tensor-parallel-size 2',
    source: 'vLLM docs/configuration/conserving_memory.md',
    gpu: '2xh100-sxm',
    flags: 3,
    asks: {engine: 'vllm', model: 'meta-llama/Llama-3.1-70B-Instruct', weights: 'fp8', kvCacheBytes: 20 * 2 ** 30, tp: 2},
  },
  {
    text: 'vllm serve Qwen/Qwen3-4B --num-gpu-blocks-override 4096 --seed 7 --served-model-name small tiny',
    source: 'vLLM tests and issues on preemption',
    gpu: '1xrtx-4090',
    flags: 3,
    asks: {engine: 'vllm', model: 'Qwen/Qwen3-4B', kvCacheBlocks: 4096},
  },
  {
    text: 'VLLM_USE_V1=1 CUDA_VISIBLE_DEVICES=0,1 nohup vllm serve Qwen/Qwen3-30B-A3B -tp 2 --port 9000 > server.log 2>&1 &',
    source: 'start scripts in public repositories',
    gpu: '2xrtx-4090',
    flags: 2,
    asks: {engine: 'vllm', model: 'Qwen/Qwen3-30B-A3B', tp: 2},
  },
  {
    text: 'vllm serve moonshotai/Kimi-K2-Instruct --pipeline-parallel-size 2 --tensor-parallel-size 8 --nnodes 2 --node-rank 0 --master-addr 10.0.0.1 --trust-remote-code',
    source: 'vLLM docs/serving/parallelism_scaling.md',
    gpu: '8xh200-sxm',
    flags: 6,
    asks: {engine: 'vllm', model: 'moonshotai/Kimi-K2-Instruct', pp: 2, tp: 8, nodes: 2},
  },
  {
    text: 'bash -c "vllm serve Qwen/Qwen3-14B-AWQ --max-model-len 16384 --gpu-memory-utilization 0.9"',
    source: 'compose files in public repositories',
    gpu: '1xrtx-4090',
    flags: 2,
    asks: {engine: 'vllm', model: 'Qwen/Qwen3-14B-AWQ', maxModelLen: 16384, gpuMemoryUtilization: 0.9},
  },
  {
    text: 'sudo docker run --gpus all --shm-size 16g -e HF_TOKEN=hf_x -p 8000:8000 vllm/vllm-openai:v0.12.0 Qwen/Qwen3-VL-8B-Instruct --max-model-len 32768 --limit-mm-per-prompt.video 0 --mm-processor-cache-gb 0',
    source: 'vllm-project/recipes Qwen3-VL',
    gpu: '1xl40s',
    flags: 3,
    asks: {engine: 'vllm', model: 'Qwen/Qwen3-VL-8B-Instruct', maxModelLen: 32768, multimodal: {limits: {video: 0}}},
  },
  {
    text: 'vllm serve openai/gpt-oss-120b --tensor-parallel-size 2 --async-scheduling --max-cudagraph-capture-size 2048 --stream-interval 20 --max-num-batched-tokens 8192 --kv-cache-dtype fp8',
    source: 'SemiAnalysisAI/InferenceX gptoss scripts',
    gpu: '2xb200-sxm',
    flags: 6,
    asks: {engine: 'vllm', model: 'openai/gpt-oss-120b', tp: 2, graphs: {maxBatch: 2048}, maxNumBatchedTokens: 8192, kvCache: 'fp8'},
  },
  {
    text: 'vllm serve MiniMaxAI/MiniMax-M2 --tensor-parallel-size 4 --enable-expert-parallel --tool-call-parser minimax_m2 --reasoning-parser minimax_m2_append_think --enable-auto-tool-choice',
    source: 'vllm-project/recipes MiniMax-M2',
    gpu: '4xh200-sxm',
    flags: 5,
    asks: {engine: 'vllm', model: 'MiniMaxAI/MiniMax-M2', tp: 4, ep: 4},
  },
  {
    text: 'vllm serve Qwen/Qwen3-32B --max-model-len auto --gpu-memory-utilization 0.95',
    source: 'vLLM docs on --max-model-len',
    gpu: '1xa100-80gb-sxm',
    flags: 2,
    asks: {engine: 'vllm', model: 'Qwen/Qwen3-32B', gpuMemoryUtilization: 0.95},
  },
  {
    text: 'sglang serve --model-path Qwen/Qwen3-8B',
    source: 'docs.sglang.ai quickstart',
    gpu: '1xrtx-4090',
    flags: 1,
    asks: {engine: 'sglang', model: 'Qwen/Qwen3-8B'},
  },
  {
    text: 'python3 -m sglang.launch_server --model deepseek-ai/DeepSeek-R1-0528 --cuda-graph-max-bs=8 --tp 8 --chunked-prefill-size=131072 --num-continuous-decode-steps=4 --max-prefill-tokens=131072 --kv-cache-dtype fp8_e4m3 --attention-backend aiter --disable-radix-cache --mem-fraction-static=0.8 --load-format dummy',
    source: 'benenzhu/sglang_P run_server.sh',
    gpu: '8xmi300x',
    version: '0.5.18',
    flags: 11,
    asks: {
      engine: 'sglang',
      model: 'deepseek-ai/DeepSeek-R1-0528',
      graphs: {maxBatch: 8},
      tp: 8,
      maxNumBatchedTokens: 131072,
      kvCache: 'fp8',
      prefixCaching: false,
      gpuMemoryUtilization: 0.8,
    },
  },
  {
    text: 'python -m sglang.launch_server --served-model-name=ds-v3 --model-path=deepseek-ai/DeepSeek-V3-0324 --enable-p2p-check --trust-remote-code --host=0.0.0.0 --port=28001 --mem-fraction-static=0.9 --random-seed=446369220 --tp=8 --max-total-tokens=65000 --max-running-requests=64',
    source: 'tutu329/server-install ds-v3-671b-8.sh',
    gpu: '8xh20-141gb',
    flags: 11,
    asks: {engine: 'sglang', model: 'deepseek-ai/DeepSeek-V3-0324', gpuMemoryUtilization: 0.9, tp: 8, kvCacheTokens: 65000, maxNumSeqs: 64},
  },
  {
    text: 'SGLANG_USE_AITER=1 python3 -m sglang.launch_server --model-path deepseek-ai/DeepSeek-R1 --port 30000 --host 0.0.0.0 --served-model-name deepseek-r1 --tp-size 8 --trust-remote-code --chunked-prefill-size 130172 --max-running-requests 128 --mem-fraction-static 0.85',
    source: 'public start script for MI300X',
    gpu: '8xmi300x',
    flags: 9,
    asks: {engine: 'sglang', model: 'deepseek-ai/DeepSeek-R1', tp: 8, maxNumBatchedTokens: 130172, maxNumSeqs: 128, gpuMemoryUtilization: 0.85},
  },
  {
    text: 'python3 -m sglang.launch_server --model deepseek-ai/DeepSeek-V3.2 --tp 8 --dp 8 --enable-dp-attention --mem-fraction 0.85',
    source: 'SGLang cookbook DeepSeek-V3.2',
    gpu: '8xh200-sxm',
    flags: 5,
    asks: {engine: 'sglang', model: 'deepseek-ai/DeepSeek-V3.2', tp: 8, dp: 8, dpAttention: true, gpuMemoryUtilization: 0.85},
  },
  {
    text: 'python3 -m sglang.launch_server --model-path deepseek-ai/DeepSeek-V3 --speculative-algorithm EAGLE --speculative-num-steps 3 --speculative-eagle-topk 1 --speculative-num-draft-tokens 4 --tp 8 --trust-remote-code',
    source: 'SGLang documentation, DeepSeek usage',
    gpu: '8xh200-sxm',
    flags: 7,
    asks: {engine: 'sglang', model: 'deepseek-ai/DeepSeek-V3', speculative: {method: 'mtp', tokens: 3}, tp: 8},
  },
  {
    text: 'python3 -m sglang.launch_server --model meta-llama/Llama-3.1-8B-Instruct --speculative-algorithm EAGLE3 --speculative-draft-model-path jamesliu1/sglang-EAGLE3-Llama-3.1-Instruct-8B --speculative-num-steps 5 --speculative-eagle-topk 1 --speculative-num-draft-tokens 6 --mem-fraction 0.7',
    source: 'SGLang documentation, speculative decoding',
    gpu: '1xh100-sxm',
    flags: 7,
    asks: {
      engine: 'sglang',
      model: 'meta-llama/Llama-3.1-8B-Instruct',
      speculative: {method: 'eagle3', tokens: 5, draft: 'jamesliu1/sglang-EAGLE3-Llama-3.1-Instruct-8B'},
      gpuMemoryUtilization: 0.7,
    },
  },
  {
    text: 'docker run --gpus all --shm-size 32g -p 30000:30000 -v ~/.cache/huggingface:/root/.cache/huggingface --env "HF_TOKEN=x" --ipc=host lmsysorg/sglang:v0.5.5.post1-cu129-amd64 python3 -m sglang.launch_server --model-path meta-llama/Llama-3.1-8B-Instruct --host 0.0.0.0 --port 30000',
    source: 'SGLang documentation, install with docker',
    gpu: '1xrtx-4090',
    flags: 3,
    asks: {engine: 'sglang', model: 'meta-llama/Llama-3.1-8B-Instruct'},
  },
  {
    text: 'python3 -m sglang.launch_server --model-path Qwen/Qwen3-Next-80B-A3B-Instruct --tp 4 --mamba-full-memory-ratio 2.0 --mamba-ssm-dtype bfloat16 --max-mamba-cache-size 200',
    source: 'SGLang issues on Qwen3-Next',
    gpu: '4xh100-sxm',
    flags: 5,
    asks: {engine: 'sglang', model: 'Qwen/Qwen3-Next-80B-A3B-Instruct', tp: 4, statePoolRatio: 2, stateFormat: 'bf16', stateSlots: 200},
  },
  {
    text: 'sglang serve --model-path openai/gpt-oss-120b --tp-size 4 --swa-full-tokens-ratio 0.5 --max-queued-requests 32 --context-length 65536',
    source: 'SGLang cookbook gpt-oss',
    gpu: '4xh100-sxm',
    flags: 5,
    asks: {engine: 'sglang', model: 'openai/gpt-oss-120b', tp: 4, windowPoolRatio: 0.5, admission: {maxQueuedRequests: 32}, maxModelLen: 65536},
  },
  {
    text: 'python3 -m sglang.launch_server --model-path Qwen/Qwen3-32B --disable-cuda-graph --cpu-offload-gb 8 --page-size 64 --log-level warning --enable-metrics',
    source: 'SGLang issues on memory',
    gpu: '1xa100-80gb-sxm',
    version: '0.5.3',
    flags: 6,
    asks: {engine: 'sglang', model: 'Qwen/Qwen3-32B', enforceEager: true, cpuOffloadBytes: 8 * 2 ** 30, blockTokens: 64},
  },
  {
    text: 'sglang serve --model-path Qwen/Qwen3-32B --cuda-graph-bs 1 2 4 8 16 --tp 2 --served-model-name q',
    source: 'SGLang issues on graphs',
    gpu: '2xrtx-4090',
    version: '0.5.18',
    flags: 4,
    asks: {engine: 'sglang', model: 'Qwen/Qwen3-32B', graphs: {sizes: [1, 2, 4, 8, 16]}, tp: 2},
  },
  {
    text: 'python3 -m sglang.launch_server --model-path Qwen/Qwen3-235B-A22B-FP8 --tp 8 --ep-size 8 --enable-eplb --moe-a2a-backend deepep',
    source: 'SGLang blog on expert parallelism',
    gpu: '8xh200-sxm',
    flags: 5,
    asks: {engine: 'sglang', model: 'Qwen/Qwen3-235B-A22B-FP8', tp: 8, ep: 8},
  },
  {
    text: 'sglang serve --model-path Qwen/Qwen3-Embedding-0.6B --is-embedding --mem-fraction-static 0.3',
    source: 'SGLang documentation, embedding models',
    gpu: '1xrtx-4090',
    flags: 3,
    asks: {engine: 'sglang', model: 'Qwen/Qwen3-Embedding-0.6B', runner: 'pooling', gpuMemoryUtilization: 0.3},
  },
  {
    text: 'sglang serve Qwen/Qwen3-8B --enable-lora --max-loras-per-batch 4 --max-lora-rank 32 --lora-target-modules q_proj v_proj',
    source: 'SGLang documentation, LoRA serving',
    gpu: '1xrtx-4090',
    flags: 4,
    asks: {engine: 'sglang', model: 'Qwen/Qwen3-8B', lora: {count: 4, maxRank: 32, targets: ['q_proj', 'v_proj']}},
  },
  {
    text: 'python3 -m sglang.launch_server --model-path deepseek-ai/DeepSeek-V3.1 --tp 16 --dist-init-addr 10.0.0.1:5000 --nnodes 2 --node-rank 0 --trust-remote-code',
    source: 'SGLang documentation, multi-node',
    gpu: '8xh100-sxm',
    flags: 6,
    asks: {engine: 'sglang', model: 'deepseek-ai/DeepSeek-V3.1', tp: 16, nodes: 2},
  },
  {
    text: 'trtllm-serve meta-llama/Llama-3.1-8B-Instruct',
    source: 'TensorRT-LLM quick start',
    gpu: '1xh100-sxm',
    flags: 0,
    asks: {engine: 'trtllm', model: 'meta-llama/Llama-3.1-8B-Instruct'},
  },
  {
    text: 'trtllm-serve deepseek-ai/DeepSeek-R1 --host localhost --port 8000 --backend pytorch --max_batch_size 161 --max_num_tokens 1160 --tp_size 8 --ep_size 8 --pp_size 1 --kv_cache_free_gpu_memory_fraction 0.95 --reasoning_parser deepseek-r1',
    source: 'TensorRT-LLM examples of trtllm-serve',
    gpu: '8xb200-sxm',
    flags: 10,
    asks: {engine: 'trtllm', model: 'deepseek-ai/DeepSeek-R1', maxNumSeqs: 161, maxNumBatchedTokens: 1160, tp: 8, ep: 8, pp: 1, gpuMemoryUtilization: 0.95},
  },
  {
    text: `cat > extra.yml <<EOF
cuda_graph_config:
    enable_padding: true
    max_batch_size: 512
enable_attention_dp: true
kv_cache_config:
    dtype: fp8
    free_gpu_memory_fraction: 0.8
stream_interval: 10
moe_config:
    backend: DEEPGEMM
EOF
trtllm-serve deepseek-ai/DeepSeek-R1 --host localhost --port 8000 --trust_remote_code --max_batch_size 1024 --max_num_tokens 8192 --tp_size 8 --ep_size 8 --pp_size 1 --extra_llm_api_options extra.yml --reasoning_parser deepseek-r1`,
    source: 'TensorRT-LLM examples of trtllm-serve',
    gpu: '8xh200-sxm',
    flags: 17,
    asks: {
      engine: 'trtllm',
      model: 'deepseek-ai/DeepSeek-R1',
      graphs: {maxBatch: 512},
      dpAttention: true,
      kvCache: 'fp8',
      gpuMemoryUtilization: 0.8,
      maxNumSeqs: 1024,
      maxNumBatchedTokens: 8192,
      tp: 8,
      ep: 8,
      pp: 1,
    },
  },
  {
    text: 'trtllm-serve nvidia/DeepSeek-R1-FP4 --host 0.0.0.0 --port 26666 --backend pytorch --tp_size 8 --ep_size 2 --trust_remote_code --kv_cache_free_gpu_memory_fraction 0.7',
    source: 'phatvo9/benchmark_gpu deepseek-r1 mtp',
    gpu: '8xb200-sxm',
    flags: 7,
    asks: {engine: 'trtllm', model: 'nvidia/DeepSeek-R1-FP4', tp: 8, ep: 2, gpuMemoryUtilization: 0.7},
  },
  {
    text: `MODEL=deepseek-ai/DeepSeek-V3.1
TP=8
trtllm-serve serve $MODEL --host 0.0.0.0 --port 6000 --backend pytorch --tp_size $TP --ep_size $TP --max_seq_len 49152 --max_num_tokens 24576 --max_batch_size 16 --kv_cache_free_gpu_memory_fraction 0.8`,
    source: 'FlexKV start scripts for trtllm-serve',
    gpu: '8xh200-sxm',
    flags: 9,
    asks: {
      engine: 'trtllm',
      model: 'deepseek-ai/DeepSeek-V3.1',
      tp: 8,
      ep: 8,
      maxModelLen: 49152,
      maxNumBatchedTokens: 24576,
      maxNumSeqs: 16,
      gpuMemoryUtilization: 0.8,
    },
  },
  {
    text: 'docker run --rm --ipc host --gpus all --ulimit memlock=-1 -p 8000:8000 nvcr.io/nvidia/tensorrt-llm/release:1.2.0 trtllm-serve Qwen/Qwen3-8B --max_seq_len 8192',
    source: 'TensorRT-LLM release notes and quick start',
    gpu: '1xl40s',
    flags: 1,
    asks: {engine: 'trtllm', model: 'Qwen/Qwen3-8B', maxModelLen: 8192},
  },
  {
    text: 'trtllm-serve openai/gpt-oss-120b --tp_size 4 --ep_size 4 --max_batch_size 640 --trust_remote_code --kv_cache_free_gpu_memory_fraction 0.9',
    source: 'TensorRT-LLM deployment guide for gpt-oss',
    gpu: '4xb200-sxm',
    flags: 5,
    asks: {engine: 'trtllm', model: 'openai/gpt-oss-120b', tp: 4, ep: 4, maxNumSeqs: 640, gpuMemoryUtilization: 0.9},
  },
  {
    text: `cat > mtp.yaml <<'END'
speculative_config:
  decoding_type: MTP
  max_draft_len: 3
kv_cache_config: {enable_block_reuse: false, tokens_per_block: 64}
cuda_graph_config: null
END
trtllm-serve deepseek-ai/DeepSeek-V3-0324 --tp_size 8 --config mtp.yaml`,
    source: 'TensorRT-LLM blog on DeepSeek-R1 with MTP',
    gpu: '8xb200-sxm',
    flags: 7,
    asks: {
      engine: 'trtllm',
      model: 'deepseek-ai/DeepSeek-V3-0324',
      tp: 8,
      speculative: {method: 'mtp', tokens: 3},
      prefixCaching: false,
      blockTokens: 64,
      enforceEager: true,
    },
  },
  {
    text: 'mpirun -n 8 --allow-run-as-root trtllm-llmapi-launch trtllm-serve nvidia/Llama-3.3-70B-Instruct-FP8 --tp_size 8 --max_batch_size 64 --enable_chunked_prefill',
    source: 'TensorRT-LLM documentation, multi-node',
    gpu: '8xh100-sxm',
    flags: 3,
    asks: {engine: 'trtllm', model: 'nvidia/Llama-3.3-70B-Instruct-FP8', tp: 8, maxNumSeqs: 64},
  },
]
