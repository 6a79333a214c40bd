"""Makes the calls that a test sends: `{"call": "openai_sdk.chat", "arguments": {...}}` a line."""

from __future__ import annotations

import importlib
import json
import os
import sys
import traceback


def main() -> None:
    """Answer until nobody asks any more."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a package prints is no answer
    for line in sys.stdin:
        asked = json.loads(line)
        module, _, function = asked["call"].rpartition(".")
        try:
            program = importlib.import_module(f"client_programs.{module}")
            told = {"returned": getattr(program, function)(**asked["arguments"])}
            text = json.dumps(told)
        except Exception:
            text = json.dumps({"failed": traceback.format_exc()})
        answers.write(text + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
