"""Generated files as texts by path: writing them, and telling how far a checkout has drifted from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path


def drift(root: Path, wanted: Mapping[str, str], places: Sequence[str]) -> list[str]:
    """Return one line for each file of `places` that is missing, differs from `wanted`, or is not in it; sorted.

    A place is a folder of which every file is generated, or one generated file.
    """
    have = _generated(root, places)
    missing = [f"{path}: missing" for path in wanted if path not in have]
    surplus = [f"{path}: no longer generated" for path in have if path not in wanted]
    differing = [
        f"{path}: differs" for path, text in wanted.items() if path in have and have[path].read_text("utf-8") != text
    ]
    return sorted(missing + surplus + differing)


def write(root: Path, wanted: Mapping[str, str], places: Sequence[str]) -> list[str]:
    """Make the generated files of `places` equal to `wanted`; return what changed, as `drift` tells it."""
    changes = drift(root, wanted, places)
    for path, held in _generated(root, places).items():
        if path not in wanted:
            held.unlink()
    for path, text in wanted.items():
        target = root / path
        if not target.exists() or target.read_text("utf-8") != text:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, "utf-8", newline="\n")
    return changes


def _generated(root: Path, places: Sequence[str]) -> dict[str, Path]:
    """Return every file at the places, compiled Python left out, by path relative to the checkout."""
    return {
        path.relative_to(root).as_posix(): path
        for place in places
        for path in ([root / place] if (root / place).is_file() else sorted((root / place).rglob("*")))
        if path.is_file() and "__pycache__" not in path.parts
    }
