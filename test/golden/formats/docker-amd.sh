docker run --detach \
  --name qwen3-32b \
  --restart unless-stopped \
  --device /dev/kfd \
  --device /dev/dri \
  --group-add video \
  --cap-add SYS_PTRACE \
  --security-opt 'seccomp=unconfined' \
  --ipc host \
  --security-opt no-new-privileges \
  --publish 127.0.0.1:8000:8000 \
  --env HF_TOKEN \
  --env 'HIP_VISIBLE_DEVICES=0,1' \
  --volume "$HOME/.cache/huggingface":/root/.cache/huggingface \
  --entrypoint vllm \
  vllm/vllm-openai-rocm:v0.28.0 serve Qwen/Qwen3-32B \
  --switch
