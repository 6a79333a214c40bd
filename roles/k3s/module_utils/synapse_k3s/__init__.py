"""What the modules of the role do, and share; sent to the server along with them."""
