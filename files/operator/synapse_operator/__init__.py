"""The operator's commands: keys, health, doctor; each needs only the Kubernetes API."""
