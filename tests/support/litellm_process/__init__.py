"""The real LiteLLM Proxy as a process of its own, as its pod runs it."""

from litellm_process.process import KEY, LiteLLM

__all__ = ["KEY", "LiteLLM"]
