"""A whole server as processes: an arbiter, and simulated engines that share one card."""

from one_card.process import Process
from one_card.server import Server, run_server, until

__all__ = ["Process", "Server", "run_server", "until"]
