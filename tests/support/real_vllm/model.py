"""A model that is small enough for any processor: two layers of Qwen3 with random weights."""

from __future__ import annotations

from pathlib import Path

from real_vllm.installation import Installation

REPOSITORY = Path(__file__).parents[3]
# What its vocabulary is learned from; the tokens of thoughts and calls are whole ones, as in Qwen3.
TEXTS = ("README.md", "docs/arbiter.md", "docs/architecture.md", "CHANGELOG.md")
MAKE = """
import json, sys
from pathlib import Path
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import Qwen3Config, Qwen3ForCausalLM

ends = sys.argv[1] == "ends"
folder, *texts = map(Path, sys.argv[2:])
folder.mkdir(parents=True, exist_ok=True)
tokenizer = Tokenizer(models.BPE())
tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
tokenizer.decoder = decoders.ByteLevel()
special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
letters = pre_tokenizers.ByteLevel.alphabet()
trainer = trainers.BpeTrainer(vocab_size=2000, special_tokens=special, initial_alphabet=letters)
tokenizer.train_from_iterator([text.read_text() for text in texts], trainer)
marks = ["<think>", "</think>", "<tool_call>", "</tool_call>", "<function=", "</function>",
         "<parameter=", "</parameter>"]
tokenizer.add_tokens([AddedToken(mark, special=False, normalized=False) for mark in marks])
tokenizer.save(str(folder / "tokenizer.json"))
template = (
    "{% if tools %}<|im_start|>system\\n{% for tool in tools %}{{ tool | tojson }}\\n{% endfor %}"
    "<|im_end|>\\n{% endif %}"
    "{% for message in messages %}<|im_start|>{{ message.role }}\\n{{ message.content }}"
    "{% for call in message.tool_calls or [] %}<tool_call>{{ call.function | tojson }}</tool_call>"
    "{% endfor %}<|im_end|>\\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\\n{% endif %}"
)
settings = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": None,
            "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "chat_template": template}
(folder / "tokenizer_config.json").write_text(json.dumps(settings))
torch.manual_seed(7)
words = -(-tokenizer.get_vocab_size() // 64) * 64
config = Qwen3Config(
    vocab_size=words, hidden_size=128, intermediate_size=256, num_hidden_layers=2,
    num_attention_heads=4, num_key_value_heads=2, head_dim=64, max_position_embeddings=16384,
    tie_word_embeddings=False, eos_token_id=2, pad_token_id=0, bos_token_id=None,
)
model = Qwen3ForCausalLM(config).to(torch.bfloat16)
with torch.no_grad():
    model.lm_head.weight.mul_(20)  # so that greedy answers do not hang on rounding
    if not ends:
        model.lm_head.weight[[0, 2]] = 0  # far below the likeliest
model.save_pretrained(folder)
sampling = {"eos_token_id": [2, 0], "pad_token_id": 0, "do_sample": True, "temperature": 0.7}
(folder / "generation_config.json").write_text(json.dumps(sampling))
"""
LIMIT_S = 300


def make_model(installation: Installation, folder: Path, cache: Path, *, ends: bool = True) -> Path:
    """Write the model into a folder and return the folder; one that never ends writes to its limit.

    Where random weights end an answer depends on the texts that the vocabulary is learned from.
    """
    texts = [str(REPOSITORY / text) for text in TEXTS]
    how = "ends" if ends else "goes on"
    installation.run(MAKE, how, str(folder), *texts, cache=cache, limit_s=LIMIT_S)
    return folder
