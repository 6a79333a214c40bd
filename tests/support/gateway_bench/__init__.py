"""What the gateway costs, side by side with the bare engine, a bare proxy and LiteLLM alone."""
