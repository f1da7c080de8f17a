#!/bin/sh
# Answers once the model is loaded. BASE_URL: where the server is, if not here.
set -eu
base=${BASE_URL:-http://localhost:30000}
curl --fail --silent --show-error "$base/health"
curl --fail --silent --show-error "$base/v1/chat/completions" \
  --header 'Content-Type: application/json' \
  --data '{"model":"Qwen/Qwen3-32B","messages":[{"role":"user","content":"Say hello."}],"max_tokens":64}'
echo
