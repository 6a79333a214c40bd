"""What applies a component's objects to the cluster, waits for them and says why one fails."""
