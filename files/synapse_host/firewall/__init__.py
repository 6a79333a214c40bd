"""Which ports of the server are open to whom, and how nftables, ufw and firewalld are told."""
