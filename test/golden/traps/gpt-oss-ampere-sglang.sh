sglang serve \
  --model-path openai/gpt-oss-20b \
  --reasoning-parser gpt-oss \
  --tool-call-parser gpt-oss
