"""What carries out the policy's decisions on the running requests and engines."""
