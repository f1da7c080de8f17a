#!/bin/sh
# vLLM's own benchmark at the planned load; run it where vLLM is installed, in the container for one.
set -eu
vllm bench serve \
  --host 127.0.0.1 \
  --port 8000 \
  --model Qwen/Qwen3-32B \
  --dataset-name random \
  --random-input-len 1024 \
  --random-output-len 512 \
  --num-prompts 80 \
  --max-concurrency 8 \
  --ignore-eos \
  --percentile-metrics ttft,tpot,itl,e2el \
  --save-result \
  --result-filename benchmark.json
