vllm serve Qwen/Qwen3-235B-A22B-FP8 \
  --tensor-parallel-size 8 \
  --enable-expert-parallel \
  --reasoning-parser qwen3 \
  --enable-auto-tool-choice \
  --tool-call-parser hermes \
  --host 127.0.0.1
