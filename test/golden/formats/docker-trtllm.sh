cat > servefit-trtllm.yaml <<'END_OF_FILE'
enable_chunked_prefill: true
kv_cache_config:
  dtype: fp8
END_OF_FILE
docker run --detach \
  --name qwen3-32b \
  --restart unless-stopped \
  --gpus all \
  --ipc host \
  --security-opt no-new-privileges \
  --ulimit 'memlock=-1' \
  --ulimit 'stack=67108864' \
  --ulimit 'nofile=65535' \
  --stop-timeout 90 \
  --publish 127.0.0.1:8000:8000 \
  --env HF_TOKEN \
  --volume "$HOME"/.cache/huggingface:/root/.cache/huggingface \
  --volume "$PWD"/servefit-trtllm.yaml:/etc/servefit/trtllm.yaml:ro \
  nvcr.io/nvidia/tensorrt-llm/release:1.3.0rc24 trtllm-serve Qwen/Qwen3-32B \
  --switch \
  --host 0.0.0.0 \
  --config /etc/servefit/trtllm.yaml
