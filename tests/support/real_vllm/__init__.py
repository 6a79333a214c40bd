"""The real vLLM on a machine without a GPU: its installation, a tiny model, and a server of it."""

from real_vllm.installation import Installation, installed
from real_vllm.model import make_model

__all__ = ["Installation", "installed", "make_model"]
