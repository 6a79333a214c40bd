"""What differs between the versions of vLLM that are simulated."""

from dataclasses import dataclass
from functools import cached_property

# The version whose behaviour is simulated unless another is asked for.
SIMULATED = "0.33.0"
OLDEST = (0, 30)


@dataclass(frozen=True)
class Version:
    """One version; between the recorded ones 0.30 and 0.33, 0.32 was only watched."""

    name: str = SIMULATED

    @cached_property
    def number(self) -> tuple[int, ...]:
        """Its first two numbers, to compare."""
        return tuple(int(part) for part in self.name.split(".")[:2])

    @property
    def counts_sleep_operations(self) -> bool:
        """Tell whether /metrics says how many sleeps and wake-ups are under way."""
        return self.number >= (0, 32)

    @property
    def limits_stops(self) -> bool:
        """Tell whether a request may have so many texts to stop at and no more."""
        return self.number >= (0, 32)

    @property
    def ends_waiting_streams(self) -> bool:
        """Tell whether a stream says that it was aborted before it began to run."""
        return self.number >= (0, 33)

    @property
    def is_newest(self) -> bool:
        """Tell whether answers have the fields and errors the words of 0.33."""
        return self.number >= (0, 33)
