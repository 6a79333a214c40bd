"""A server for K3s' modules without a machine: a root folder, a release over HTTP, a systemctl."""
