"""`make schema`: write what follows from the models of a site."""

import json
import sys
from pathlib import Path

from synapse_deploy.catalogue.options import ROOT
from synapse_deploy.catalogue.reference import head, page
from synapse_deploy.catalogue.schema import FILE, site_schema

BEGIN, END = "# Keys (`make schema` writes them):\n", "# End of keys.\n"


def written() -> dict[Path, str]:
    """Return the text of every file that is written from the models."""
    found = {
        FILE: json.dumps(site_schema(), indent=2) + "\n",
        ROOT / "docs/configuration.md": page(),
    }
    for file in sorted(ROOT.glob("inventory/examples/*/group_vars/all/*.yml")):
        before, _, rest = file.read_text().partition(BEGIN)
        after = rest.partition(END)[2]
        found[file] = f"{before}{BEGIN}{head(file.name)}{END}{after}"
    return found


def main() -> int:
    """Write the files; say which were stale."""
    for file, text in written().items():
        if not file.exists() or file.read_text() != text:
            file.write_text(text)
            print(f"{file.relative_to(ROOT)}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
