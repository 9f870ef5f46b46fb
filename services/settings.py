"""The one frozen Settings, read once from `HWLINK_*` variables.

URL schemes pick adapters; unknown variables and unsafe combinations are refused.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from schemas.errors import PolicyError, Reason, StateError

PREFIX = "HWLINK_"


def _paths(value: Any) -> Any:
    return tuple(part for part in value.split(os.pathsep) if part) if isinstance(value, str) else value


class Settings(BaseModel):
    """Every setting of every role; `hwlink config` prints them with their descriptions."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    data_dir: Path = Field(Path("hwlink-data"), description="folder of the embedded bus, registry, lake and locks")
    bus_url: str = Field(
        "",
        description="sqlite:///PATH or kafka://HOST:PORT[,HOST:PORT...][/NAMESPACE]; default: bus.db in data_dir",
    )
    kafka_security_path: Path | None = Field(
        None, description="TOML file of the Kafka broker's TLS and SASL settings; without it, a broker on this machine"
    )
    registry_url: str = Field("", description="sqlite:///PATH; default: registry.db in data_dir")
    lake_url: str = Field("", description="file://PATH; default: lake in data_dir")
    ingest_address: str = Field("127.0.0.1:7401", description="HOST:PORT of the ingestion services")
    query_address: str = Field("127.0.0.1:7402", description="HOST:PORT of the query service")
    review_address: str = Field("127.0.0.1:7403", description="HOST:PORT of the linkage and admin services")
    metrics_address: str = Field(
        "",
        description="HOST:PORT at which a role shows metrics to Prometheus; `serve all` counts ports up from it, one a "
        "role; default: nowhere",
    )
    agreements: Annotated[tuple[Path, ...], BeforeValidator(_paths)] = Field(
        (), description="agreement files accepted beside the shipped ones, separated as PATH is"
    )
    accept_test_agreement: bool = Field(False, description="accept feeds of synthetic people (agreement hwlink-test-1)")
    exports_dir: Path | None = Field(
        None,
        description="folder of consumers' tables, one folder a consumer; default: exports in data_dir",
    )
    model_path: Path | None = Field(
        None, description="match model document that a new deployment starts with; default: the shipped one"
    )
    reference_path: Path | None = Field(
        None, description="reference store (`hwlink reference import`); without it features of areas are unknown"
    )
    imd_edition: str | None = Field(
        None, description="edition of the index of deprivation to use, 2019 or 2025; default: the newest in the store"
    )
    geography_path: Path | None = Field(
        None,
        description="in place of a reference store, a CSV of small areas: lsoa, ward, authority, imd_decile and what "
        "else is known of them",
    )
    shards: Annotated[int, Field(ge=1, le=64)] = Field(1, description="how many shards pairs are divided into")
    matchers: Annotated[int, Field(ge=1, le=64)] = Field(
        1, description="how many matcher workers `serve all` starts; each matches some of the shards"
    )
    withdrawal_limit_share: Annotated[float, Field(gt=0, le=1)] = Field(
        0.2, description="largest share of a source's subjects that one full extract may withdraw"
    )
    as_of: date | None = Field(None, description="date that features are computed for, YYYY-MM-DD; default: today")
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")

    @model_validator(mode="after")
    def _fill_embedded_defaults(self) -> Self:
        root = self.data_dir.absolute()
        defaults = {
            "bus_url": f"sqlite:///{root / 'bus.db'}",
            "registry_url": f"sqlite:///{root / 'registry.db'}",
            "lake_url": f"file://{root / 'lake'}",
        }
        for name, value in defaults.items():
            if not getattr(self, name):
                object.__setattr__(self, name, value)
        return self


def read_settings(environ: Mapping[str, str], **overrides: Any) -> Settings:
    """Read settings from `environ`, then `overrides`.

    Raises StateError SETTING_INVALID, which names the settings and never their values, or PolicyError
    UNSAFE_CONFIGURATION.
    """
    given = {name.removeprefix(PREFIX).lower(): value for name, value in environ.items() if name.startswith(PREFIX)}
    unknown = sorted(PREFIX + name.upper() for name in given if name not in Settings.model_fields)
    if unknown:
        raise StateError(
            Reason.SETTING_INVALID, f"Unknown setting {', '.join(unknown)}; `hwlink config` lists the names there are."
        )
    try:
        settings = Settings(**{**given, **overrides})
    except ValidationError as error:
        fields = sorted({".".join(str(part) for part in e["loc"]) for e in error.errors(include_input=False)})
        raise StateError(
            Reason.SETTING_INVALID, f"Setting not usable: {', '.join(fields)}; `hwlink config` shows what each takes."
        ) from None
    if settings.reference_path is not None and settings.geography_path is not None:
        raise StateError(
            Reason.SETTING_INVALID,
            "HWLINK_REFERENCE_PATH and HWLINK_GEOGRAPHY_PATH both describe areas; leave one of them out.",
        )
    serving = (settings.ingest_address, settings.query_address, settings.review_address)
    for address in (*serving, *([settings.metrics_address] if settings.metrics_address else [])):
        _refuse_unsafe(address)
    return settings


def as_environ(settings: Settings) -> dict[str, str]:
    """Return the variables from which `read_settings` makes the same settings: how a supervisor tells its roles."""
    plain = {name: getattr(settings, name) for name in Settings.model_fields}
    return {
        PREFIX + name.upper(): os.pathsep.join(map(str, value)) if isinstance(value, tuple) else str(value)
        for name, value in plain.items()
        if value not in (None, "", ())
    }


def _refuse_unsafe(address: str) -> None:
    host = address.rpartition(":")[0].strip("[]")
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback:
        raise PolicyError(
            Reason.UNSAFE_CONFIGURATION,
            "An address beyond loopback needs TLS and client identities, which are not configured; use 127.0.0.1.",
        )
