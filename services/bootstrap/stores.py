"""What the settings name, opened: bus, registry, lake, keys and documents. Only here is an adapter chosen."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from schemas.agreement import SHIPPED, Agreement, parse_agreement, shipped_agreement
from schemas.errors import AgreementError, InputError, PolicyError, Reason, StateError
from schemas.model import MatchModel, parse_model
from schemas.topics import INTERNAL
from services.bus import Bus
from services.lake import Zone, ZoneName
from services.registry import Registry
from services.settings import Settings

if TYPE_CHECKING:
    from services.bus.layout import LayoutAdmin
    from services.consumers import ConsumerKeys
    from services.features.builder import Reference


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


def open_export(settings: Settings, consumer: str) -> Zone:
    """Open the folder of tables that one consumer reads."""
    from services.lake.delta import DeltaZone

    return DeltaZone(settings.exports_dir or settings.data_dir.absolute() / "exports", consumer)


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


def consumer_keys(settings: Settings) -> ConsumerKeys:
    """Return the keys under which consumers' ids are re-keyed."""
    from services.consumers import ConsumerKeys

    return ConsumerKeys(settings.data_dir / "keys")


def open_reference(settings: Settings) -> Reference:
    """Return the reference data that the settings name; without any, features of areas are unknown for everybody.

    Raises StateError STORE_MISSING or InputError OPTION_INVALID for a store that cannot be used, InputError
    FILE_UNREADABLE for a CSV that cannot.
    """
    import polars as pl

    from linkage.features.tables import GEOGRAPHY
    from services.features.builder import Reference

    if settings.reference_path is not None:
        from services.reference import open_store

        store = open_store(settings.reference_path)
        return Reference(store.geography(settings.imd_edition), store.practices(), store.version)
    if settings.geography_path is None:
        return Reference()
    try:
        content = settings.geography_path.read_bytes()
        areas = pl.read_csv(content, schema_overrides=GEOGRAPHY)
    except (OSError, pl.exceptions.PolarsError):
        raise InputError(
            Reason.FILE_UNREADABLE,
            f"The geography cannot be read: a CSV with columns {', '.join(GEOGRAPHY)}; check HWLINK_GEOGRAPHY_PATH.",
        ) from None
    return Reference(areas, version=f"csv-{hashlib.sha256(content).hexdigest()[:12]}")
