"""Free ports of 127.0.0.1, so that tests of two checkouts can run at the same time."""

import contextlib
import socket


def free_ports(number: int) -> list[int]:
    """Return that many different free ports; they are not reserved, so use them at once."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(number)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]
