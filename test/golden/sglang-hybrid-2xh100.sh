sglang serve \
  --model-path Qwen/Qwen3.5-27B \
  --tp-size 2 \
  --context-length 131072 \
  --max-running-requests 180 \
  --reasoning-parser qwen3 \
  --tool-call-parser qwen3_coder
