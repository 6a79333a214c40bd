"""A stand-in for the arbiter behind the status page: made-up states, real routes."""

from status_source.scenes import SCENES
from status_source.server import TOKEN, Source, serve

__all__ = ["SCENES", "TOKEN", "Source", "serve"]
