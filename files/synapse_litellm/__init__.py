"""Our hooks into LiteLLM, in its pod: they need nothing of its configuration but its callbacks."""
