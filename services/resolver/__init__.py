"""The resolver: keeps roster, links and persons, re-clusters what a change touches, and publishes who moved."""

from __future__ import annotations

from services.resolver.role import Resolver

__all__ = ["Resolver"]
