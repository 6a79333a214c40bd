"""The server below Kubernetes: its facts, what is wrong with them, and what is set up there."""
