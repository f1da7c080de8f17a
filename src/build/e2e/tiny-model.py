"""Writes a model with random weights that answers at once: two layers of Qwen3, a tokenizer of single bytes."""

import sys

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

folder = sys.argv[1]
letters = sorted(pre_tokenizers.ByteLevel.alphabet())
# With what parsers of reasoning look for, so that configurations of other models can be read with it.
special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>", "[THINK]", "[/THINK]"]
tokenizer = Tokenizer(models.BPE(vocab={text: index for index, text in enumerate(letters + special)}, merges=[]))
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|endoftext|>", additional_special_tokens=special[1:2])
fast.chat_template = "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}<|im_start|>assistant\n"
fast.save_pretrained(folder)
torch.manual_seed(1)
config = Qwen3Config(
    vocab_size=len(letters) + len(special),
    hidden_size=256,
    intermediate_size=512,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    head_dim=64,
    max_position_embeddings=4096,
    tie_word_embeddings=False,
    dtype="bfloat16",
)
Qwen3ForCausalLM(config).to(torch.bfloat16).save_pretrained(folder)
