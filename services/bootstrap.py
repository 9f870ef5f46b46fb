"""The only wiring: settings in, adapters and roles out. Nothing else in the project constructs an adapter.

Each role is built from the parts that it may see and no others; its modules are imported only when it is built.
"""

from __future__ import annotations

import gc
import hashlib
import re
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from schemas.agreement import SHIPPED, Agreement, parse_agreement, shipped_agreement
from schemas.errors import AgreementError, InputError, PolicyError, Reason, StateError
from schemas.model import MatchModel, default_model, parse_model
from schemas.topics import INTERNAL, LINKS, SUBJECTS, Topic
from services.bus import Bus
from services.lake import Zone, ZoneName
from services.leases import Lease
from services.loop import figures as loop_figures
from services.metrics.catalogue import counted
from services.registry import Registry
from services.rpc.lock import ExclusiveLock, Seat
from services.rpc.server import RpcServer, Service
from services.settings import Settings

if TYPE_CHECKING:
    import polars as pl

    from services.bus.layout import LayoutAdmin
    from services.consumers import ConsumerKeys
    from services.metrics.exporter import Figures

Ready = Callable[[Mapping[str, str]], None]
"""Told once a role works: address by name of service, empty for a role that serves none."""

GRACE_S: Final = 20.0
"""How long running calls may go on after a server was told to stop."""


class Role(Protocol):
    """What `run_role` runs: starts, says so, and works until `stop` is set."""

    parts: Mapping[str, Figures]
    """What tells metrics about it, by name."""

    def run(self, stop: threading.Event, ready: Ready) -> None:
        """Work until `stop` is set; raises HwlinkError when it cannot go on."""
        ...


def open_bus(settings: Settings) -> Bus:
    """Open the bus that `bus_url` names and make the internal topics; InputError OPTION_INVALID for another scheme."""
    scheme, _, rest = settings.bus_url.partition("://")
    bus: Bus
    if scheme == "sqlite":
        from services.bus.sqlite import SqliteBus

        bus = SqliteBus(Path(rest.removeprefix("/")))
    elif scheme == "memory":
        from services.bus.memory import MemoryBus

        bus = MemoryBus()
    elif scheme == "kafka":
        from services.bus.kafka import KafkaBus

        bus = KafkaBus(settings.bus_url, settings.kafka_security_path)
    else:
        raise InputError(
            Reason.OPTION_INVALID, "The bus URL is not usable; give sqlite:///PATH, memory:// or kafka://HOST:PORT."
        )
    bus.create_topics([*INTERNAL, *(topic.dead for topic in INTERNAL)])
    return bus


def open_layout(settings: Settings) -> LayoutAdmin:
    """Open what reads and changes the topics and rights of the bus that `bus_url` names.

    InputError OPTION_INVALID for a bus that outlives no process.
    """
    scheme, _, rest = settings.bus_url.partition("://")
    if scheme == "sqlite":
        from services.bus.sqlite_layout import SqliteLayout

        return SqliteLayout(Path(rest.removeprefix("/")))
    if scheme == "kafka":
        from services.bus.kafka_admin import KafkaAdmin

        return KafkaAdmin(settings.bus_url, settings.kafka_security_path)
    raise InputError(Reason.OPTION_INVALID, "This bus has no topics to look after; give HWLINK_BUS_URL another scheme.")


def open_registry(settings: Settings) -> Registry:
    """Open the registry that `registry_url` names; raises as `services.registry.sql.open_registry`."""
    from services.registry.sql import open_registry as open_sql_registry

    return open_sql_registry(settings.registry_url)


def open_zone(settings: Settings, name: ZoneName) -> Zone:
    """Open one zone of the lake that `lake_url` names; InputError OPTION_INVALID for another scheme than `file`."""
    from services.lake.delta import DeltaZone

    scheme, _, path = settings.lake_url.partition("://")
    if scheme != "file" or not path:
        raise InputError(Reason.OPTION_INVALID, "The lake URL is not usable; give file://PATH.")
    return DeltaZone(Path(path), name)


