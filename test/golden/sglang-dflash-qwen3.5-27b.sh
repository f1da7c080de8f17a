sglang serve \
  --model-path Qwen/Qwen3.5-27B \
  --tp-size 2 \
  --max-running-requests 9 \
  --mem-fraction-static 0.7657 \
  --speculative-algorithm DFLASH \
  --speculative-draft-model-path z-lab/Qwen3.5-27B-DFlash \
  --speculative-num-draft-tokens 16 \
  --reasoning-parser qwen3 \
  --tool-call-parser qwen3_coder
