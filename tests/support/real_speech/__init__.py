"""The speech server and the simulator of Speaches as processes here, with the testbed's models."""

from real_speech.models import MODEL, VOICE, fetch
from real_speech.servers import Server, speaches, speaking

__all__ = ["MODEL", "VOICE", "Server", "fetch", "speaches", "speaking"]
