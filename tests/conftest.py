"""What holds for every test."""

from hypothesis import settings

# A busy machine may take long over an example, which says nothing about the code.
settings.register_profile("synapse", deadline=None)
settings.load_profile("synapse")
