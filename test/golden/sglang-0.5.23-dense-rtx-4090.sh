sglang serve \
  --model-path Qwen/Qwen3-8B-AWQ \
  --context-length 16384 \
  --reasoning-parser qwen3 \
  --tool-call-parser qwen25
