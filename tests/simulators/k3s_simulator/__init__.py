"""Stands in for K3s: its file, paths, keys, unit and words around the testbed's Kubernetes."""
