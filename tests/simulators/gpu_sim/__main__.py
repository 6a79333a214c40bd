"""Print the comparison of the policies; with a file, write it into that file's block."""

import argparse
from pathlib import Path

from gpu_sim.report import report

BEGIN = "<!-- begin: make bench-policy -->\n"
END = "<!-- end: make bench-policy -->\n"


def replaced(document: str, block: str) -> str:
    """Return the document with what stands between the two marks exchanged."""
    before, rest = document.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{block}\n{END}{after}"


def main() -> None:
    """Print, and write if asked to."""
    parser = argparse.ArgumentParser(prog="gpu_sim", description=__doc__)
    parser.add_argument("--write", type=Path, metavar="FILE", help="Markdown file with the block")
    target: Path | None = parser.parse_args().write
    block = report()
    print(block, end="")
    if target is not None:
        target.write_text(replaced(target.read_text(), block))


if __name__ == "__main__":
    main()
