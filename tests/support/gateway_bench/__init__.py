"""What the gateway costs, side by side with the bare backend and with LiteLLM alone."""
