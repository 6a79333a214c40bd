"""JSON bodies of requests: bounded and counted while they arrive, before anything is parsed."""
