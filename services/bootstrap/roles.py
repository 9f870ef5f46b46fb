"""How each role is built, from the parts that it may see and no others; its modules are imported only then."""

from __future__ import annotations

import hashlib
import re
import socket
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final

from schemas.model import default_model, parse_model
from schemas.topics import LINKS, SUBJECTS, Topic
from services.bootstrap.shapes import Looping, Role, Serving
from services.bootstrap.stores import (
    accepted_agreements,
    consumer_keys,
    open_bus,
    open_model,
    open_reference,
    open_registry,
    open_zone,
)
from services.bus import Bus
from services.leases import Lease
from services.metrics.catalogue import counted
from services.registry import Registry
from services.rpc.lock import Seat
from services.rpc.server import Service
from services.settings import Settings

if TYPE_CHECKING:
    from services.metrics.exporter import Figures


def _counts(of: str, counts: Callable[[], Mapping[str, float]], **labels: str) -> Figures:
    """Return what tells metrics the counts of a role, or of its bus."""
    return lambda: counted(of, counts(), **labels)


def _nothing() -> None:
    """Do nothing."""


def _member(settings: Settings) -> str:
    """Return this process's name in groups that share partitions out: the same after a restart, and nobody else's.

    `run_role` lets one process of a role run on a data folder, so that host and folder tell processes apart.
    """
    folder = hashlib.blake2b(str(settings.data_dir.resolve()).encode(), digest_size=6).hexdigest()
    return f"{re.sub('[^A-Za-z0-9.-]', '-', socket.gethostname())}-{folder}"


def _lease(registry: Registry, role: str, seat: Seat) -> Lease:
    return Lease(registry.leases, role, seat.member, former=seat.former)


def _ingest(settings: Settings) -> Role:
    from services.ingest.service import service
    from services.ingest.stream import Door, Limits

    bus = open_bus(settings)
    door = Door(
        bus,
        open_registry(settings).ingest,
        open_zone(settings, "linkage"),
        accepted_agreements(settings),
        Limits(withdrawal_share=settings.withdrawal_limit_share),
    )
    parts = {"ingest": door.figures, "bus": _counts("bus", lambda: bus.counts)}
    return Serving(settings.ingest_address, [service(door)], door.stop.set, door.close, parts)


def _landing(settings: Settings) -> Role:
    from services.landing import upkeep
    from services.landing.role import Landing

    bus = open_bus(settings)
    member = _member(settings)
    linkage = Landing.of_linkage(bus, open_zone(settings, "linkage"), member=member)
    content = Landing.of_content(bus, open_zone(settings, "content"), member=member)
    parts = {
        "linkage": _counts("landing", lambda: linkage.counts, zone="linkage"),
        "content": _counts("landing", lambda: content.counts, zone="content"),
        "bus": _counts("bus", lambda: bus.counts),
    }
    return Looping(linkage.run, content.run, partial(upkeep.run, bus), parts=parts)


def _matcher(settings: Settings, seat: Seat) -> Role:
    from services.matcher.adopting import Matching

    registry, bus = open_registry(settings), open_bus(settings)
    lease = _lease(registry, "matcher", seat)
    matcher = Matching(
        bus,
        registry.matcher,
        open_zone(settings, "linkage"),
        open_model(settings),
        owner=seat.member,
        lease=lease,
        shards=settings.shards,
    )
    parts = {"matcher": _counts("matcher", lambda: matcher.counts), "bus": _counts("bus", lambda: bus.counts)}
    return Looping(matcher.run, lease.run, parts=parts)


def _resolver(settings: Settings, seat: Seat) -> Role:
    from services.resolver.role import Resolver
    from services.resolver.standby import Standby

    registry = open_registry(settings)
    bus = open_bus(settings)

    def resolver() -> Resolver:
        active = registry.matcher.active_model()
        model = parse_model(active[1]) if active else (open_model(settings) or default_model())
        registry.matcher.settle_shards(settings.shards, _ends(bus, SUBJECTS), _ends(bus, LINKS))
        return Resolver(
            bus,
            registry.resolver,
            model.policy,
            owner=seat.member,
            adoptions=registry.adoptions,
            shards=settings.shards,
        )

    lease = _lease(registry, "resolver", seat)
    standby = Standby(lease, resolver)
    parts = {"resolver": _counts("resolver", lambda: standby.counts), "bus": _counts("bus", lambda: bus.counts)}
    return Looping(standby.run, lease.run, parts=parts)


def _ends(bus: Bus, topic: Topic) -> dict[str, int]:
    return {f"{place.topic}-{place.partition}": end for place, end in bus.end_offsets(topic).items()}


def _features(settings: Settings) -> Role:
    from datetime import date

    from schemas.purposes import shipped_purposes
    from services.features.records import Consumer
    from services.features.role import Features

    registry = open_registry(settings)
    keys = consumer_keys(settings)
    consumers = [
        Consumer(purpose, keys.key(purpose.consumer))
        for purpose in shipped_purposes().values()
        if purpose.feeds_topic and purpose.consumer is not None
    ]
    reference = open_reference(settings)
    as_of = settings.as_of
    bus = open_bus(settings)
    features = Features(
        bus,
        open_zone(settings, "content"),
        open_zone(settings, "products"),
        registry.features,
        reference=reference,
        consumers=consumers,
        today=date.today if as_of is None else lambda: as_of,
        model_id=registry.features.model_in_force,
    )
    parts = {"features": _counts("features", lambda: features.counts), "bus": _counts("bus", lambda: bus.counts)}
    return Looping(features.run, parts=parts)


def _query(settings: Settings) -> Role:
    from services.query.service import CohortQuery
    from services.query.states import States

    registry = open_registry(settings)
    states = States(open_zone(settings, "products"), registry.query)
    query = CohortQuery(states, registry.query, consumer_keys(settings))
    return Serving(settings.query_address, [query.service], _nothing, registry.close)


def _review(settings: Settings) -> Role:
    from schemas.disclosure import shipped_policy
    from services.admin.figures import line_figures
    from services.admin.service import AdminService
    from services.pb.hwlink.v1 import admin_pb2_grpc
    from services.review.role import linkage_service

    registry, bus, content = open_registry(settings), open_bus(settings), open_zone(settings, "content")
    admin = AdminService(bus, registry, open_zone(settings, "linkage"), content)
    services = [
        linkage_service(registry, shipped_policy()),
        Service(
            "hwlink.v1.AdminService",
            lambda server: admin_pb2_grpc.add_AdminServiceServicer_to_server(admin, server),
        ),
    ]
    parts = {"line": partial(line_figures, bus, registry, content)}
    return Serving(settings.review_address, services, _nothing, registry.close, parts)


ALONE: Final[dict[str, Callable[[Settings], Role]]] = {
    "ingest": _ingest,
    "landing": _landing,
    "features": _features,
    "query": _query,
    "review": _review,
}
"""Roles of which one process runs on a data folder."""

BESIDE: Final[dict[str, Callable[[Settings, Seat], Role]]] = {"matcher": _matcher, "resolver": _resolver}
"""Roles of which several processes may run beside one another: they settle by leases who does what."""

ROLES: Final = ("ingest", "landing", "matcher", "resolver", "features", "query", "review")
"""Every role, in the order in which records pass them."""
