"""What is LiteLLM's alone: its application, the hooks into it, and its answers made honest."""
