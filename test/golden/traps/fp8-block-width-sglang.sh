sglang serve \
  --model-path Qwen/Qwen3-235B-A22B-FP8 \
  --tp-size 8 \
  --ep-size 8 \
  --reasoning-parser qwen3 \
  --tool-call-parser qwen25
