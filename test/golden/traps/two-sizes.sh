CUDA_DEVICE_ORDER='PCI_BUS_ID' \
CUDA_VISIBLE_DEVICES='1' \
vllm serve Qwen/Qwen3-8B \
  --max-model-len 16384 \
  --reasoning-parser qwen3 \
  --enable-auto-tool-choice \
  --tool-call-parser hermes \
  --host 127.0.0.1
