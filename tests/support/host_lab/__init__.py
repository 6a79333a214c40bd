"""Bare servers in containers: Debian 13 with systemd and ssh, for the roles that set up a host."""
