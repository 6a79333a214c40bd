"""What can fail inside an engine, as the callers of its operations see it."""


class StartRefusedError(Exception):
    """The engine cannot start on this GPU now; the text is what vLLM logs."""


class CudaOutOfMemoryError(Exception):
    """A wake-up stopped midway; what was mapped stays mapped."""


class EngineDeadError(Exception):
    """The engine process is gone; clients read a 500."""


class EnginePausedError(Exception):
    """A pause rejects new requests; clients read a retryable 503."""


class OperationFailedError(Exception):
    """A control operation raised inside the engine; the caller reads a 500."""
