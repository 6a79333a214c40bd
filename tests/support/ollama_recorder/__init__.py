"""Record how an Ollama answers on its native API, so that doubles can be held to it."""

from ollama_recorder.recording import FOLDER, Answer, load

__all__ = ["FOLDER", "Answer", "load"]
