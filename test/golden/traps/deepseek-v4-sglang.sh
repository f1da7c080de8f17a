sglang serve \
  --model-path deepseek-ai/DeepSeek-V4-Pro \
  --tp-size 8 \
  --trust-remote-code \
  --reasoning-parser deepseek-v4 \
  --tool-call-parser deepseekv4
