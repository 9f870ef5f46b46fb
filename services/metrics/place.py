"""Where a process shows its metrics: an address of its own, whatever else runs on the machine."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from schemas.errors import StateError

if TYPE_CHECKING:
    from services.metrics.exporter import Figures

PORTS: Final = 8
"""How many ports a supervised role tries, each as many further on as there are roles: the others of its kind have those
before."""

log = logging.getLogger(__name__)


def metrics_addresses(address: str, place: tuple[int, int] | None) -> list[str]:
    """Return where to show metrics, the first that is free; nowhere for an empty `address`.

    A process alone uses the address as it is. One under a supervisor has a `place`, its number among how many roles,
    and a port that many further on.
    """
    if not address:
        return []
    if place is None:
        return [address]
    host, _, port = address.rpartition(":")
    number, roles = place
    return [f"{host}:{int(port) + number + roles * further}" for further in range(PORTS)]


@contextmanager
def shown(parts: Mapping[str, Figures], addresses: Sequence[str]) -> Iterator[None]:
    """Show figures at the first of the addresses that is free, nowhere when there are none; raises as `Exporter`."""
    if not addresses:
        yield
        return
    from services.metrics.exporter import Exporter

    for last, address in ((address == addresses[-1], address) for address in addresses):
        try:
            exporter = Exporter(address, parts)
        except StateError:
            if last:
                raise
            continue
        log.info("metrics", extra={"address": exporter.address})
        with exporter:
            yield
        return
