SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN='1' \
sglang serve \
  --model-path Qwen/Qwen3-32B \
  --context-length 64000 \
  --json-model-override-args '{"rope_parameters":{"rope_type":"yarn","factor":2.0,"original_max_position_embeddings":32768,"rope_theta":1000000}}'
