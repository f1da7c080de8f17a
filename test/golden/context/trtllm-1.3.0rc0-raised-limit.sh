cat > servefit-trtllm.yaml <<'END_OF_FILE'
model_kwargs: # nothing is scaled: Nemotron 3 Super 120B A12B reads more than the 262,144 of its configuration
  max_position_embeddings: 500000
enable_chunked_prefill: true # off by default: a prompt longer than the 8,192 tokens of a step would be refused
END_OF_FILE
trtllm-serve nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-BF16 \
  --max_seq_len 500000 \
  --config servefit-trtllm.yaml
