"""The GPU as the cluster has it: who offers it, and whether pods see it."""
