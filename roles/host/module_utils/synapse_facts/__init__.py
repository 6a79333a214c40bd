"""Reads everything that Synapse decides on from a server, one module for each kind of it.

It is sent to the server along with `host_facts`: standard library alone, and Python 3.9.
"""
