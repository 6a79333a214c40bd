"""A chat model made here: a bigram model of English phrases, written as a Llama.

A bigram model knows how likely each token is after the one before it; with whole phrases as tokens
that is enough for sentences that can be read. A Llama computes exactly
that when its only block adds nothing, each token's embedding is its own axis, and the output
matrix holds log p(next | current): the residual stream still says which token was last.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from synapse_testbed.gguf import Tensor, Value, floats, write

NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6
# The turns of Ollama's `command-r` template, the built-in one that lets a model take tools.
BEGIN, END, TURN, TURN_END = "<s>", "</s>", "<|START_OF_TURN_TOKEN|>", "<|END_OF_TURN_TOKEN|>"
USER, CHATBOT, SYSTEM = "<|USER_TOKEN|>", "<|CHATBOT_TOKEN|>", "<|SYSTEM_TOKEN|>"
CONTROLS = (BEGIN, END, TURN, TURN_END, USER, CHATBOT, SYSTEM)
WORD_START = "\u2581"
SENTENCE_END = "."
STOP_CHANCE = 0.2
NEVER = -30.0
CONTEXT = 8192
HEAD_SIZE = 64
FEED_FORWARD = 32


def write_model(path: Path, text: str, chat_template: str) -> None:
    """Write the model of a text: one sentence a line, its phrases divided by `|`."""
    chances = chances_of(text)
    phrases = sorted(chances.keys() - set(CONTROLS))
    tokens = ["<unk>", *CONTROLS, *(f"<0x{byte:02X}>" for byte in range(256)), *phrases]
    kinds = [UNKNOWN] + [CONTROL] * len(CONTROLS) + [BYTE] * 256 + [NORMAL] * len(phrases)
    write(path, _values(tokens, kinds, chat_template), list(_tensors(tokens, chances)))


def chances_of(text: str) -> dict[str, dict[str, float]]:
    """Return p(next | current) of every phrase, and of the token that begins an answer."""
    starts: Counter[str] = Counter()
    follows: dict[str, Counter[str]] = defaultdict(Counter)
    for line in filter(None, text.splitlines()):
        phrases = ["".join(WORD_START + word for word in part.split()) for part in line.split("|")]
        starts[phrases[0]] += 1
        for current, following in pairwise([*phrases, SENTENCE_END]):
            follows[current][following] += 1
    chances = {
        phrase: {END: STOP_CHANCE} | _shares(starts, 1 - STOP_CHANCE)
        if SENTENCE_END in after
        else _shares(after, 1.0)
        for phrase, after in follows.items()
    }
    # What begins an answer has no space before it.
    chances |= {phrase.removeprefix(WORD_START): chances[phrase] for phrase in starts}
    beginnings = _shares(starts, 1.0).items()
    chances[CHATBOT] = {phrase.removeprefix(WORD_START): share for phrase, share in beginnings}
    return chances


def _shares(counts: Counter[str], whole: float) -> dict[str, float]:
    return {phrase: whole * count / counts.total() for phrase, count in counts.items()}


def _values(tokens: list[str], kinds: list[int], chat_template: str) -> dict[str, Value]:
    return {
        "general.architecture": "llama",
        "general.name": "bigrams of a home server",
        "llama.context_length": CONTEXT,
        "llama.embedding_length": len(tokens),
        "llama.block_count": 1,
        "llama.feed_forward_length": FEED_FORWARD,
        "llama.attention.head_count": 1,
        "llama.attention.head_count_kv": 1,
        "llama.attention.key_length": HEAD_SIZE,
        "llama.attention.value_length": HEAD_SIZE,
        "llama.attention.layer_norm_rms_epsilon": 1e-6,
        "llama.rope.dimension_count": HEAD_SIZE,
        "llama.vocab_size": len(tokens),
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.scores": [0.0] * len(tokens),
        "tokenizer.ggml.token_type": kinds,
        "tokenizer.ggml.bos_token_id": tokens.index(BEGIN),
        "tokenizer.ggml.eos_token_id": tokens.index(END),
        "tokenizer.ggml.unknown_token_id": 0,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.chat_template": chat_template,
    }


def _tensors(tokens: list[str], chances: dict[str, dict[str, float]]) -> Iterator[Tensor]:
    size = len(tokens)
    block = {
        "attn_q": (size, HEAD_SIZE),
        "attn_k": (size, HEAD_SIZE),
        "attn_v": (size, HEAD_SIZE),
        "attn_output": (HEAD_SIZE, size),
        "ffn_gate": (size, FEED_FORWARD),
        "ffn_up": (size, FEED_FORWARD),
        "ffn_down": (FEED_FORWARD, size),
    }
    axes = (float(row == column) for row in range(size) for column in range(size))
    yield Tensor("token_embd.weight", (size, size), floats(axes))
    for norm in ("blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"):
        yield Tensor(f"{norm}.weight", (size,), floats([1.0] * size))
    for name, shape in block.items():
        yield Tensor(f"blk.0.{name}.weight", shape, bytes(4 * math.prod(shape)))
    # The norm before the output makes an axis sqrt(size) long; the matrix takes that back.
    scale = 1 / math.sqrt(size)
    rows = (scale * _log_chance(chances, now, after) for after in tokens for now in tokens)
    yield Tensor("output.weight", (size, size), floats(rows))


def _log_chance(chances: dict[str, dict[str, float]], current: str, following: str) -> float:
    known = chances.get(current) or chances[CHATBOT]
    chance = known.get(following, 0.0)
    return math.log(chance) if chance else NEVER
