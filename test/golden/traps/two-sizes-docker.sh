docker run --detach \
  --name qwen3-8b \
  --restart unless-stopped \
  --gpus '"device=1"' \
  --ipc host \
  --security-opt no-new-privileges \
  --publish 127.0.0.1:8000:8000 \
  --env HF_TOKEN \
  --volume "$HOME/.cache/huggingface":/root/.cache/huggingface \
  --entrypoint vllm \
  vllm/vllm-openai:v0.33.0 serve Qwen/Qwen3-8B \
  --max-model-len 16384 \
  --reasoning-parser qwen3 \
  --enable-auto-tool-choice \
  --tool-call-parser hermes
