# If earlier containers wrote there as root, take the files over first: sudo chown -R "$(id -u)" ~/.cache/huggingface
mkdir -p "$HOME"/.cache/huggingface "$HOME"/.cache/vllm
docker run --detach \
  --name qwen3-8b \
  --restart unless-stopped \
  --gpus '"device=1"' \
  --user "$(id -u):0" \
  --env 'HOME=/home/vllm' \
  --env 'USER=vllm' \
  --ipc host \
  --security-opt no-new-privileges \
  --ulimit 'nofile=65535' \
  --stop-timeout 90 \
  --publish 127.0.0.1:8000:8000 \
  --env HF_TOKEN \
  --volume "$HOME"/.cache/huggingface:/home/vllm/.cache/huggingface \
  --volume "$HOME"/.cache/vllm:/home/vllm/.cache/vllm \
  --entrypoint vllm \
  vllm/vllm-openai:v0.33.0 serve Qwen/Qwen3-8B \
  --max-model-len 16384 \
  --reasoning-parser qwen3 \
  --enable-auto-tool-choice \
  --tool-call-parser hermes \
  --shutdown-timeout 60
