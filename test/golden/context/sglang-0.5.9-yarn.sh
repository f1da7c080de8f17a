SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN='1' \
sglang serve \
  --model-path Qwen/Qwen3-Next-80B-A3B-Instruct \
  --context-length 1010000 \
  --json-model-override-args '{"rope_scaling":{"rope_type":"yarn","factor":4.0,"original_max_position_embeddings":262144}}'
