vllm serve openai/gpt-oss-120b \
  --enable-auto-tool-choice \
  --tool-call-parser openai \
  --host 127.0.0.1
