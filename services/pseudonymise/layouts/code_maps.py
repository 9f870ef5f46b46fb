"""Maps of codes that a controller gives instead of a shipped one."""

from __future__ import annotations

from pathlib import Path

from schemas.code_lists import CodeMap, parse_code_map
from schemas.errors import InputError, Reason


def read_code_map(path: Path) -> CodeMap:
    """Return the map in a JSON file; InputError FILE_UNREADABLE or FIELD_INVALID."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise InputError(
            Reason.FILE_UNREADABLE, "The map of codes cannot be read; give a JSON file in UTF-8."
        ) from None
    return parse_code_map(text)
