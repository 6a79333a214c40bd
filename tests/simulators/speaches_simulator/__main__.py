"""Serves on UVICORN_HOST and UVICORN_PORT until it is told to stop."""

from __future__ import annotations

import os

import uvicorn

from speaches_simulator.app import make
from speaches_simulator.shelf import Shelf, Workers


def main() -> None:
    """Serve with what the environment says, as Speaches reads it."""
    workers = Workers(
        device=os.environ.get("WHISPER__INFERENCE_DEVICE", "auto"),
        compute_type=os.environ.get("WHISPER__COMPUTE_TYPE", "default"),
        cpu_threads=int(os.environ.get("WHISPER__CPU_THREADS", "0")),
        num_workers=int(os.environ.get("WHISPER__NUM_WORKERS", "1")),
    )
    shelf = Shelf(int(os.environ.get("STT_MODEL_TTL", "300")), workers)
    host = os.environ.get("UVICORN_HOST", "0.0.0.0")
    port = int(os.environ.get("UVICORN_PORT", "8000"))
    uvicorn.run(make(shelf), host=host, port=port)


if __name__ == "__main__":
    main()
