"""The catalogue of a site: what a user may write, what must hold, and what follows from it."""
