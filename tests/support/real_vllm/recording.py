"""Record the pinned vLLM on this processor: python -m real_vllm.recording --kind embed."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import get_args

from free_ports import free_ports
from http_process import serving
from real_vllm.installation import Installation, installed
from real_vllm.model import make_model
from real_vllm.stack import BOOT_S, ENGINE, PARSERS
from vllm_recorder import FOLDER, Recording, record, save
from vllm_recorder.battery import Kind
from vllm_recorder.battery.case import MAX_MODEL_LEN

NAME = "tiny"
# Keeps a model of random weights from filling its calls with spaces.
NO_SPACES = {"backend": "xgrammar", "disable_any_whitespace": True}
# How a Qwen3 reranker is served: the likelihood of one word against another's is the score.
RERANKER = {
    "architectures": ["Qwen3ForSequenceClassification"],
    "classifier_from_token": ["a", "b"],  # words that the tiny model's vocabulary has
    "is_original_qwen3_reranker": True,
}
OF_KIND: dict[Kind, list[str]] = {
    "generate": [*PARSERS, f"--structured-outputs-config={json.dumps(NO_SPACES)}"],
    "embed": ["--runner=pooling"],
    "score": ["--runner=pooling", f"--hf-overrides={json.dumps(RERANKER)}"],
}


def record_kind(installation: Installation, kind: Kind) -> Recording:
    """Start a server of this kind, ask it the battery and end it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = make_model(installation, folder / "model", folder / "cache")
        (port,) = free_ports(1)
        command = [str(installation.python), "-m", "vllm.entrypoints.cli.main", "serve"]
        command += [str(model), f"--served-model-name={NAME}", f"--port={port}"]
        command += [*ENGINE, f"--max-model-len={MAX_MODEL_LEN}", *OF_KIND[kind]]
        url = f"http://127.0.0.1:{port}"
        with serving(
            command,
            url,
            folder / "server.txt",
            start_s=BOOT_S,
            environment=installation.environment(folder / "cache"),
        ):
            try:
                return asyncio.run(record(url, kind))
            except ConnectionError:
                sys.stderr.write((folder / "server.txt").read_text())
                raise


def main() -> int:
    """Return 0 once the recording is written."""
    parser = argparse.ArgumentParser(prog="real_vllm.recording", description=__doc__)
    parser.add_argument("--kind", choices=get_args(Kind), default="generate")
    parser.add_argument("--out", type=Path, help="default: VERSION-KIND.json among the fixtures")
    options = parser.parse_args()
    recording = record_kind(installed(), options.kind)
    path = options.out or FOLDER / f"{recording.version}-{recording.kind}.json"
    save(recording, path)
    print(f"{len(recording.answers)} answers of vLLM {recording.version} are in {path}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
