cat > servefit-trtllm.yaml <<'END_OF_FILE'
enable_attention_dp: true # attention runs on 8 ranks, each with its own cache
enable_chunked_prefill: true # off by default: a prompt longer than the 8,192 tokens of a step would be refused
kv_cache_config:
  dtype: fp8 # the cache is kept as fp8
  tokens_per_block: 128 # DeepSeek V4 Pro is run with it; 32 by default
speculative_config:
  decoding_type: MTP # 1 draft token a step
  max_draft_len: 1 # 1 draft token a step
END_OF_FILE
trtllm-serve deepseek-ai/DeepSeek-V4-Pro \
  --tp_size 8 \
  --ep_size 8 \
  --max_seq_len 262144 \
  --max_batch_size 256 \
  --trust_remote_code \
  --custom_tokenizer deepseek_v4 \
  --reasoning_parser deepseek_v4 \
  --tool_parser deepseek_v4 \
  --config servefit-trtllm.yaml
