"""The demo: Synapse at work on the running testbed, scene by scene."""
