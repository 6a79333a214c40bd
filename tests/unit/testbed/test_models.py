"""The model writers make the same file every time, and what they write can be read back."""

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from synapse_testbed import bigram, gguf, minilm, models

SENTENCES = "The cat | sleeps.\nThe server | hums | and waits.\n"


@pytest.mark.parametrize("seed", ["1", "2"])
def test_chat_model_is_the_same_file_in_every_process(tmp_path: Path, seed: str) -> None:
    here, elsewhere = tmp_path / "here.gguf", tmp_path / "elsewhere.gguf"
    bigram.write_model(here, SENTENCES, "template")
    program = "import sys, pathlib, synapse_testbed.bigram as b; "
    program += "b.write_model(pathlib.Path(sys.argv[1]), sys.argv[2], 'template')"
    env = os.environ | {"PYTHONHASHSEED": seed}
    subprocess.run([sys.executable, "-c", program, str(elsewhere), SENTENCES], env=env, check=True)
    assert here.read_bytes() == elsewhere.read_bytes()


def test_chances_of_the_next_phrase_sum_to_one() -> None:
    chances = bigram.chances_of(models.TEXT.read_text())
    for phrase, after in chances.items():
        assert sum(after.values()) == pytest.approx(1.0), phrase
        assert after.keys() <= chances.keys() | {bigram.END}


def test_an_answer_is_whole_sentences_and_can_end_after_each() -> None:
    chances = bigram.chances_of(SENTENCES)
    assert chances[bigram.CHATBOT] == {"The\u2581cat": 0.5, "The\u2581server": 0.5}
    assert chances["The\u2581cat"] == chances["\u2581The\u2581cat"] == {"\u2581sleeps.": 1.0}
    assert chances["\u2581hums"] == {"\u2581and\u2581waits.": 1.0}
    assert chances["\u2581sleeps."][bigram.END] == bigram.STOP_CHANCE
    assert "\u2581The\u2581server" in chances["\u2581sleeps."]


def test_model_file_holds_its_values_and_aligned_tensors(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    tensors = [
        gguf.Tensor("small", (3,), gguf.floats([1, 2, 3])),
        gguf.Tensor("last", (2, 1), gguf.floats([4, 5])),
    ]
    gguf.write(file, {"text": "yes", "list": ["a"], "count": 7}, tensors)
    content = file.read_bytes()
    assert struct.unpack_from("<4sIQQ", content) == (b"GGUF", 3, 2, 3)
    assert struct.pack("<Q4sI", 4, b"text", gguf.STRING) in content
    assert len(content) % gguf.ALIGNMENT == 0
    start = len(content) - 2 * gguf.ALIGNMENT
    assert struct.unpack_from("<3f", content, start) == (1, 2, 3)
    assert struct.unpack_from("<2f", content, start + gguf.ALIGNMENT) == (4, 5)


@pytest.mark.parametrize(
    ("published", "written"),
    [
        ("embeddings.word_embeddings.weight", "token_embd.weight"),
        ("embeddings.LayerNorm.bias", "token_embd_norm.bias"),
        ("encoder.layer.5.attention.output.LayerNorm.weight", "blk.5.attn_output_norm.weight"),
        ("encoder.layer.0.output.dense.bias", "blk.0.ffn_down.bias"),
        ("pooler.dense.weight", None),
        ("embeddings.position_ids", None),
    ],
)
def test_embedding_model_tensors_are_renamed(published: str, written: str | None) -> None:
    assert minilm.gguf_name(published) == written


@pytest.mark.parametrize(
    ("published", "written"), [("cat", "\u2581cat"), ("##s", "s"), ("[CLS]", "[CLS]")]
)
def test_embedding_model_words_mark_their_start(published: str, written: str) -> None:
    assert minilm.gguf_word(published) == written
