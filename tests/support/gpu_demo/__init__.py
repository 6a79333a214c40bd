"""`make demo-gpu`: the arbiter shares a simulated GPU, and people ask."""
