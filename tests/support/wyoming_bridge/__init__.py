"""The real bridge between Home Assistant and the gateway, and what Home Assistant says to it."""

from .asking import Bridge, RefusedError, Sound
from .process import running

__all__ = ["Bridge", "RefusedError", "Sound", "running"]
