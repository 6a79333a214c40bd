"""Brings models that hear and voices that speak onto the volume, each whole or not at all.

It runs in Speaches' image and in the speech server's, so it needs huggingface_hub alone.
"""
