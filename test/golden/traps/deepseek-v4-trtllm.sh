cat > servefit-trtllm.yaml <<'END_OF_FILE'
enable_chunked_prefill: true # off by default: a prompt longer than the 8,192 tokens of a step would be refused
kv_cache_config:
  dtype: fp8 # the cache is kept as fp8
  tokens_per_block: 128 # DeepSeek V4 Pro is run with it; 32 by default
END_OF_FILE
trtllm-serve deepseek-ai/DeepSeek-V4-Pro \
  --tp_size 8 \
  --trust_remote_code \
  --custom_tokenizer deepseek_v4 \
  --reasoning_parser deepseek_v4 \
  --tool_parser deepseek_v4 \
  --config servefit-trtllm.yaml
