"""The faults of huggingface_hub that anybody looks for."""


class RepositoryNotFoundError(OSError):
    """There is no such repository."""


class GatedRepoError(RepositoryNotFoundError):
    """It is open only to those who log in."""
