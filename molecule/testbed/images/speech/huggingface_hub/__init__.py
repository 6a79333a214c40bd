"""Stands in for huggingface_hub: repositories whose names tell what they hold, in the same cache.

A name with `missing` in it does not exist, one with `slow` in it takes its time.
"""

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub.errors import RepositoryNotFoundError

COMMIT = "0" * 40
VOICE = re.compile(r"(?P<language>[a-z]+)_(?P<region>[A-Z]+)-[^-]+-.+")
RATE = 22050
STEPS, STEP_BYTES = 20, 100_000
STEP_S = {True: 1.0, False: 0.02}


@dataclass
class RepoFile:
    """What is known of a file."""

    path: str
    size: int


class HfApi:
    """What Hugging Face is asked."""

    def get_paths_info(self, repo_id: str, paths: list[str]) -> list[RepoFile]:
        """Tell the sizes of those files that there are."""
        if "missing" in repo_id:
            raise RepositoryNotFoundError(f"Repository Not Found: {repo_id}")
        there = (path for path in paths if "missing" not in path and path != "vocabulary.json")
        return [RepoFile(path, len(_content(path))) for path in there]


def hf_hub_download(
    repo_id: str, filename: str, *, cache_dir: Path | None = None, local_dir: Path | None = None
) -> str:
    """Write a file step by step, into the cache or into a folder."""
    if local_dir is not None:
        return _write(local_dir / filename, local_dir / ".cache", filename)
    assert cache_dir is not None
    store = cache_dir / f"models--{repo_id.replace('/', '--')}"
    (store / "refs").mkdir(parents=True, exist_ok=True)
    (store / "refs/main").write_text(COMMIT)
    return _write(store / "snapshots" / COMMIT / filename, store / "blobs", repo_id)


def try_to_load_from_cache(repo_id: str, filename: str, cache_dir: Path) -> str | None:
    """Return where a file is, if it is there."""
    store = cache_dir / f"models--{repo_id.replace('/', '--')}"
    found = store / "snapshots" / COMMIT / filename
    return str(found) if found.is_file() else None


def _write(target: Path, parts: Path, name: str) -> str:
    content = _content(target.name)
    size = max(1, len(content) // STEPS)
    parts.mkdir(parents=True, exist_ok=True)
    part = parts / f"{target.name}.incomplete"
    with part.open("wb") as file:
        for start in range(0, len(content), size):
            if len(content) > STEP_BYTES:
                time.sleep(STEP_S["slow" in name])
            file.write(content[start : start + size])
            file.flush()
    target.parent.mkdir(parents=True, exist_ok=True)
    part.rename(target)
    return str(target)


def _content(path: str) -> bytes:
    """Return what is in a file: facts about a voice, or as much of nothing as a model is large."""
    name = Path(path).name
    if name == "model.bin" or name.endswith(".onnx"):
        return bytes(STEPS * STEP_BYTES)
    found = VOICE.fullmatch(name.removesuffix(".onnx.json"))
    if not found:
        return b"simulated\n"
    language, region = found["language"], found["region"]
    # Of espeak-ng's voices the one that the listener beside it understands best.
    spoken = "en-us+f2" if (language, region) == ("en", "US") else language
    facts = {
        "audio": {"sample_rate": RATE},
        "espeak": {"voice": spoken},
        "language": {"code": f"{language}_{region}"},
    }
    return json.dumps(facts).encode()
