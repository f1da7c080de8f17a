#!/bin/sh
# Waits until the model is loaded, then asks once.
# BASE_URL: where the server is, if not here. WAIT_SECONDS: how long to wait; default 2580: half an hour to compile and tune, 650 s to download 65 GB at 100 MB/s, 130 s to read them at 500 MB/s.
set -eu
base=${BASE_URL:-http://127.0.0.1:8000}
limit=${WAIT_SECONDS:-2580}
end=$(($(date +%s) + limit))
until curl --fail --silent --max-time 5 --output /dev/null "$base/health"; do
  if [ "$(date +%s)" -ge "$end" ]; then
    echo "no answer from $base/health in $limit seconds: the server's log says why" >&2
    exit 1
  fi
  sleep 5
done
curl --fail --silent --show-error "$base/v1/chat/completions" \
  --header 'Content-Type: application/json' \
  --data '{"model":"Qwen/Qwen3-32B","messages":[{"role":"user","content":"Say hello."}],"max_tokens":64}'
echo
