"""A stand-in for an OpenAI-compatible or Ollama server that misbehaves on command."""

from openai_stub.behaviour import Behaviour
from openai_stub.server import OpenAIStub

__all__ = ["Behaviour", "OpenAIStub"]
