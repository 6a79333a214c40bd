"""The GGUF file format, version 3: named values, then named tensors. Enough of it to write models.

The format's own library brings numpy with it; the few lines below need nothing, so the models can
be written, and their writers tested, with the standard library alone.
"""

import struct
import sys
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

Value = bool | int | float | str | Sequence[str] | Sequence[float] | Sequence[int]

VERSION = 3
ALIGNMENT = 32
F32 = 0
UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9


@dataclass(frozen=True)
class Tensor:
    """A tensor of 32-bit floats; `shape` counts from the fastest running dimension."""

    name: str
    shape: tuple[int, ...]
    data: bytes

    def header(self, offset: int) -> bytes:
        """Return the entry that announces the tensor."""
        dimensions = struct.pack(f"<I{len(self.shape)}Q", len(self.shape), *self.shape)
        return _string(self.name) + dimensions + struct.pack("<IQ", F32, offset)


def floats(values: Iterable[float]) -> bytes:
    """Return numbers as the bytes of 32-bit floats."""
    numbers = array("f", values)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def write(path: Path, values: dict[str, Value], tensors: Sequence[Tensor]) -> None:
    """Write a model file; the same arguments give the same bytes."""
    head = [struct.pack("<4sIQQ", b"GGUF", VERSION, len(tensors), len(values))]
    head += [_string(key) + _typed(value) for key, value in values.items()]
    offset = 0
    for tensor in tensors:
        head.append(tensor.header(offset))
        offset += len(tensor.data) + _gap(len(tensor.data))
    start = b"".join(head)
    with path.open("wb") as file:
        file.write(start + bytes(_gap(len(start))))
        for tensor in tensors:
            file.write(tensor.data)
            file.write(bytes(_gap(len(tensor.data))))


def _gap(length: int) -> int:
    return -length % ALIGNMENT


def _string(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def _typed(value: Value) -> bytes:
    kind = _kind(value)
    if kind != ARRAY:
        return struct.pack("<I", kind) + _plain(kind, value)
    assert isinstance(value, Sequence)
    items: list[Value] = list(value)
    item_kind = INT32 if isinstance(items[0], int) else _kind(items[0])
    packed = b"".join(_plain(item_kind, item) for item in items)
    return struct.pack("<IIQ", ARRAY, item_kind, len(items)) + packed


def _kind(value: Value) -> int:
    for python_type, kind in ((bool, BOOL), (int, UINT32), (float, FLOAT32), (str, STRING)):
        if isinstance(value, python_type):
            return kind
    return ARRAY


def _plain(kind: int, value: Value) -> bytes:
    if isinstance(value, str):
        return _string(value)
    return struct.pack({UINT32: "<I", INT32: "<i", FLOAT32: "<f", BOOL: "<?"}[kind], value)
