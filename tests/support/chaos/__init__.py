"""Chaos: many applications ask while one pod after another is killed; every request is judged."""
