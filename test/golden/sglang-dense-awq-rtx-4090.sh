sglang serve \
  --model-path Qwen/Qwen3-8B-AWQ \
  --context-length 16384 \
  --max-running-requests 16 \
  --kv-cache-dtype fp8_e4m3 \
  --reasoning-parser qwen3 \
  --tool-call-parser qwen25
