"""Bad luck and bad will before a real gateway: what one client or one engine does to the others."""
