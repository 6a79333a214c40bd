"""Builds and runs the testbed: a real Kubernetes server in one container, from packages alone."""
