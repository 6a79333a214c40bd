"""The real LiteLLM Proxy process, with a configuration written for it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import httpx
import yaml

from gateway_process import litellm_venv, until
from synapse_deploy.render.litellm import SETTINGS

FILES = Path(__file__).parents[3] / "files"
START_TIMEOUT_S = 300
STOP_TIMEOUT_S = 30
KEY = "sk-synapse-litellm-0123456789abcdef"
"""What opens it, as the gateway has it in LITELLM_KEY."""


class LiteLLM:
    """A running LiteLLM on 127.0.0.1; what it says is in `log.txt` of its folder."""

    def __init__(self, folder: Path, config: dict[str, Any], port: int) -> None:
        """Write the configuration; `start` runs it."""
        self.folder = folder
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "log.txt"
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "litellm.yaml").write_text(yaml.safe_dump(config))

    def start(self, *folders: Path, **environment: str) -> None:
        """Start it, with these folders on its path and these variables too; wait until ready."""
        path = os.pathsep.join(map(str, (FILES, *folders)))
        options = ["--config", "litellm.yaml", "--host", "127.0.0.1", "--port", str(self.port)]
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [str(litellm_venv.python()), "-m", "litellm.proxy.proxy_cli", *options],
                cwd=self.folder,
                env={
                    **os.environ,
                    **SETTINGS,
                    "LITELLM_MASTER_KEY": KEY,
                    "PYTHONPATH": path,
                    **environment,
                },
                stdout=out,
                stderr=out,
            )
        until(self._ready, START_TIMEOUT_S, self.log.read_text)

    def stop(self) -> int:
        """End the process as Kubernetes does; return its exit status."""
        if self.process is None:
            return 0
        self.process.terminate()
        return self.process.wait(STOP_TIMEOUT_S)

    def _ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()
        try:
            return httpx.get(f"{self.url}/health/readiness").status_code == 200
        except httpx.TransportError:
            return False
