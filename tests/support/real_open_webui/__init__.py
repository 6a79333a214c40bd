"""The real Open WebUI: its installation, a page of it, and the gateways that it asks."""
