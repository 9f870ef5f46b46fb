"""Write every generated file of the project, or check that none has drifted from what it is made of.

    python -m services.generate                      write
    python -m services.generate --check              exit 1 and name what drifted
    python -m services.generate --extend-baseline    take additions to the protos into their baseline

Needs a checkout and the `dev` extra.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("services/pb", "schemas/generated")
"""Folders of which every file is generated; a file there that nothing generates is removed."""
FILES = ("services/cli/REFERENCE.md", "linkage/features/CATALOGUE.md")
"""Generated files among files that are not."""


def artefacts(root: Path = ROOT) -> dict[str, str]:
    """Return the text of every generated file, by path relative to the checkout."""
    from services.cli.app import build
    from services.generation.asyncapi import asyncapi
    from services.generation.catalogue import catalogue
    from services.generation.commands import command_reference
    from services.generation.json_schemas import json_schemas
    from services.generation.protobuf import generated_code

    version = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    return {
        **generated_code(root),
        **json_schemas(),
        **asyncapi(version),
        FILES[0]: command_reference(build()),
        **catalogue(),
    }


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Run the command; return its exit code."""
    from services.generation.artefacts import drift, write

    parser = argparse.ArgumentParser(prog="python -m services.generate", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 and name what drifted")
    parser.add_argument(
        "--extend-baseline", action="store_true", help="take additions to the protos into their baseline, too"
    )
    options = parser.parse_args(arguments)
    wanted = artefacts(root)
    if options.check:
        changes = drift(root, wanted, (*FOLDERS, *FILES))
        sys.stderr.writelines(f"{change}\n" for change in changes)
        if changes:
            sys.stderr.write("Generated files have drifted; run `make generate` and commit what it writes.\n")
        return 1 if changes else 0
    sys.stderr.writelines(f"{change}\n" for change in write(root, wanted, (*FOLDERS, *FILES)))
    if options.extend_baseline:
        from services.generation.baseline import extend_baseline
        from services.generation.protobuf import describe

        extend_baseline(root, describe(root))
    return 0


if __name__ == "__main__":
    sys.exit(main())
