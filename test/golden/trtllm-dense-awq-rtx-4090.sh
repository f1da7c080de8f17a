cat > servefit-trtllm.yaml <<'END_OF_FILE'
enable_chunked_prefill: true # off by default: a prompt longer than the 8,192 tokens of a step would be refused
kv_cache_config:
  dtype: fp8 # the cache is kept as fp8
END_OF_FILE
trtllm-serve Qwen/Qwen3-8B-AWQ \
  --max_seq_len 16384 \
  --max_batch_size 16 \
  --kv_cache_free_gpu_memory_fraction 0.85 \
  --reasoning_parser qwen3 \
  --tool_parser qwen3 \
  --config servefit-trtllm.yaml
