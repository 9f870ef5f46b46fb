"""Write every generated file of the project, or check that none has drifted from what it is made of.

    python -m services.generate            write
    python -m services.generate --check    exit 1 and name what drifted

Needs a checkout and the `dev` extra.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("services/pb",)
"""Folders of which every file is generated; a file there that nothing generates is removed."""


def artefacts(root: Path = ROOT) -> dict[str, str]:
    """Return the text of every generated file, by path relative to the checkout."""
    from services.generation.protobuf import generated_code

    return generated_code(root)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code."""
    from services.generation.artefacts import drift, write

    parser = argparse.ArgumentParser(prog="python -m services.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 and name what drifted")
    options = parser.parse_args(arguments)
    wanted = artefacts()
    changes = drift(ROOT, wanted, FOLDERS) if options.check else write(ROOT, wanted, FOLDERS)
    for change in changes:
        sys.stderr.write(f"{change}\n")
    if options.check and changes:
        sys.stderr.write("Generated files have drifted; run `python -m services.generate` and commit what it writes.\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
