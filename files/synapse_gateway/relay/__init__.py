"""The one way to every engine: candidates, time-outs, endings and errors."""
