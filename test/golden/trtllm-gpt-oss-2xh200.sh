cat > servefit-trtllm.yaml <<'END_OF_FILE'
enable_chunked_prefill: true # off by default: a prompt longer than the 8,192 tokens of a step would be refused
cuda_graph_config: null # no CUDA graphs: their memory goes to the cache
moe_config:
  backend: TRITON # the backend with MXFP4 experts on Hopper
END_OF_FILE
trtllm-serve openai/gpt-oss-120b \
  --tp_size 2 \
  --config servefit-trtllm.yaml
