"""The status page at `/`: one document that needs nothing but this server.

Its parts are kept in files of their own and joined once at start. The content security policy
names the hash of the one style and the one script, so that nothing else can ever run or load.
"""

import base64
import hashlib
from dataclasses import dataclass
from pathlib import Path

_FOLDER = Path(__file__).parent
_SCRIPTS = (
    "format.js",
    "dom.js",
    "gpu.js",
    "timeline.js",
    "models.js",
    "decisions.js",
    "actions.js",
    "live.js",
)
_STYLES = ("colours.css", "layout.css", "parts.css")


@dataclass(frozen=True, slots=True)
class Page:
    """The finished document and the headers it is sent with."""

    body: bytes
    headers: dict[str, str]


def build_page(folder: Path = _FOLDER) -> Page:
    """Join the parts of the page and bind them to their content security policy."""
    style = "".join((folder / name).read_text() for name in _STYLES)
    script = "(() => {\n'use strict';\n" + "".join((folder / name).read_text() for name in _SCRIPTS)
    script += "})();\n"
    body = (folder / "shell.html").read_text()
    body = body.replace("/*STYLE*/", style).replace("/*SCRIPT*/", script)
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
        "connect-src 'self'; img-src data:; "
        f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    )
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "Cache-Control": "no-cache",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return Page(body.encode(), headers)


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
