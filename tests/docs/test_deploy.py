"""Settings and reasons that the operators' documents name exist."""

from __future__ import annotations

import re
from pathlib import Path

from schemas.errors import Reason
from services.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "deploy").glob("*.md"))]


def test_every_setting_named_exists() -> None:
    named = {name for path in DOCUMENTS for name in re.findall(rf"{PREFIX}[A-Z_]*[A-Z]", path.read_text("utf-8"))}

    unknown = sorted(name for name in named if name.removeprefix(PREFIX).lower() not in Settings.model_fields)

    assert named
    assert unknown == []


def test_every_reason_named_exists() -> None:
    text = (ROOT / "deploy" / "RUNBOOK.md").read_text("utf-8")
    named = set(re.findall(r"error\[([A-Z_]+)\]", text))

    assert named
    assert named <= {reason.value for reason in Reason}
