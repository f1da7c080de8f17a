#!/bin/sh
# SGLang's own benchmark at the planned load; run it where SGLang is installed, in the container for one.
set -eu
rm -f benchmark.jsonl
python3 -m sglang.bench_serving \
  --backend sglang \
  --host 127.0.0.1 \
  --port 30000 \
  --model Qwen/Qwen3-32B \
  --dataset-name random-ids \
  --random-input-len 1024 \
  --random-output-len 512 \
  --random-range-ratio 1 \
  --num-prompts 80 \
  --max-concurrency 8 \
  --output-file benchmark.jsonl
