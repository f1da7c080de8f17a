cat > servefit-trtllm.yaml <<'END_OF_FILE'
enable_attention_dp: true # attention runs on 8 ranks, each with its own cache
enable_chunked_prefill: true # off by default: a prompt longer than the 8,192 tokens of a step would be refused
END_OF_FILE
trtllm-serve Qwen/Qwen3-235B-A22B-FP8 \
  --tp_size 8 \
  --ep_size 8 \
  --max_seq_len 32768 \
  --max_batch_size 256 \
  --reasoning_parser qwen3 \
  --tool_parser qwen3 \
  --config servefit-trtllm.yaml
