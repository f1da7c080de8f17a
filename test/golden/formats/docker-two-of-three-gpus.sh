docker run --detach \
  --name qwen3-32b \
  --restart unless-stopped \
  --gpus '"device=0,2"' \
  --ipc host \
  --security-opt no-new-privileges \
  --ulimit 'memlock=-1' \
  --ulimit 'nofile=65535' \
  --stop-timeout 90 \
  --publish 127.0.0.1:8000:8000 \
  --env HF_TOKEN \
  --env 'VLLM_USE_V2_MODEL_RUNNER=1' \
  --volume "$HOME"/.cache/huggingface:/root/.cache/huggingface \
  --volume "$HOME"/.cache/vllm:/root/.cache/vllm \
  --entrypoint vllm \
  vllm/vllm-openai:0.28.0 serve Qwen/Qwen3-32B \
  --tensor-parallel-size 8
