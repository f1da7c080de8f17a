SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN='1' \
sglang serve \
  --model-path Qwen/Qwen3-VL-8B-Instruct \
  --context-length 500000 \
  --json-model-override-args '{"text_config":{"rope_parameters":{"rope_type":"yarn","factor":2.0,"original_max_position_embeddings":262144,"rope_theta":5000000,"mrope_section":[24,20,20],"mrope_interleaved":true}}}'
