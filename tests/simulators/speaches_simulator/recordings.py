"""What was uploaded, as samples; what cannot be read is told apart by what FFmpeg says of it."""

from __future__ import annotations

from typing import Annotated, Any

import av
import numpy as np
from fastapi import Depends, Form, HTTPException, UploadFile
from faster_whisper.audio import decode_audio
from numpy.typing import NDArray

RATE = 16_000
RAW = ("audio/pcm", "audio/raw")
Samples = NDArray[np.float32]


def samples(file: Annotated[UploadFile, Form()]) -> Samples:
    """Return one channel at 16 kHz, up to where a recording is damaged."""
    try:
        found = _read(file)
        if not found.size:
            raise ZeroDivisionError
    except av.error.InvalidDataError as error:
        detail = "Failed to decode audio. The provided file type is not supported."
        raise HTTPException(415, detail) from error
    except av.error.ArgumentError as error:
        detail = "Failed to decode audio. The provided file is likely empty."
        raise HTTPException(400, detail) from error
    except Exception as error:
        raise HTTPException(500, "Failed to decode audio.") from error
    return found


def _read(file: UploadFile) -> Samples:
    if file.content_type in RAW:
        return np.frombuffer(file.file.read(), dtype=np.int16).astype(np.float32) / np.float32(
            32768
        )
    decoded: Any = decode_audio(file.file, sampling_rate=RATE)
    return np.asarray(decoded, dtype=np.float32)


Recording = Annotated[Samples, Depends(samples)]
