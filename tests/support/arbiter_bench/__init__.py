"""How fast the arbiter is, and what its policy is worth: `make bench-arbiter`."""
