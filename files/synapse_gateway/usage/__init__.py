"""What applications use: counted in memory, kept in a file that outlives the gateway."""
