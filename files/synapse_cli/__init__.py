"""The operator's commands: keys, health, the card; each needs only the Kubernetes API."""
