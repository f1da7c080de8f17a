vllm serve nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16 \
  --max-model-len 1000000 \
  --hf-overrides '{"max_position_embeddings":1000000}'
