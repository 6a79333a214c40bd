"""What the gateway costs, side by side with the bare engine and with LiteLLM alone."""
