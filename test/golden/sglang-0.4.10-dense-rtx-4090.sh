python3 -m sglang.launch_server \
  --model-path Qwen/Qwen3-8B-AWQ \
  --context-length 8192 \
  --reasoning-parser qwen3 \
  --tool-call-parser qwen25
