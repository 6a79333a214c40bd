"""`make pin`: writes into versions.yml the digest behind the tag of every image, or nothing."""

import re
import sys
from collections.abc import Callable
from pathlib import Path

import httpx

from synapse_cli.registry import Reference, RegistryError, digest_of, parse

LIMIT_S = 30.0
SECTION = re.compile(r"^synapse_images:\n((?:[ #].*\n|\n)*)", re.MULTILINE)
ENTRY = re.compile(r"^  (\w+): (\S+)$", re.MULTILINE)
# Who vouched for a digest goes with it.
VOUCHED = re.compile(r"^  # Digest: .*\n", re.MULTILINE)


class PinError(Exception):
    """Nothing was written; the text says why, with every fault."""


def pinned(text: str, ask: Callable[[Reference], str]) -> tuple[str, list[str]]:
    """Return versions.yml with today's digests, and a line for each image.

    Raise PinError with every fault at once.
    """
    section = SECTION.search(text)
    if not section or not ENTRY.search(section[1]):
        raise PinError("versions.yml names no image under synapse_images; restore it from git")
    faults, told, made, end = [], [], [], 0
    for entry in ENTRY.finditer(section[1]):
        block, end = section[1][end : entry.start()], entry.end()
        try:
            image = parse(entry[2])
            found = Reference(image.registry, image.repository, image.tag, ask(image))
        except RegistryError as fault:
            faults.append(str(fault))
            continue
        told.append(f"{'unchanged' if found == image else 'pinned   '}  {found}")
        block = block if found == image else VOUCHED.sub("", block)
        made.append(f"{block}  {entry[1]}: {found}")
    if faults:
        raise PinError("\n".join([*faults, "Nothing was written."]))
    whole = "".join([*made, section[1][end:]])
    return text[: section.start(1)] + whole + text[section.end(1) :], told


def main() -> int:
    """Pin the file that is named; the exit status is 1 when that was not possible."""
    path = Path(sys.argv[1])
    try:
        with httpx.Client(timeout=LIMIT_S, follow_redirects=True) as client:
            text, told = pinned(path.read_text(), lambda image: digest_of(image, client))
    except PinError as fault:
        print(fault, file=sys.stderr)
        return 1
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text)
    partial.replace(path)
    print("\n".join(told))
    return 0


if __name__ == "__main__":
    sys.exit(main())
