"""One engine and the GPU's memory: the client, and what can be done to both, step by step."""
