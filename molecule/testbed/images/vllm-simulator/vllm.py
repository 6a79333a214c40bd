#!/usr/bin/env python3
"""Stands in for vLLM's command: `vllm serve OWNER/NAME ...` becomes a simulated engine.

Like vLLM it fetches a model that is not there yet, and does not start without a GPU.
"""

import os
import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Become the engine; return a status only when there can be none."""
    match sys.argv[1:]:
        case ["serve", source, *options] if not source.startswith("-"):
            pass
        case _:
            print("usage: vllm serve MODEL [options]", file=sys.stderr)
            return 2
    if not Path(os.environ["VLLM_SIMULATOR_GPU"], "total_bytes").exists():
        print(
            "RuntimeError: Failed to infer device type, please set the environment variable "
            "`VLLM_LOGGING_LEVEL=DEBUG` to turn on verbose logging to help debug the issue.",
            file=sys.stderr,
        )
        return 1
    fetched = subprocess.run(["hf", "download", source], check=False)
    if fetched.returncode != 0:
        return fetched.returncode
    # vLLM listens everywhere; the simulator, made for tests, on this machine alone.
    engine = [sys.executable, "-m", "vllm_simulator", source, "--host", "0.0.0.0", *options]
    os.execv(sys.executable, engine)


if __name__ == "__main__":
    sys.exit(main())
