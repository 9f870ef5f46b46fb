"""A drawn chart made fit for standing inside a page: names of its own, and nothing that leads out of it."""

from __future__ import annotations

import re
from hashlib import sha256

_NAMED = re.compile(r'\bid="([^"]+)"')


def embedded(svg: str) -> str:
    """Return the SVG with ids that no other chart of the page has, so that no clip path or gradient is mistaken."""
    prefix = f"c{sha256(svg.encode()).hexdigest()[:12]}-"
    for name in dict.fromkeys(_NAMED.findall(svg)):
        svg = svg.replace(f'id="{name}"', f'id="{prefix}{name}"').replace(f"url(#{name})", f"url(#{prefix}{name})")
    return svg
