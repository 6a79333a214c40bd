"""Who may use the GPU next, and for how long. Pure: no I/O, clock or logging."""
