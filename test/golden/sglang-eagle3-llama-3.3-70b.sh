sglang serve \
  --model-path meta-llama/Llama-3.3-70B-Instruct \
  --tp-size 4 \
  --speculative-algorithm EAGLE3 \
  --speculative-draft-model-path lmsys/SGLang-EAGLE3-Llama-3.3-70B-Instruct-SpecForge \
  --speculative-num-steps 3 \
  --speculative-eagle-topk 1 \
  --speculative-num-draft-tokens 4 \
  --tool-call-parser llama3
