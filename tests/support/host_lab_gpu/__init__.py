"""NVIDIA on a server without a GPU: its packages, signed repositories, a simulated driver."""
