"""Kill all processes of a session, as a container ends with its first one.

`python -m kill_session FILE` kills the session whose number is in the file.
"""

import os
import signal
import sys
from contextlib import suppress
from pathlib import Path


def kill_session(leader: int) -> None:
    """Kill whoever is in the session of this leader, in whatever process group."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(ProcessLookupError):
            if os.getsid(int(folder.name)) == leader:
                os.kill(int(folder.name), signal.SIGKILL)


if __name__ == "__main__":
    kill_session(int(Path(sys.argv[1]).read_text()))
