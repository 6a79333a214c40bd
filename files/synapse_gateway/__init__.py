"""The edge in front of LiteLLM: who may ask for what, how much, and what leaves."""
