"""A program that is started again whenever it ends, as a container is."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from kill_session import kill_session

RESTART_S = 0.1
STOP_S = 10.0


class Process:
    """One program with its children in a session of its own; its output goes to a file."""

    def __init__(
        self, name: str, command: list[str], log: Path, environment: Mapping[str, str]
    ) -> None:
        """Prepare; nothing runs yet."""
        self.name = name
        self.starts = 0
        self._command, self._log = command, log
        self._environment = environment
        self._running: asyncio.subprocess.Process | None = None
        self._keeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start it and keep it running."""
        self._keeping = asyncio.get_running_loop().create_task(self._keep_running())

    def kill(self) -> None:
        """Kill it and its children at once; it is started again."""
        if self._running is not None and self._running.returncode is None:
            kill_session(self._running.pid)

    async def stop(self) -> None:
        """End it for good: by request, and by force if it does not follow."""
        if self._keeping is not None:
            self._keeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeping
        running = self._running
        if running is None or running.returncode is not None:
            return
        running.terminate()
        try:
            await asyncio.wait_for(running.wait(), STOP_S)
        except TimeoutError:
            self.kill()
            await running.wait()

    @property
    def output(self) -> str:
        """What it wrote since the first start."""
        return self._log.read_text() if self._log.exists() else ""

    @property
    def pid_file(self) -> Path:
        """Where the number of its session is written at every start."""
        return self._log.with_suffix(".pid")

    async def _keep_running(self) -> None:
        while True:
            with self._log.open("ab") as log:
                self._running = await asyncio.create_subprocess_exec(
                    *self._command,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    env=self._environment,
                    start_new_session=True,
                )
            self.starts += 1
            self.pid_file.write_text(str(self._running.pid))
            await self._running.wait()
            await asyncio.sleep(RESTART_S)
