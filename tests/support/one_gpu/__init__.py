"""A whole server as processes: an arbiter, and simulated engines that share one GPU."""

from one_gpu.process import Process
from one_gpu.server import Server, run_server, until

__all__ = ["Process", "Server", "run_server", "until"]
