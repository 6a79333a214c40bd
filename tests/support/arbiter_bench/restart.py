"""Restart one simulated engine, as an operator's command would: MODEL NAME=ADDRESS..."""

import sys
import urllib.request


def main() -> None:
    """Ask the engine to go away and boot again."""
    model, *addresses = sys.argv[1:]
    url = dict(one.split("=", 1) for one in addresses)[model]
    request = urllib.request.Request(f"{url}/simulator/faults", b'{"restart": {}}')
    urllib.request.urlopen(request, timeout=10).close()


if __name__ == "__main__":
    main()
