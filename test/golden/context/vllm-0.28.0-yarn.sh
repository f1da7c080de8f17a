vllm serve Qwen/Qwen3-32B \
  --max-model-len 64000 \
  --hf-overrides '{"rope_parameters":{"rope_type":"yarn","factor":2.0,"original_max_position_embeddings":32768,"rope_theta":1000000}}'
