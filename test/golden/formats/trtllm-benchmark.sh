#!/bin/sh
# TensorRT-LLM's own benchmark at the planned load; run it where TensorRT-LLM is installed, in the container for one.
set -eu
python3 -m tensorrt_llm.serve.scripts.benchmark_serving \
  --host 127.0.0.1 \
  --port 8000 \
  --model Qwen/Qwen3-32B \
  --dataset-name random \
  --random-ids \
  --random-input-len 1024 \
  --random-output-len 512 \
  --num-prompts 80 \
  --max-concurrency 8 \
  --ignore-eos \
  --percentile-metrics ttft,tpot,itl,e2el \
  --save-result \
  --result-filename benchmark.json
