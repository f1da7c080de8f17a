sglang serve \
  --model-path Qwen/Qwen3-235B-A22B-FP8 \
  --tp-size 8 \
  --dp-size 8 \
  --enable-dp-attention \
  --ep-size 8 \
  --context-length 32768 \
  --mem-fraction-static 0.85 \
  --reasoning-parser qwen3 \
  --tool-call-parser qwen25
