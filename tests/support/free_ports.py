"""Free ports of 127.0.0.1, so that tests of two checkouts can run at the same time."""

import socket

_kept: list[socket.socket] = []


def free_ports(number: int) -> list[int]:
    """Return that many different free ports, which nobody else is given until this process ends.

    A server may listen on them where it sets SO_REUSEADDR, as every server does that wants to be
    started again. Linux gives a port that is bound to no other socket that asks for any port.
    """
    kept = [socket.socket() for _ in range(number)]
    for one in kept:
        one.bind(("127.0.0.1", 0))
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _kept.extend(kept)
    return [int(one.getsockname()[1]) for one in kept]
