cat > servefit-trtllm.yaml <<'END_OF_FILE'
enable_chunked_prefill: true # off by default: a prompt longer than the 8,192 tokens of a step would be refused
moe_config:
  backend: TRITON # the backend with MXFP4 experts on Hopper
speculative_config:
  decoding_type: Eagle3 # 3 draft tokens a step
  max_draft_len: 3 # 3 draft tokens a step
  speculative_model: nvidia/gpt-oss-120b-Eagle3-v3 # the checkpoint that drafts
END_OF_FILE
trtllm-serve openai/gpt-oss-120b \
  --config servefit-trtllm.yaml
