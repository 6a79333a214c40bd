"""A registry that Ollama can pull tiny models from, with every fault switchable by name."""

from ollama_registry.registry import Registry

__all__ = ["Registry"]