def open_model(settings: Settings) -> MatchModel | None:
    """Return the model that the settings name, None where they name none; StateError STORE_MISSING if it is not
    there.
    """
    if settings.model_path is None:
        return None
    try:
        return parse_model(settings.model_path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        raise StateError(
            Reason.STORE_MISSING, "The model file cannot be read; check HWLINK_MODEL_PATH and its permissions."
        ) from None


def accepted_agreements(settings: Settings) -> dict[str, Agreement]:
    """Return the agreements whose records the server takes, by id: the shipped ones and those of `settings.agreements`.

    Those that accept test identifiers are among them only with `accept_test_agreement`. Raises AgreementError
    AGREEMENT_INVALID for a file that is none, PolicyError UNSAFE_CONFIGURATION for one that accepts test identifiers.
    """
    shipped = [shipped_agreement(name) for name in SHIPPED]
    found = {a.agreement_id: a for a in shipped if settings.accept_test_agreement or not a.accept_test_identifiers}
    for path in settings.agreements:
        try:
            agreement = parse_agreement(path.read_text("utf-8"))
        except (OSError, UnicodeDecodeError):
            raise AgreementError(
                Reason.AGREEMENT_INVALID,
                f"The agreement {path.name} cannot be read; check HWLINK_AGREEMENTS and the file's permissions.",
            ) from None
        if agreement.accept_test_identifiers and not settings.accept_test_agreement:
            raise PolicyError(
                Reason.UNSAFE_CONFIGURATION,
                f"The agreement {path.name} accepts test identifiers; take it out of HWLINK_AGREEMENTS, or set "
                "HWLINK_ACCEPT_TEST_AGREEMENT=true where no real people's records are held.",
            )
        found[agreement.agreement_id] = agreement
    return found


class Serving:
    """A role that is a gRPC server."""

    def __init__(
        self,
        address: str,
        services: Sequence[Service],
        before_stop: Callable[[], None],
        after_stop: Callable[[], None],
        parts: Mapping[str, Figures] | None = None,
    ) -> None:
        """Bind the address. `before_stop` makes open streams end, `after_stop` releases what calls used."""
        self._server = RpcServer(address, services)
        self.parts: Mapping[str, Figures] = {"grpc": self._server.calls.now, **(parts or {})}
        self._names = [service.name for service in services]
        self._before_stop = before_stop
        self._after_stop = after_stop

    def run(self, stop: threading.Event, ready: Ready) -> None:
        """Serve until `stop` is set, then let what runs end."""
        # What start-up left behind (modules, schemas) is never garbage, and each full collection would walk it again:
        # measured 50 ms each, every few batches of typed rows.
        gc.freeze()
        self._server.start()
        ready(dict.fromkeys(self._names, self._server.address))
        stop.wait()
        self._before_stop()
        self._server.stop(GRACE_S)
        self._after_stop()


class Looping:
    """A role that is a loop, or several side by side: the first to fail stops the others, and its failure is raised."""

    def __init__(self, *loops: Callable[[threading.Event], None], parts: Mapping[str, Figures] | None = None) -> None:
        self._loops = loops
        self.parts: Mapping[str, Figures] = {"loop": loop_figures, **(parts or {})}

    def run(self, stop: threading.Event, ready: Ready) -> None:
        """Run the loops until `stop` is set."""
        ready({})
        first, *others = self._loops
        failures: list[BaseException] = []

        def guarded(loop: Callable[[threading.Event], None]) -> None:
            try:
                loop(stop)
            except BaseException as error:
                failures.append(error)
                stop.set()

        threads = [threading.Thread(target=guarded, args=(loop,)) for loop in others]
        for thread in threads:
            thread.start()
        guarded(first)
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]


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
    geography = _geography(settings)
    as_of = settings.as_of
    bus = open_bus(settings)
    features = Features(
        bus,
        open_zone(settings, "content"),
        open_zone(settings, "products"),
        registry.features,
        geography=geography,
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


def consumer_keys(settings: Settings) -> ConsumerKeys:
    """Return the keys under which consumers' ids are re-keyed."""
    from services.consumers import ConsumerKeys

    return ConsumerKeys(settings.data_dir / "keys")


def _geography(settings: Settings) -> pl.DataFrame:
    """Return the geography that the settings name; without one, features of areas are unknown for everybody."""
    import polars as pl

    from linkage.features.tables import GEOGRAPHY

    if settings.geography_path is None:
        return pl.DataFrame(schema=GEOGRAPHY)
    try:
        return pl.read_csv(settings.geography_path, schema=GEOGRAPHY)
    except (OSError, pl.exceptions.PolarsError):
        raise InputError(
            Reason.FILE_UNREADABLE,
            f"The geography cannot be read: a CSV with columns {', '.join(GEOGRAPHY)}; check HWLINK_GEOGRAPHY_PATH.",
        ) from None


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
