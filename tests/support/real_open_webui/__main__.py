"""Install it: python -m real_open_webui."""

import sys

from real_open_webui import installation

print(f"Open WebUI {installation.version()} runs with {installation.python()}", file=sys.stderr)
