"""The only wiring: settings in, adapters and roles out. Nothing else in the project constructs an adapter.

`stores` opens what the settings name, `roles` builds each role from it, `shapes` says how a role runs; here one is run.
"""

from __future__ import annotations

import threading
from typing import Final

from services.bootstrap.roles import ALONE, BESIDE, ROLES
from services.bootstrap.shapes import Ready
from services.bootstrap.stores import consumer_keys, open_bus, open_layout, open_model, open_registry, open_zone
from services.rpc.lock import ExclusiveLock, Seat
from services.settings import Settings

__all__ = [
    "BESIDE",
    "ROLES",
    "consumer_keys",
    "open_bus",
    "open_layout",
    "open_model",
    "open_registry",
    "open_zone",
    "run_role",
]

_MOST_SEATS: Final = 64


def run_role(
    name: str,
    settings: Settings,
    stop: threading.Event,
    ready: Ready = lambda _: None,
    *,
    supervised: bool = False,
) -> None:
    """Run one role until `stop` is set, and show its metrics where the settings say; `ready` is told when it works.

    Raises StateError ALREADY_RUNNING when another process runs it on these files, or, of roles that may run beside one
    another, as many as may; and whatever building or running it raises.
    """
    from services.metrics.place import metrics_addresses, shown

    place = (ROLES.index(name), len(ROLES)) if supervised else None
    addresses = metrics_addresses(settings.metrics_address, place)
    if name in BESIDE:
        with Seat(settings.data_dir, name, _seats(name, settings)) as seat:
            role = BESIDE[name](settings, seat)
            with shown(role.parts, addresses):
                role.run(stop, ready)
    else:
        with ExclusiveLock(settings.data_dir, name):
            role = ALONE[name](settings)
            with shown(role.parts, addresses):
                role.run(stop, ready)


def _seats(name: str, settings: Settings) -> int:
    """Return how many processes of a role may run on a data folder: on an embedded bus no more than were asked for."""
    if not settings.bus_url.startswith("sqlite:"):
        return _MOST_SEATS
    return settings.matchers if name == "matcher" else 1
