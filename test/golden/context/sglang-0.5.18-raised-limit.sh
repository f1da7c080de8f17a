sglang serve \
  --model-path tencent/Hunyuan-A13B-Instruct \
  --context-length 262144 \
  --json-model-override-args '{"max_position_embeddings":262144}'
