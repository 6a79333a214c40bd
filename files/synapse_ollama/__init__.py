"""Brings the models on Ollama's volume to the catalogue, in a pod of its own, in the background.

It runs in the gateway's image and needs nothing but Python.
"""
