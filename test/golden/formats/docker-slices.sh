# If earlier containers wrote there as root, take the files over first: sudo chown -R "$(id -u)" ~/.cache/huggingface
mkdir -p "$HOME"/.cache/huggingface "$HOME"/.cache/vllm
docker network inspect qwen3-32b > /dev/null 2>&1 || docker network create qwen3-32b
docker run --detach \
  --name qwen3-32b-0 \
  --restart unless-stopped \
  --gpus 'device='"${MIG_DEVICE_0:?the identity of a slice (MIG-...), as nvidia-smi -L prints it}" \
  --user "$(id -u):0" \
  --env 'HOME=/home/vllm' \
  --env 'USER=vllm' \
  --ipc host \
  --security-opt no-new-privileges \
  --ulimit 'nofile=65535' \
  --stop-timeout 90 \
  --network qwen3-32b \
  --env HF_TOKEN \
  --volume "$HOME"/.cache/huggingface:/home/vllm/.cache/huggingface \
  --volume "$HOME"/.cache/vllm:/home/vllm/.cache/vllm \
  --entrypoint vllm \
  vllm/vllm-openai:0.28.0 serve Qwen/Qwen3-32B \
  --switch
docker run --detach \
  --name qwen3-32b-1 \
  --restart unless-stopped \
  --gpus 'device='"${MIG_DEVICE_1:?the identity of a slice (MIG-...), as nvidia-smi -L prints it}" \
  --user "$(id -u):0" \
  --env 'HOME=/home/vllm' \
  --env 'USER=vllm' \
  --ipc host \
  --security-opt no-new-privileges \
  --ulimit 'nofile=65535' \
  --stop-timeout 90 \
  --network qwen3-32b \
  --env HF_TOKEN \
  --volume "$HOME"/.cache/huggingface:/home/vllm/.cache/huggingface \
  --volume "$HOME"/.cache/vllm:/home/vllm/.cache/vllm \
  --entrypoint vllm \
  vllm/vllm-openai:0.28.0 serve Qwen/Qwen3-32B \
  --switch
cat > router.conf.template <<'END_OF_FILE'
resolver ${NGINX_LOCAL_RESOLVERS} valid=5s;
upstream servers {
    zone servers 64k;
    least_conn;
    server qwen3-32b-0:8000 resolve max_fails=3 fail_timeout=15s;
    server qwen3-32b-1:8000 resolve max_fails=3 fail_timeout=15s;
}
server {
    listen 8000;
    # Prompts with images are large.
    client_max_body_size 512m;
    location / {
        proxy_pass http://servers;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $host;
        # Tokens pass as they come.
        proxy_buffering off;
        proxy_request_buffering off;
        proxy_read_timeout 3600s;
        proxy_send_timeout 3600s;
    }
    location = /health {
        proxy_pass http://servers;
        proxy_connect_timeout 5s;
        access_log off;
    }
}
END_OF_FILE
docker run --detach \
  --name qwen3-32b-router \
  --restart unless-stopped \
  --network qwen3-32b \
  --publish 127.0.0.1:8000:8000 \
  --security-opt no-new-privileges \
  --env 'NGINX_ENTRYPOINT_LOCAL_RESOLVERS=1' \
  --env 'NGINX_ENVSUBST_FILTER=NGINX_LOCAL_RESOLVERS|SERVERS' \
  --volume "$PWD"/router.conf.template:/etc/nginx/templates/default.conf.template:ro \
  nginxinc/nginx-unprivileged:1.28-alpine
