"""The whole road as processes: the real gateway, the arbiter, simulated engines, and the CPU."""

from gpu_road.client import Answer, Client
from gpu_road.road import APPS, CPU, GPU, Road, run_road

__all__ = ["APPS", "CPU", "GPU", "Answer", "Client", "Road", "run_road"]
