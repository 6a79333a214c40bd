"""A tiny but valid Whisper for the real faster-whisper: it hears nothing that makes sense."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from ctranslate2.specs import attention_spec, common_spec, transformer_spec, whisper_spec
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

WIDTH, LAYERS, HEADS = 16, 1, 1
MELS, FRAMES, LONGEST_TEXT = 80, 1500, 448
TIMES = 1501
"""Marks of 0.02 s in 30 s."""
SPECIAL = (
    "endoftext", "startoftranscript", "en", "translate", "transcribe", "startoflm", "startofprev",
    "nospeech", "notimestamps",
)  # fmt: skip
CARD = "---\nlibrary_name: ctranslate2\ntags: [automatic-speech-recognition]\n---\n"


def make(folder: Path) -> None:
    """Write the files that a repository of such a model has."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    spec = _spec(tokenizer.get_vocab_size())
    spec.register_vocabulary([tokenizer.id_to_token(i) for i in range(tokenizer.get_vocab_size())])
    spec.config.suppress_ids, spec.config.suppress_ids_begin = [], []
    spec.config.alignment_heads = [[LAYERS - 1, 0]]
    spec.config.lang_ids = [tokenizer.token_to_id("<|en|>")]
    spec.validate()
    spec.save(str(folder))
    (folder / "README.md").write_text(CARD)
    (folder / "preprocessor_config.json").write_text(json.dumps({"feature_size": MELS}))


def _tokenizer() -> Tokenizer:
    """Return one that knows bytes, Whisper's special words and its marks of time."""
    vocabulary = {byte: number for number, byte in enumerate(pre_tokenizers.ByteLevel.alphabet())}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(f"<|{word}|>", special=True) for word in SPECIAL])
    made.add_tokens([AddedToken(f"<|{mark * 0.02:.2f}|>") for mark in range(TIMES)])
    return made


def _spec(words: int) -> whisper_spec.WhisperSpec:
    """Return the network with weights by chance, always the same ones."""
    dice = np.random.default_rng(seed=0)

    def weights(*shape: int) -> NDArray[np.float32]:
        return (dice.standard_normal(shape) * 0.05).astype(np.float32)

    def linear(layer: common_spec.LinearSpec | common_spec.Conv1DSpec, *shape: int) -> None:
        layer.weight, layer.bias = weights(*shape), np.zeros(shape[0], np.float32)

    def norm(layer: common_spec.LayerNormSpec) -> None:
        layer.gamma, layer.beta = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)

    def attention(layer: attention_spec.MultiHeadAttentionSpec, *parts: int) -> None:
        norm(layer.layer_norm)
        for number, part in enumerate(parts):
            linear(layer.linear[number], part * WIDTH, WIDTH)

    def feed_forward(layer: transformer_spec.FeedForwardSpec) -> None:
        norm(layer.layer_norm)
        linear(layer.linear_0, 4 * WIDTH, WIDTH)
        linear(layer.linear_1, WIDTH, 4 * WIDTH)

    spec = whisper_spec.WhisperSpec(LAYERS, HEADS, LAYERS, HEADS)
    encoder, decoder = spec.encoder, spec.decoder
    linear(encoder.conv1, WIDTH, MELS, 3)
    linear(encoder.conv2, WIDTH, WIDTH, 3)
    encoder.position_encodings.encodings = weights(FRAMES, WIDTH)
    decoder.embeddings.weight = decoder.projection.weight = weights(words, WIDTH)
    decoder.position_encodings.encodings = weights(LONGEST_TEXT, WIDTH)
    for part in (encoder, decoder):
        norm(part.layer_norm)
        for layer in part.layer:
            attention(layer.self_attention, 3, 1)
            feed_forward(layer.ffn)
    for layer in decoder.layer:
        attention(layer.attention, 1, 2, 1)
    return spec
