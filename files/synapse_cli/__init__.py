"""The operator's commands: keys, health, the GPU; each needs only the Kubernetes API."""
