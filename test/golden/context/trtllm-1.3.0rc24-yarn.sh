cat > servefit-trtllm.yaml <<'END_OF_FILE'
model_kwargs: # YaRN stretches 32,768 tokens by 2, the least that covers 64,000 (its publisher goes to 4)
  rope_scaling:
    rope_type: yarn
    factor: 2
    original_max_position_embeddings: 32768
    rope_theta: 1000000
  max_position_embeddings: 64000
enable_chunked_prefill: true # off by default: a prompt longer than the 8,192 tokens of a step would be refused
END_OF_FILE
trtllm-serve Qwen/Qwen3-32B \
  --max_seq_len 64000 \
  --config servefit-trtllm.yaml
