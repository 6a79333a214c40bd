"""Stands in for onnxruntime: the stand-in for Piper beside it has no networks to run."""

from typing import Any


class SessionOptions:
    """Options that nobody reads."""

    intra_op_num_threads = 0


class InferenceSession:
    """A network that is none."""

    def __init__(self, model: str, sess_options: Any = None, providers: Any = None) -> None:
        """Take what the real one takes."""
