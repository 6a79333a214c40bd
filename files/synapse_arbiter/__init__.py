"""The GPU arbiter: one GPU, many vLLM models, nobody starves."""
