"""The GPU arbiter: one card, many vLLM models, nobody starves."""
