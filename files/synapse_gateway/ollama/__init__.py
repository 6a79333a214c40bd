"""Ollama's native API: OpenAI's requests towards it, and its clients towards every other engine.

Nothing here opens a connection or a file. For the relay:

- `to_native(dialect, fields, served_name, shown_name)` gives `path`, `body`, `whole`, `feed`,
  `finish`; beyond what was agreed also `ignored`, for the header that names what no engine read.
  `whole` may raise Refusal: only the answer shows that `dimensions` were too many.
- `from_native(path, body)` gives `dialect`, `fields`, `stream`, `ignored`, `whole`, `feed`,
  `finish`; and `answered`, the whole body where no engine is to be asked (else None).
- `native_through(path, body, served_name)` is for a model that is on Ollama anyway, whose answers
  pass as they are.
- `TOO_LONG` are the words for a prompt that does not fit (status 400, from /api/embeddings 500).
"""

from synapse_gateway.ollama.from_native import FromNative, from_native
from synapse_gateway.ollama.lists import bare, ps, show, tags, version
from synapse_gateway.ollama.native_head import Clock
from synapse_gateway.ollama.through import native_through
from synapse_gateway.ollama.to_native import ToNative, to_native
from synapse_gateway.ollama.wire import TOO_LONG

__all__ = [
    "TOO_LONG",
    "Clock",
    "FromNative",
    "ToNative",
    "bare",
    "from_native",
    "native_through",
    "ps",
    "show",
    "tags",
    "to_native",
    "version",
]
