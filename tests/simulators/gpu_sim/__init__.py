"""A simulated GPU in virtual time: drives the arbiter's policy, and two others, over workloads."""
