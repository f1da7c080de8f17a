vllm serve Qwen/Qwen3-8B-AWQ \
  --max-model-len 8192 \
  --enforce-eager \
  --reasoning-parser qwen3 \
  --enable-auto-tool-choice \
  --tool-call-parser hermes
