python3 -m sglang.launch_server \
  --model-path Qwen/Qwen3-8B \
  --context-length 100000 \
  --json-model-override-args '{"rope_scaling":{"rope_type":"yarn","factor":3.5,"original_max_position_embeddings":32768}}'
