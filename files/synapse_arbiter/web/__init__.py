"""HTTP: the paths, the proxy of requests, and what operators and engines ask."""
