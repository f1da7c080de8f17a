vllm serve openai/gpt-oss-120b \
  --enable-auto-tool-choice \
  --tool-call-parser openai
